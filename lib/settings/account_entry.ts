/**
 * Accounts that come from elsewhere than the configuration file, in the words of that file.
 *
 * @module
 */

import { findAccountContradictions } from "./contradictions.ts";
import { errorAt, type Finding, formatFinding } from "./finding.ts";
import { resolvePaths } from "./host_paths.ts";
import {
  type Configuration,
  RULE_KEYS,
  rulesWithGroups,
  USER,
  USER_CONDITIONS,
  type UserRules,
  type UserSettings,
  withGroups,
} from "./table.ts";
import { deepFreeze, validate } from "./validate.ts";

/** What an account may name: groups and stores of the configuration. */
export type EntryContext = Pick<Configuration, "groups" | "stores">;

/** An account that is not one. The message has all that is wrong with it, in one line, and no password. */
export class AccountEntryError extends Error {
  /** The name of the class. */
  override readonly name = "AccountEntryError";

  /** Makes an error of at least one finding. */
  constructor(findings: readonly Finding[]) {
    super(findings.map(formatFinding).join("; "));
  }
}

/**
 * Reads an account by the rows of `users`: what holds for an entry of the file holds for it.
 *
 * @param given A mapping as an entry of `users` is, the name and the hash of the password in it.
 * @param resolve Makes a path of the host absolute.
 * @throws {AccountEntryError} When it is none.
 */
export function readAccountEntry(
  given: Readonly<Record<string, unknown>>,
  { groups, stores }: EntryContext,
  resolve: (path: string) => string,
): UserSettings {
  const { output, findings } = validate(USER, resolvePaths(USER, given, resolve));
  if (findings !== undefined) throw new AccountEntryError(findings);
  const user = withGroups(output, groups);
  const contradictions = findAccountContradictions({ users: [user], groups, stores }, {
    users: [given],
  }).map(({ path, ...finding }) => ({ ...finding, path: path.slice(2) }));
  const problems = [...contradictions, ...findUncountable(user, groups), ...findCodeProblems(user)];
  if (problems.length > 0) throw new AccountEntryError(problems);
  return deepFreeze(user);
}

/** What decides about an account beside its password. */
export type EntryConditions = UserRules & Pick<UserSettings, "totp">;

/**
 * Reads of an account no more than what decides about it beside its password.
 *
 * @throws {AccountEntryError} When that is none.
 */
export function readEntryConditions(
  given: Readonly<Record<string, unknown>>,
  groups: Configuration["groups"],
): EntryConditions {
  const keys = ["groups", "totp", ...RULE_KEYS].filter((key) => given[key] !== undefined);
  if (keys.length === 0) return {};
  const { output, findings } = validate(USER_CONDITIONS, Object.fromEntries(keys.map((key) => [key, given[key]])));
  const problems = findings ?? findCodeProblems(output);
  if (problems.length > 0 || output === undefined) throw new AccountEntryError(problems);
  return { ...rulesWithGroups(output, groups), ...output.totp && { totp: output.totp } };
}

/** Whoever writes entries does not name files of this host. */
function findCodeProblems({ totp }: Pick<UserSettings, "totp">): Finding[] {
  if (totp?.secretFile !== undefined) return [errorAt(["totp", "secretFile"], "is for users of the file; give secret")];
  return totp !== undefined && totp.secret === undefined ? [errorAt(["totp", "secret"], "is missing")] : [];
}

/** All members of a group are known only where all are in the file: nobody could count what they have stored. */
function findUncountable({ groups: names }: UserSettings, groups: EntryContext["groups"]): Finding[] {
  return names.flatMap((name, index) => {
    const { bytes = 0, files = 0 } = groups[name]?.quota ?? {};
    if (bytes === 0 && files === 0) return [];
    return [errorAt(["groups", index], `${JSON.stringify(name)} has a quota, which holds for users of the file alone`)];
  });
}
