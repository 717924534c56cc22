/**
 * Computing and comparing digests of passwords: of scrypt (RFC 7914) by the runtime, of argon2id (RFC 9106) and bcrypt by
 * `hash-wasm`. The password is taken as UTF-8, as it is.
 *
 * WebAssembly computes on the thread that calls it, for 0.1 to 2 seconds, so each of those digests is computed by a worker
 * of its own. The worker is made of a `data:` URL, which takes no permission where a module of a file would take that of
 * reading it. It ends with its task, and so gives back the memory, up to 256 MiB; starting one takes some 50 ms, most of
 * them beside the event loop. Where a worker cannot import the library, as a program made by `deno compile` may have it, the digest is
 * computed on the event loop, and holds up all sessions meanwhile.
 *
 * @module
 */

import type { BcryptOptions, IArgon2Options } from "hash-wasm";
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

/** What an argon2id digest costs (RFC 9106 §3.1). */
export interface Argon2Cost {
  /** Its name. */
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
  /** Its name. */
  readonly scheme: "bcrypt";
  /** Binary logarithm of the number of rounds, 4 to 14. */
  readonly rounds: number;
}

/** What computing a digest costs, whatever its scheme. */
export type HashCost = (ScryptCost & { readonly scheme: "scrypt" }) | Argon2Cost | BcryptCost;

/** The library as a worker imports it; the same as in the import map. */
export const LIBRARY = "npm:hash-wasm@4.12.0";

/** A digest to compute, as the library wants to have it. */
export type DigestTask =
  | { readonly name: "argon2id"; readonly options: IArgon2Options & { readonly outputType: "binary" } }
  | { readonly name: "bcrypt"; readonly options: BcryptOptions & { readonly outputType: "binary" } };

/** What a worker answers; nothing when it could not import the library. */
interface Answer {
  readonly digest?: Uint8Array;
  readonly failure?: string;
}

/** Bytes of a password that bcrypt takes; all implementations ignore or refuse the rest. */
const BCRYPT_PASSWORD_BYTES = 72;
/** The last of 24 bytes is not part of a bcrypt hash. */
const BCRYPT_DIGEST_BYTES = 23;

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

/**
 * Computes a digest of argon2id or bcrypt without holding up the event loop. It cannot be interrupted, so bound how many
 * run at once.
 *
 * @param salt 16 bytes for bcrypt, 8 or more for argon2id.
 */
export async function deriveImportedDigest(
  password: string,
  cost: Argon2Cost | BcryptCost,
  salt: Uint8Array,
): Promise<Uint8Array> {
  const task = makeTask(password, cost, salt);
  const digest = await deriveInWorker(task) ?? await deriveHere(task);
  return cost.scheme === "bcrypt" ? digest.subarray(0, BCRYPT_DIGEST_BYTES) : digest;
}

/** Makes a task of a password and the parameters of a hash. */
export function makeTask(password: string, cost: Argon2Cost | BcryptCost, salt: Uint8Array): DigestTask {
  // The library refuses an empty password; that none fits is for the caller to see to.
  const bytes = new TextEncoder().encode(password === "" ? "\0" : password);
  if (cost.scheme === "bcrypt") {
    const start = bytes.subarray(0, BCRYPT_PASSWORD_BYTES);
    return { name: "bcrypt", options: { password: start, salt, costFactor: cost.rounds, outputType: "binary" } };
  }
  const { m, t, p, length } = cost;
  const sizes = { memorySize: m, iterations: t, parallelism: p, hashLength: length };
  return { name: "argon2id", options: { password: bytes, salt, ...sizes, outputType: "binary" } };
}

/**
 * Computes a digest in a worker.
 *
 * @returns The digest, or `undefined` when the worker could not import the library.
 * @throws {Error} When the library fails.
 */
export async function deriveInWorker(task: DigestTask, library: string = LIBRARY): Promise<Uint8Array | undefined> {
  const url = `data:application/javascript,${encodeURIComponent(workerSource(library))}`;
  const worker = new Worker(url, { type: "module" });
  try {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      resolve({});
    };
    worker.postMessage(task);
    const { digest, failure } = await promise;
    if (failure !== undefined) throw new Error(`Cannot compute the digest of a password: ${failure}`);
    return digest;
  } finally {
    worker.terminate();
  }
}

/** Computes a digest on the event loop, which is blocked meanwhile. */
export async function deriveHere({ name, options }: DigestTask): Promise<Uint8Array> {
  const { argon2id, bcrypt } = await import("hash-wasm");
  return name === "argon2id" ? await argon2id(options) : await bcrypt(options);
}

function workerSource(library: string): string {
  return `self.onmessage = async ({ data: { name, options } }) => {
    const library = await import(${JSON.stringify(library)}).catch(() => undefined);
    if (library === undefined) return self.postMessage({});
    try {
      self.postMessage({ digest: await library[name](options) });
    } catch (error) {
      self.postMessage({ failure: String(error) });
    }
  };`;
}
