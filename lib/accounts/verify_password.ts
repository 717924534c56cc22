/**
 * Whether a password fits a hash.
 *
 * @module
 */

import { deriveImportedDigest } from "./imported_digest.ts";
import { deriveDigest, equalDigests } from "./password_hash.ts";
import { parseStoredHash, type StoredHash } from "./stored_hash.ts";

/**
 * Returns whether a password is that of a hash of scrypt, as `hashPassword()` makes it, argon2id or bcrypt: for an
 * `Authorizer` of a program's own. It takes the time and memory that the hash says; `VirtualAuthorizer` bounds how many
 * are checked at once, and remembers successes, which this does not. Check unknown users against a hash of a random
 * password, so that they take as long as known ones.
 *
 * @returns Whether it fits; an empty password never does.
 * @throws {SyntaxError} When the hash is of another scheme, has not the right form, or its cost is out of range.
 *
 * @example
 * ```ts
 * import { hashPassword, verifyPassword } from "@ftpsd/ftpsd";
 *
 * const hash = await hashPassword("correct horse battery staple", { ln: 10 });
 * console.assert(await verifyPassword("correct horse battery staple", hash));
 * ```
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  return await fitsHash(password, parseStoredHash(hash));
}

/** Does the same with a hash that was read. Does the work of comparing also for an empty password, which fits nothing. */
export async function fitsHash(
  password: string,
  stored: StoredHash,
  derive = deriveDigest,
  deriveImported = deriveImportedDigest,
): Promise<boolean> {
  if ("hash" in stored) {
    return equalDigests(await derive(password, stored.hash), stored.hash.digest) && password !== "";
  }
  const { cost, salt, digest } = stored.imported;
  return equalDigests(await deriveImported(password, cost, salt), digest) && password !== "";
}
