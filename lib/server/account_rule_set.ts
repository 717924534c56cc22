/**
 * Rules of accounts, from what settings say.
 *
 * @module
 */

import { AccountRules } from "../accounts/account_rules.ts";
import type { UserRules } from "../settings/table.ts";

/** Makes the rules of an account; `undefined` where it has none. */
export function rulesOf({ expires, addresses, hours, timezone }: UserRules): AccountRules | undefined {
  if (expires === undefined && addresses === undefined && hours === undefined) return undefined;
  return new AccountRules({ expires, addresses, hours, timezone });
}
