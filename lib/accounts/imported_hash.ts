/**
 * Password hashes of other schemes than our own, brought from other systems: argon2id (RFC 9106) in PHC string form,
 * `$argon2id$v=19$m=65536,t=3,p=4$<salt>$<digest>`, and bcrypt, `$2b$12$<salt and digest>`.
 *
 * @module
 */

import { decodeBase64 } from "./password_hash.ts";

/** What an argon2id digest costs (RFC 9106 §3.1). */
export interface Argon2Cost {
  readonly scheme: "argon2id";
  /** Memory in KiB, from 8·p to 256 MiB. */
  readonly m: number;
  /** Passes over the memory; m·t must not be over 1 GiB. */
  readonly t: number;
  /** Lanes, 1 to 64. They are computed one after the other and take no more time. */
  readonly p: number;
  /** Bytes of the digest. */
  readonly length: number;
}

/** What a bcrypt digest costs. */
export interface BcryptCost {
  readonly scheme: "bcrypt";
  /** Binary logarithm of the number of rounds, 4 to 14. */
  readonly rounds: number;
}

/** What computing a digest costs, for each scheme. */
export type ImportedCost = Argon2Cost | BcryptCost;

/** A hash of another scheme, parsed. */
export interface ImportedHash {
  /** The hash as it was given. */
  readonly text: string;
  /** How much work it is to check. */
  readonly cost: ImportedCost;
  readonly salt: Uint8Array;
  /** What the right password gives. */
  readonly digest: Uint8Array;
}

const ARGON2_FORM =
  /^\$argon2id\$(?:v=(\d{1,3})\$)?m=([1-9]\d{0,8}),t=([1-9]\d{0,8}),p=([1-9]\d{0,8})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
const BCRYPT_FORM = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;

const BASE64_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const MAX_MEMORY_KIB = 2 ** 18;
/** Memory times passes. */
const MAX_WORK_KIB = 2 ** 20;
const MAX_LANES = 64;

/** Returns whether a hash is meant as one of argon2 or bcrypt, of whatever variant. */
export function isImportedHash(text: string): boolean {
  return /^\$(?:argon2|2[a-z]?\$)/.test(text);
}

/**
 * Reads a hash of argon2id or bcrypt. Its own text never occurs in an error message.
 *
 * @throws {SyntaxError} When it is of another variant, has not the right form, or its cost is out of range.
 */
export function parseImportedHash(text: string): ImportedHash {
  return text.startsWith("$argon2") ? parseArgon2(text) : parseBcrypt(text);
}

function parseArgon2(text: string): ImportedHash {
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
  if (p > MAX_LANES) return `p is ${p}, not from 1 to ${MAX_LANES}`;
  if (m < 8 * p) return `m is ${m}, less than 8·p = ${8 * p}`;
  if (m > MAX_MEMORY_KIB) return `m is ${m}, over ${MAX_MEMORY_KIB} KiB (256 MiB)`;
  if (m * t > MAX_WORK_KIB) return `m=${m},t=${t} is over m·t = ${MAX_WORK_KIB} KiB (1 GiB)`;
  return undefined;
}

function parseBcrypt(text: string): ImportedHash {
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
