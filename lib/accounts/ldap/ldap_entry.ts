/**
 * From an entry of a directory to one of `users`.
 *
 * @module
 */

import { type AccountEntry, AccountRowError } from "../account_entries.ts";
import type { LdapEntry } from "./ldap_connection.ts";
import { normalizeDn } from "./ldap_escaping.ts";

/** What the entries of a directory mean. */
export interface LdapMeaning {
  /** @default {"uid"} */
  readonly nameAttribute?: string | undefined;
  /** The home, with `{name}` for the name. */
  readonly home?: string | undefined;
  readonly homeAttribute?: string | undefined;
  readonly permissions?: string | undefined;
  /** Groups of the directory, and what they are called here. */
  readonly groups?: readonly { readonly dn: string; readonly group: string }[] | undefined;
}

/** Attribute with the groups of a user. */
export const MEMBER_OF = "memberOf";
const DEFAULT_NAME_ATTRIBUTE = "uid";

/** The attributes that are needed. */
export function attributesOf({ nameAttribute = DEFAULT_NAME_ATTRIBUTE, homeAttribute, groups }: LdapMeaning): string[] {
  return [
    nameAttribute,
    ...homeAttribute === undefined ? [] : [homeAttribute],
    ...groups === undefined ? [] : [MEMBER_OF],
  ];
}

/**
 * The name of the account, as the directory has it: other spellings find the same entry.
 *
 * @throws {AccountRowError} When it has none, or several.
 */
export function nameOf({ attributes }: LdapEntry, asked: string, meaning: LdapMeaning): string {
  const { nameAttribute = DEFAULT_NAME_ATTRIBUTE } = meaning;
  const names = attributes.get(nameAttribute.toLowerCase()) ?? [];
  const same = names.filter((name) => name.toLowerCase() === asked.toLowerCase());
  const [name, ...others] = same.length > 0 ? same : names;
  if (name === undefined) throw new AccountRowError(`its entry has no ${nameAttribute} that we may read`);
  if (others.length > 0) throw new AccountRowError(`its entry has several values of ${nameAttribute}`);
  return name;
}

/**
 * Makes an entry of `users`, without a password.
 *
 * @param memberOf Names of the groups that it is in.
 * @throws {AccountRowError} When it cannot be an account.
 */
export function toAccountEntry(
  entry: LdapEntry,
  name: string,
  { memberOf, ...meaning }: LdapMeaning & { readonly memberOf: readonly string[] },
): AccountEntry {
  const { home, homeAttribute, permissions, groups = [] } = meaning;
  const [ofEntry, ...others] = homeAttribute === undefined
    ? []
    : entry.attributes.get(homeAttribute.toLowerCase()) ?? [];
  if (others.length > 0) throw new AccountRowError(`its entry has several values of ${homeAttribute}`);
  const own = ofEntry ?? (home === undefined ? undefined : fillHome(home, name));
  if (own === undefined) throw new AccountRowError(`its entry has no ${homeAttribute} that we may read`);
  const isIn = new Set(memberOf.map(normalizeDn));
  return {
    name,
    home: own,
    groups: [...new Set(groups.filter(({ dn }) => isIn.has(normalizeDn(dn))).map(({ group }) => group))],
    ...permissions !== undefined && { permissions },
  };
}

/** @throws {AccountRowError} When the name is no name of a folder. */
function fillHome(template: string, name: string): string {
  if (!template.includes("{name}")) return template;
  if (/[/\\]/.test(name) || name === "." || name === "..") throw new AccountRowError("no folder can have its name");
  return template.replaceAll("{name}", () => name);
}
