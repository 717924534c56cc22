/**
 * Memory of received bytes that nobody needs any more.
 *
 * @module
 */

/** Less is left to the garbage collector. */
const LEAST_BYTES = 4096;

/**
 * Gives the memory of bytes back at once; the array is empty then. Left to the garbage collector, which sees only small
 * objects, the pieces of uploads became gigabytes before it looked.
 *
 * @param bytes All of its buffer, and nobody else's.
 */
export function discard(bytes: Uint8Array): void {
  const { buffer } = bytes;
  const isWhole = bytes.byteLength === buffer.byteLength;
  if (bytes.length >= LEAST_BYTES && isWhole && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
