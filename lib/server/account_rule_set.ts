/**
 * What decides about logins beside passwords, from what settings say.
 *
 * @module
 */

import { AccountRules } from "../accounts/account_rules.ts";
import type { AccountOptions } from "../accounts/account_source.ts";
import { CertificateDemand } from "../accounts/certificate_demand.ts";
import type { CodeRegister } from "../accounts/code_register.ts";
import { TotpFactor } from "../accounts/totp_factor.ts";
import { escapeNameText } from "../protocol/certificate_identity.ts";
import type { UserRules, UserSettings } from "../settings/table.ts";

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

/** Makes the second factor of an account, where it has one. Without the secret nobody can log in to it. */
export function secondFactorOf(
  { totp }: Pick<UserSettings, "totp">,
  secret: string | undefined,
  register: CodeRegister,
): Pick<AccountOptions, "rules" | "secondFactor"> {
  if (totp === undefined) return {};
  if (secret === undefined) return { rules: { refusal: () => "the secret of its codes is not known" } };
  const { algorithm, digits, period, remember } = totp;
  return { secondFactor: new TotpFactor({ secret, algorithm, digits, period, remember, register }) };
}
