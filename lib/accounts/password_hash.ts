/**
 * The password hashes that users may have: our own of scrypt (RFC 7914) in PHC string form,
 * `$scrypt$ln=17,r=8,p=1$<salt>$<digest>`, and those brought from other systems, of argon2id (RFC 9106) in that form,
 * `$argon2id$v=19$m=65536,t=3,p=4$<salt>$<digest>`, and of bcrypt, `$2b$12$<salt and digest>`.
 *
 * Salt and digest of a PHC string are in base64 (RFC 4648 §4) without padding.
 *
 * @module
 */

import {
  type Argon2Cost,
  computeKeyedDigest,
  deriveDigest,
  equalDigests,
  type HashCost,
  type ScryptCost,
} from "./password_digest.ts";

/** A password hash, parsed. */
export interface PasswordHash {
  /** The hash as it was given. */
  readonly text: string;
  /** How much work it is to check. */
  readonly cost: HashCost;
  /** Random bytes. */
  readonly salt: Uint8Array;
  /** What the right password gives. */
  readonly digest: Uint8Array;
}

/** The cost of new hashes: 128 MiB and about half a second, as OWASP's password storage guide has it. */
export const DEFAULT_SCRYPT_COST: ScryptCost = { ln: 17, r: 8, p: 1 };

const SCRYPT_FORM =
  /^\$scrypt\$ln=([1-9]\d{0,3}),r=([1-9]\d{0,3}),p=([1-9]\d{0,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** Bytes of memory times parallelization that one computation may take. */
const MAX_SCRYPT_BYTES = 2 ** 30;

const ARGON2_FORM =
  /^\$argon2id\$(?:v=(\d{1,3})\$)?m=([1-9]\d{0,8}),t=([1-9]\d{0,8}),p=([1-9]\d{0,8})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
const BCRYPT_FORM = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;

const BASE64_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const MAX_ARGON2_KIB = 2 ** 18;
/** Memory times passes of argon2id. */
const MAX_ARGON2_WORK_KIB = 2 ** 20;
const MAX_ARGON2_LANES = 64;

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
 * import { hashPassword, StoredPassword } from "@ftpsd/ftpsd";
 *
 * console.log(await hashPassword("correct horse battery staple")); // $scrypt$ln=17,r=8,p=1$…$…
 * ```
 */
export async function hashPassword(password: string, options: Partial<ScryptCost> = {}): Promise<string> {
  const cost = { ...DEFAULT_SCRYPT_COST, ...options };
  const problem = findScryptProblem(cost);
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
 * Reads a hash of scrypt, argon2id or bcrypt. Its own text never occurs in an error message.
 *
 * @throws {SyntaxError} When it is of another scheme or variant, has not the right form, or its cost is out of range.
 */
export function parsePasswordHash(text: string): PasswordHash {
  if (text.startsWith("$scrypt$")) return parseScrypt(text);
  if (text.startsWith("$argon2")) return parseArgon2(text);
  if (/^\$2[a-z]?\$/.test(text)) return parseBcrypt(text);
  throw unreadable("its scheme is not scrypt, argon2id or bcrypt");
}

/**
 * What is kept of a user's password: a hash as it is, and of clear text only a digest under a random key. Making one when
 * users are read, not when they log in, finds unsound hashes early.
 *
 * @example
 * ```ts
 * import { StoredPassword } from "@ftpsd/ftpsd";
 *
 * const stored = new StoredPassword("correct horse");
 * console.assert(!Deno.inspect(stored, { depth: 9, showHidden: true }).includes("horse"));
 * ```
 */
export class StoredPassword {
  /** The hash; `undefined` for clear text. */
  readonly hash: PasswordHash | undefined;
  readonly #key: Uint8Array = crypto.getRandomValues(new Uint8Array(32));
  readonly #digest: Uint8Array;

  /**
   * Keeps a hash of scrypt, as `hashPassword()` makes it, argon2id or bcrypt, or a password in clear text, which cannot
   * begin like a hash (`$scheme$`).
   *
   * @throws {TypeError} When it is empty.
   * @throws {SyntaxError} When it is meant as a hash and is not a sound one.
   */
  constructor(password: string) {
    if (password === "") throw new TypeError("Cannot keep the password: it is empty");
    this.hash = isPasswordHash(password) ? parsePasswordHash(password) : undefined;
    this.#digest = this.#computeDigest(password);
  }

  /** Returns whether a password is that in clear text which is kept; never where a hash is. */
  fitsClearText(password: string): boolean {
    return equalDigests(this.#computeDigest(password), this.#digest) && this.hash === undefined;
  }

  #computeDigest(password: string): Uint8Array {
    return computeKeyedDigest(this.#key, [password]);
  }
}

/**
 * Returns why a password should be hashed anew: its hash costs those who guess less than one made today.
 *
 * @returns The reason, or `undefined` when the hash is as good as new.
 * @throws {SyntaxError} As {@linkcode parsePasswordHash}.
 */
export function findRehashReason(text: string): string | undefined {
  const { cost } = parsePasswordHash(text);
  if (cost.scheme === "scrypt") return findScryptReason(cost);
  if (cost.scheme === "argon2id") return findArgon2Reason(cost);
  return cost.rounds < MIN_BCRYPT_ROUNDS
    ? `bcrypt with cost ${cost.rounds} is less than ${MIN_BCRYPT_ROUNDS}`
    : undefined;
}

function parseScrypt(text: string): PasswordHash {
  const [, ln, r, p, salt, digest] = SCRYPT_FORM.exec(text) ?? [];
  if (salt === undefined || digest === undefined) {
    throw unreadable('it is not of the form "$scrypt$ln=17,r=8,p=1$salt$digest"');
  }
  const cost = { scheme: "scrypt", ln: Number(ln), r: Number(r), p: Number(p) } as const;
  const problem = findScryptProblem(cost);
  if (problem !== undefined) throw unreadable(problem);
  return { text, cost, salt: decodeBase64(salt), digest: decodeBase64(digest) };
}

function findScryptProblem({ ln, r, p }: ScryptCost): string | undefined {
  if (!isWithinRange(ln, 10, 20)) return `ln is ${ln}, not a whole number from 10 to 20`;
  if (!isWithinRange(r, 1, 32)) return `r is ${r}, not a whole number from 1 to 32`;
  if (!isWithinRange(p, 1, 16)) return `p is ${p}, not a whole number from 1 to 16`;
  if (128 * 2 ** ln * r * p > MAX_SCRYPT_BYTES) return `ln=${ln},r=${r},p=${p} is over 128·2^ln·r·p = 1 GiB`;
  return undefined;
}

function isWithinRange(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function parseArgon2(text: string): PasswordHash {
  const [, variant] = /^\$argon2(i|d)\$/.exec(text) ?? [];
  if (variant !== undefined) throw unreadable(`argon2${variant} is not accepted, only argon2id`);
  const [, version = "16", m, t, p, salt, digest] = ARGON2_FORM.exec(text) ?? [];
  if (salt === undefined || digest === undefined) {
    throw unreadable('it is not of the form "$argon2id$v=19$m=65536,t=3,p=4$salt$digest"');
  }
  if (version !== "19") throw unreadable(`its version is ${version}, not 19`);
  const expected = decodeBase64(digest);
  const cost = { scheme: "argon2id", m: Number(m), t: Number(t), p: Number(p), length: expected.length } as const;
  const problem = findArgon2Problem(cost);
  if (problem !== undefined) throw unreadable(problem);
  return { text, cost, salt: decodeBase64(salt), digest: expected };
}

function findArgon2Problem({ m, t, p }: Argon2Cost): string | undefined {
  if (p > MAX_ARGON2_LANES) return `p is ${p}, not from 1 to ${MAX_ARGON2_LANES}`;
  if (m < 8 * p) return `m is ${m}, less than 8·p = ${8 * p}`;
  if (m > MAX_ARGON2_KIB) return `m is ${m}, over ${MAX_ARGON2_KIB} KiB (256 MiB)`;
  if (m * t > MAX_ARGON2_WORK_KIB) return `m=${m},t=${t} is over m·t = ${MAX_ARGON2_WORK_KIB} KiB (1 GiB)`;
  return undefined;
}

function parseBcrypt(text: string): PasswordHash {
  if (text.startsWith("$2x$")) throw unreadable('"$2x$" marks a faulty bcrypt; hash the password again');
  const [, rounds, salt, digest] = BCRYPT_FORM.exec(text) ?? [];
  if (salt === undefined || digest === undefined) {
    throw unreadable('it is not of the form "$2b$12$" and 53 characters of salt and digest');
  }
  const cost = { scheme: "bcrypt", rounds: Number(rounds) } as const;
  if (cost.rounds < 4 || cost.rounds > 14) throw unreadable(`its cost is ${cost.rounds}, not from 4 to 14`);
  return { text, cost, salt: decodeBcryptBase64(salt), digest: decodeBcryptBase64(digest) };
}

/** Decodes bcrypt's own base64. Bits left over are ignored: implementations set them in different ways. */
function decodeBcryptBase64(text: string): Uint8Array {
  const translated = text.replace(/./g, (letter) => BASE64_ALPHABET.charAt(BCRYPT_ALPHABET.indexOf(letter)));
  return Uint8Array.fromBase64(translated, { lastChunkHandling: "loose" });
}

function unreadable(problem: string): SyntaxError {
  return new SyntaxError(`Cannot read the password hash: ${problem}`);
}

function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64({ omitPadding: true });
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="), { lastChunkHandling: "strict" });
  } catch {
    // The runtime's own error may quote the text.
    throw unreadable("its salt or digest is not base64 without padding");
  }
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
