/**
 * Passwords as scrypt digests (RFC 7914) in PHC string form, `$scrypt$ln=17,r=8,p=1$<salt>$<digest>`, and the digests and
 * comparisons that checking them needs.
 *
 * Salt and digest stand in base64 (RFC 4648 §4) without padding; the password is taken as UTF-8, as it is.
 *
 * @module
 */

import { createHmac, scrypt, timingSafeEqual } from "node:crypto";

/** What computing a digest costs (RFC 7914 §2). */
export interface ScryptCost {
  /** Binary logarithm of the CPU and memory cost N, 10 to 20. */
  readonly ln: number;
  /** Block size, 1 to 32. Memory is 128·2^ln·r bytes. */
  readonly r: number;
  /** Parallelization, 1 to 16. Time grows with 2^ln·r·p, and 128 times that must not be over 1 GiB. */
  readonly p: number;
}

/** What a digest is computed from, besides the password. */
export interface ScryptParameters {
  /** How much work it is. */
  readonly cost: ScryptCost;
  /** Random bytes. */
  readonly salt: Uint8Array;
  /** Bytes of the digest. */
  readonly length: number;
}

/** A password hash, parsed. */
export interface PasswordHash extends ScryptParameters {
  /** The PHC string. */
  readonly text: string;
  /** What the right password gives. */
  readonly digest: Uint8Array;
}

/** The cost of new hashes: 128 MiB and about half a second, as OWASP's password storage guide has it. */
export const DEFAULT_SCRYPT_COST: ScryptCost = { ln: 17, r: 8, p: 1 };

const PHC_STRING =
  /^\$scrypt\$ln=([1-9]\d{0,3}),r=([1-9]\d{0,3}),p=([1-9]\d{0,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** Bytes of memory times parallelization that one computation may take. */
const MAX_WORK_BYTES = 2 ** 30;

/**
 * Hashes a password with a random salt of 16 bytes into a digest of 32 bytes.
 *
 * @param options.ln Binary logarithm of the cost N, 10 to 20. Default 17.
 * @param options.r Block size, 1 to 32. Default 8.
 * @param options.p Parallelization, 1 to 16. Default 1.
 * @returns The PHC string, for a configuration or a user table.
 * @throws {TypeError} When the password is empty.
 * @throws {RangeError} When the cost is out of range.
 *
 * @example
 * ```ts
 * import { hashPassword } from "@ftpsd/ftpsd";
 *
 * console.log(await hashPassword("correct horse battery staple")); // $scrypt$ln=17,r=8,p=1$…$…
 * ```
 */
export async function hashPassword(password: string, options: Partial<ScryptCost> = {}): Promise<string> {
  const cost = { ...DEFAULT_SCRYPT_COST, ...options };
  const problem = findCostProblem(cost);
  if (problem !== undefined) throw new RangeError(`Cannot hash the password: ${problem}`);
  if (password === "") throw new TypeError("Cannot hash the password: it is empty");
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const digest = await deriveDigest(password, { cost, salt, length: 32 });
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${encodeBase64(salt)}$${encodeBase64(digest)}`;
}

/**
 * Returns whether a stored password is meant as a hash, of whatever scheme (`$scheme$…`), rather than as clear text. So a
 * clear-text password cannot begin like that; nor does a hash of an unknown scheme ever pass for a clear-text password.
 */
export function isPasswordHash(text: string): boolean {
  return /^\$[A-Za-z0-9-]+\$/.test(text);
}

/**
 * Reads a PHC string. Its own text never occurs in an error message.
 *
 * @throws {SyntaxError} When it has not the form of a scrypt hash, or its cost is out of range: salt 8 to 64 bytes, digest
 * 16 to 64 bytes, cost as in {@linkcode ScryptCost}.
 */
export function parsePasswordHash(text: string): PasswordHash {
  const [, ln, r, p, salt, digest] = PHC_STRING.exec(text) ?? [];
  if (salt === undefined || digest === undefined) {
    throw new SyntaxError('Cannot read the password hash: it is not of the form "$scrypt$ln=17,r=8,p=1$salt$digest"');
  }
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const problem = findCostProblem(cost);
  if (problem !== undefined) throw new SyntaxError(`Cannot read the password hash: ${problem}`);
  const expected = decodeBase64(digest);
  return { text, cost, salt: decodeBase64(salt), digest: expected, length: expected.length };
}

/**
 * Computes a scrypt digest on a thread of the runtime's pool, without holding up the event loop. It cannot be interrupted
 * and takes 128·2^ln·r bytes of memory meanwhile, so bound how many run at once.
 */
export function deriveDigest(password: string, parameters: ScryptParameters): Promise<Uint8Array> {
  const { cost: { ln, r, p }, salt, length } = parameters;
  const N = 2 ** ln;
  // The tables of RFC 7914 §5 and §6, and some for what the implementation keeps beside them.
  const maxmem = 128 * r * (N + p) + 2 ** 20;
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { N, r, p, maxmem }, (error, digest) => {
      if (error) reject(error);
      else resolve(digest);
    });
  });
}

/** Computes the HMAC-SHA-256 (RFC 2104) of a list of strings; different lists have different digests. */
export function computeKeyedDigest(key: Uint8Array, parts: readonly string[]): Uint8Array {
  return createHmac("sha256", key).update(JSON.stringify(parts)).digest();
}

/** Compares digests in a time that depends on their lengths only. */
export function equalDigests(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function findCostProblem({ ln, r, p }: ScryptCost): string | undefined {
  if (!isWithinRange(ln, 10, 20)) return `ln is ${ln}, not a whole number from 10 to 20`;
  if (!isWithinRange(r, 1, 32)) return `r is ${r}, not a whole number from 1 to 32`;
  if (!isWithinRange(p, 1, 16)) return `p is ${p}, not a whole number from 1 to 16`;
  if (128 * 2 ** ln * r * p > MAX_WORK_BYTES) return `ln=${ln},r=${r},p=${p} is over 128·2^ln·r·p = 1 GiB`;
  return undefined;
}

function isWithinRange(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}

/**
 * Decodes the base64 of PHC strings, without padding.
 *
 * @throws {SyntaxError} When it is not canonical.
 */
export function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="), { lastChunkHandling: "strict" });
  } catch {
    // The runtime's own error may quote the text.
    throw new SyntaxError("Cannot read the password hash: its salt or digest is not base64 without padding");
  }
}
