/**
 * Rules of accounts, from what settings say.
 *
 * @module
 */

import { AccountRules } from "../accounts/account_rules.ts";
import { CertificateDemand } from "../accounts/certificate_demand.ts";
import { escapeNameText } from "../protocol/certificate_identity.ts";
import type { UserRules } from "../settings/table.ts";

/** Stands for the name of the account. */
const NAME = "{name}";

/** Makes the rules of an account of that name; `undefined` where it has none. */
export function rulesOf(
  { expires, addresses, hours, timezone, certificates }: UserRules,
  name: string,
): AccountRules | undefined {
  const rules = [expires, addresses, hours, certificates];
  if (rules.every((rule) => rule === undefined)) return undefined;
  return new AccountRules({
    expires,
    addresses,
    hours,
    timezone,
    certificates: certificates && demandOf(certificates, name),
  });
}

/** Puts the name of the account where the settings have `{name}`. */
function demandOf({ login, match }: NonNullable<UserRules["certificates"]>, name: string): CertificateDemand {
  const inSubject = escapeNameText(name);
  return new CertificateDemand({
    login,
    match: match.map(({ fingerprint, subject, san }) => ({
      fingerprint,
      subject: subject?.replaceAll(NAME, () => inSubject),
      san: san?.replaceAll(NAME, () => name),
    })),
  });
}
