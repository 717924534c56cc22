/**
 * The password hashes that users may have, whatever their scheme.
 *
 * @module
 */

import { type Argon2Cost, type ImportedHash, isImportedHash, parseImportedHash } from "./imported_hash.ts";
import { DEFAULT_SCRYPT_COST, parsePasswordHash, type PasswordHash, type ScryptCost } from "./password_hash.ts";

/** A hash of our own scheme, or of another. */
export type StoredHash = { readonly hash: PasswordHash } | { readonly imported: ImportedHash };

/** The least of argon2id, as OWASP's password storage guide has it: memory in KiB with passes, all of equal worth. */
const LEAST_ARGON2 = [
  { m: 47104, t: 1 },
  { m: 19456, t: 2 },
  { m: 12288, t: 3 },
  { m: 9216, t: 4 },
  { m: 7168, t: 5 },
] as const;

/** The least cost of bcrypt, from the same guide. */
const MIN_BCRYPT_ROUNDS = 10;

/**
 * Reads a hash of scrypt, argon2id or bcrypt. Its own text never occurs in an error message.
 *
 * @throws {SyntaxError} When it is of another scheme, has not the right form, or its cost is out of range.
 */
export function parseStoredHash(text: string): StoredHash {
  if (isImportedHash(text)) return { imported: parseImportedHash(text) };
  if (text.startsWith("$scrypt$")) return { hash: parsePasswordHash(text) };
  throw new SyntaxError("Cannot read the password hash: its scheme is not scrypt, argon2id or bcrypt");
}

/**
 * Tells why a password should be hashed anew: its hash costs those who guess less than one made today.
 *
 * @returns The reason, or `undefined` when the hash is as good as new.
 * @throws {SyntaxError} As {@linkcode parseStoredHash}.
 */
export function findRehashReason(text: string): string | undefined {
  const stored = parseStoredHash(text);
  if ("hash" in stored) return findScryptReason(stored.hash.cost);
  const { cost } = stored.imported;
  if (cost.scheme === "argon2id") return findArgon2Reason(cost);
  return cost.rounds < MIN_BCRYPT_ROUNDS
    ? `bcrypt with cost ${cost.rounds} is less than ${MIN_BCRYPT_ROUNDS}`
    : undefined;
}

/** Compares memory, which also bounds the work from below. */
function findScryptReason({ ln, r }: ScryptCost): string | undefined {
  const { ln: leastLn, r: leastR } = DEFAULT_SCRYPT_COST;
  return 2 ** ln * r < 2 ** leastLn * leastR
    ? `scrypt with ln=${ln},r=${r} is less than ln=${leastLn},r=${leastR}`
    : undefined;
}

function findArgon2Reason({ m, t }: Argon2Cost): string | undefined {
  return LEAST_ARGON2.some((least) => m >= least.m && t >= least.t)
    ? undefined
    : `argon2id with m=${m},t=${t} is less than m=${LEAST_ARGON2[1].m},t=${LEAST_ARGON2[1].t}`;
}
