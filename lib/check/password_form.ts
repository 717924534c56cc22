/**
 * Passwords of a configuration: what the file has, and hashes to put there.
 *
 * @module
 */

import { findRehashReason, hashPassword, isPasswordHash } from "../accounts/password_hash.ts";

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
