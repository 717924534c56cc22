/**
 * CRC-32C (RFC 3720 appendix B.4), as checksums of S3 have it.
 *
 * @module
 */

import { Buffer } from "node:buffer";

const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** A checksum of bytes that come in pieces. */
export class Crc32c {
  #state = 0xffffffff;

  /** Adds bytes. */
  update(bytes: Uint8Array): void {
    let state = this.#state;
    for (const byte of bytes) state = (state >>> 8) ^ (TABLE[(state ^ byte) & 0xff] as number);
    this.#state = state;
  }

  /** The checksum of all bytes until now, in big-endian bytes and Base64. */
  base64(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE((this.#state ^ 0xffffffff) >>> 0);
    return bytes.toString("base64");
  }
}
