/**
 * Digests of files: what HASH and its forerunners need of the runtime.
 *
 * @module
 */

/** Names of the algorithms as HASH uses them (IANA, "FTP Hash Algorithm Names"), the default first. */
export const HASH_ALGORITHMS = ["SHA-256", "SHA-512", "SHA-1", "MD5", "CRC32"] as const;

/** Name of an algorithm. */
export type HashAlgorithm = typeof HASH_ALGORITHMS[number];

/** Takes bytes and returns their digest. */
export interface Digest {
  /** Takes the next bytes; the caller may reuse the array afterwards. */
  update(bytes: Uint8Array): void;
  /** The digest of all bytes as lower-case hexadecimal digits. Call it once, at the end. */
  hex(): string;
}
