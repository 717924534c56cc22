/**
 * What is wrong or risky about the accounts of a configuration, as far as the file alone tells.
 *
 * @module
 */

import { hasWritePermission } from "../accounts/permission.ts";
import type { KeyPath } from "../settings/key_path.ts";
import type { Finding } from "../settings/finding.ts";
import type { AnonymousSettings, Configuration, UserSettings } from "../settings/table.ts";
import { classifyPassword } from "./password_form.ts";

/** An account and its key. */
export interface PlacedAccount {
  readonly path: KeyPath;
  readonly account: UserSettings | AnonymousSettings;
}

/** Every account of a configuration. */
export function accountsOf({ users, anonymous }: Configuration): PlacedAccount[] {
  const placed = users.map((account, index): PlacedAccount => ({ path: ["users", index], account }));
  return anonymous === undefined ? placed : [...placed, { path: ["anonymous"], account: anonymous }];
}

/** A home that is a folder of the host. */
export interface HostHome extends PlacedAccount {
  readonly folder: string;
}

/** Every home of a configuration that is a folder of the host. */
export function hostHomesOf(configuration: Configuration): HostHome[] {
  return accountsOf(configuration).flatMap((placed) => {
    const { home } = placed.account;
    return typeof home === "string" ? [{ ...placed, folder: home }] : [];
  });
}

/** Returns whether an account may write somewhere. */
export function mayWrite({ permissions, overrides }: PlacedAccount["account"]): boolean {
  return [permissions, ...overrides.map((override) => override.permissions)].some(hasWritePermission);
}

/** Finds unsound and clear-text passwords, hashes that are too cheap by now, and writing by anybody. */
export function findAccountProblems(configuration: Configuration): Finding[] {
  return [...passwordFindings(configuration), ...anonymousFindings(configuration)];
}

function* passwordFindings({ users }: Configuration): Generator<Finding> {
  for (const [index, { name, password }] of users.entries()) {
    const path = ["users", index, "password"];
    const form = classifyPassword(password);
    switch (form.kind) {
      case "clearText":
        yield {
          severity: "risk",
          risk: "plaintext-password",
          path,
          message: `the password of ${name} is in clear; put a hash there: ftpsd hash-password`,
        };
        break;
      case "unsound":
        yield { severity: "error", path, message: `${form.reason}; make a hash with: ftpsd hash-password` };
        break;
      case "hash":
        if (form.rehash === undefined) break;
        yield { severity: "warning", path, message: `the hash of ${name} should be made anew: ${form.rehash}` };
    }
  }
}

function* anonymousFindings({ anonymous }: Configuration): Generator<Finding> {
  if (anonymous === undefined) return;
  if (!mayWrite(anonymous)) return;
  const letters = [anonymous.permissions, ...anonymous.overrides.map(({ permissions }) => permissions)];
  yield {
    severity: "risk",
    risk: "anonymous-write",
    path: ["anonymous", "permissions"],
    message: `anybody could change files with "${letters.find(hasWritePermission)}"; use elr, or set forceWrite`,
  };
}
