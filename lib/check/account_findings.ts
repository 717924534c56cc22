/**
 * The accounts of a configuration, their homes and passwords, and what is wrong or risky about them as far as the file alone
 * shows.
 *
 * @module
 */

import { findRehashReason, hashPassword, isPasswordHash } from "../accounts/password_hash.ts";
import { hasWritePermission, READ_PERMISSIONS } from "../accounts/permission.ts";
import { homesFolderOf } from "../settings/account_sources.ts";
import { homesOf, lettersIn, mayWriteIn, permissionsOf } from "../settings/account_rights.ts";
import type { Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import type { AnonymousSettings, Configuration, UserSettings } from "../settings/table.ts";

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
export interface HostHome {
  readonly folder: string;
  /** Key of the home, such as `["users", 0, "mounts", 1, "home"]`. */
  readonly path: KeyPath;
  /** Whether the account may write somewhere in it. */
  readonly isWritten: boolean;
  /** Whether the account may list the folder itself. */
  readonly isListed: boolean;
}

/** Every home of a configuration that is a folder of the host, those of mounts among them, and the folders that others are in. */
export function hostHomesOf(configuration: Configuration): HostHome[] {
  const folders = configuration.accounts.flatMap((source, index): HostHome[] => {
    const folder = homesFolderOf(source);
    const path = ["accounts", index, source.homes === undefined ? "home" : "homes"];
    return folder === undefined ? [] : [{ folder, path, isWritten: mayWriteThere(source), isListed: false }];
  });
  const homes = accountsOf(configuration).flatMap(({ path, account }) =>
    homesOf(account).flatMap(({ home, key, place }) => {
      if (typeof home !== "string") return [];
      const isListed = !account.dropBox && lettersIn(account, place).atRoot.includes("l");
      return [{ folder: home, path: [...path, ...key], isWritten: mayWriteIn(account, place), isListed }];
    })
  );
  return [...homes, ...folders];
}

/** Whether accounts of a source may write depends on what is not in the file, where that does not say it. */
function mayWriteThere({ type, permissions, groups }: Configuration["accounts"][number]): boolean {
  return type !== "ldap" || groups !== undefined || hasWritePermission(permissions ?? READ_PERMISSIONS);
}

/** Returns whether an account may write somewhere. */
export function mayWrite(account: PlacedAccount["account"]): boolean {
  return writtenLetters(account) !== undefined;
}

/** Letters of an account that let it write somewhere; `undefined` where none do. */
function writtenLetters(account: PlacedAccount["account"]): string | undefined {
  const { permissions, overrides } = permissionsOf(account);
  return [permissions, ...overrides.map((override) => override.permissions)].find(hasWritePermission);
}

/** Finds unsound and clear-text passwords, hashes that are too cheap by now, and writing by anybody. */
export function findAccountProblems(configuration: Configuration): Finding[] {
  return [...passwordFindings(configuration), ...codeFindings(configuration), ...anonymousFindings(configuration)];
}

function* codeFindings({ users }: Configuration): Generator<Finding> {
  for (const [index, { name, totp }] of users.entries()) {
    if (totp?.secret === undefined) continue;
    const message = `the secret of ${name}'s codes is in clear; put it into a file of its own: ftpsd user totp`;
    yield { severity: "risk", risk: "plaintext-password", path: ["users", index, "totp", "secret"], message };
  }
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
  const letters = writtenLetters(anonymous);
  if (letters === undefined) return;
  yield {
    severity: "risk",
    risk: "anonymous-write",
    path: ["anonymous", anonymous.dropBox ? "dropBox" : "permissions"],
    message: `anybody could change files with "${letters}"; use elr, or set forceWrite`,
  };
}

/** What the text of a password is. */
export type PasswordForm =
  /** A hash that logins can be checked against; `rehash` tells why a new one should be made. */
  | { readonly kind: "hash"; readonly rehash?: string }
  /** The password itself: the risk `plaintext-password`. */
  | { readonly kind: "clearText" }
  /** Meant as a hash, but none that can be used. */
  | { readonly kind: "unsound"; readonly reason: string };

/** Longest password that gets a hash, in bytes of UTF-8. A command line carries more, but nobody types it. */
const MAX_PASSWORD_BYTES = 512;

/** Characters below which a password is found soon by whoever has its hash (NIST SP 800-63B §3.1.1.2). */
const FEW_CHARACTERS = 8;

/** Returns what the text of a password is. It never occurs in a reason. */
export function classifyPassword(text: string): PasswordForm {
  if (!isPasswordHash(text)) return { kind: "clearText" };
  try {
    const rehash = findRehashReason(text);
    return rehash === undefined ? { kind: "hash" } : { kind: "hash", rehash };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { kind: "unsound", reason: error.message };
  }
}

/** Returns what keeps a new password from being used, such as `"is empty"`; `undefined` for a good one. */
export function findPasswordProblem(password: string): string | undefined {
  if (password === "") return "is empty";
  if (/\p{Cc}/u.test(password)) return "has control characters, which not every client can send";
  // What decoding puts in the place of other bytes.
  if (password.includes("\ufffd")) return "is not UTF-8";
  const { length } = new TextEncoder().encode(password);
  if (length > MAX_PASSWORD_BYTES) return `is ${length} bytes long, more than ${MAX_PASSWORD_BYTES}`;
  return undefined;
}

/** Returns why a password that can be used had better not be; `undefined` for one without an obvious weakness. */
export function findPasswordWeakness(password: string): string | undefined {
  const count = [...password].length;
  return count < FEW_CHARACTERS
    ? `has ${count} characters; with fewer than ${FEW_CHARACTERS} it is soon guessed`
    : undefined;
}

/**
 * Hashes a password for the file.
 *
 * @throws {TypeError} When {@linkcode findPasswordProblem} finds one.
 */
export async function hashNewPassword(password: string): Promise<string> {
  const problem = findPasswordProblem(password);
  if (problem !== undefined) throw new TypeError(`Cannot hash the password: it ${problem}`);
  return await hashPassword(password);
}
