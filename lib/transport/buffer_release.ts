/**
 * Memory of bytes that nobody needs any more.
 *
 * @module
 */

/** Less is left to the garbage collector. */
const MIN_BYTES = 4096;

/**
 * Frees the memory of bytes at once; the array is empty then. Left to the garbage collector, which sees only small
 * objects, the pieces of uploads became gigabytes before it looked.
 *
 * @param bytes All of its buffer, and nobody else's.
 */
export function releaseBuffer(bytes: Uint8Array): void {
  const { buffer } = bytes;
  const isWhole = bytes.byteLength === buffer.byteLength;
  if (bytes.length >= MIN_BYTES && isWhole && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

const KEPT_BYTES = 16 * 1024 * 1024;

/**
 * Lets the C library keep some memory that the process has freed, rather than get the pages from the system again for
 * each piece of a download.
 *
 * glibc learns from what is freed: that much it no longer maps by itself, and twice that much stays, per thread. See
 * `M_MMAP_THRESHOLD` in mallopt(3). Nothing is held; other libraries take no notice.
 */
export function keepFreedMemory(): void {
  new ArrayBuffer(KEPT_BYTES).transfer(0);
}
