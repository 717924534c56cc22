/**
 * How large the parts of an upload are: pure arithmetic.
 *
 * How long an upload will be is not known before its end, and it has at most 10,000 parts. So parts grow with what has been
 * uploaded, as far as the memory for a part allows.
 *
 * @module
 */

/** Most parts of an upload (S3). */
export const MAX_PARTS = 10_000;
/** Least bytes of any part but the last (S3). */
export const MIN_PART_BYTES = 5 * 2 ** 20;
/** Most bytes of a part, and of an object that is copied in one request (S3). */
export const MAX_PART_BYTES = 5 * 2 ** 30;
/** Most bytes of an object (S3). */
export const MAX_OBJECT_BYTES = 5 * 2 ** 40;
/** Most bytes that one request copies while there are few: a request that takes seconds, not minutes. */
const COPY_BYTES = 256 * 2 ** 20;
/** Most parts for what is copied of an old object, so that enough are left for what is added. */
const MAX_COPIED_PARTS = 2000;
/** A part is at least this share of what is before it, which is 5 TiB in 10,000 parts when the first ones have 8 MiB. */
const GROWTH = 1250;

/** Bounds of the parts of an upload. */
export interface PartBounds {
  /** Bytes of the first part. */
  readonly partSize: number;
  /** Most bytes of a part that there is memory for. */
  readonly maxPartSize: number;
}

/** Where an upload has got to. */
export interface PartPosition {
  /** Number of the next part, from 1 on. */
  readonly number: number;
  /** Bytes of all parts before it. */
  readonly before: number;
}

/** Bytes of the next part: no more than a share of what is before it, nor than what takes the rest of the largest object. */
export function nextPartSize({ number, before }: PartPosition, { partSize, maxPartSize }: PartBounds): number {
  const share = Math.ceil(before / GROWTH / partSize) * partSize;
  const needed = Math.ceil((MAX_OBJECT_BYTES - before) / Math.max(1, MAX_PARTS - number + 1));
  return Math.min(Math.max(partSize, Math.min(share, needed)), Math.max(partSize, maxPartSize), MAX_PART_BYTES);
}

/** Bytes of the largest object that can be uploaded behind what is there. */
export function maxObjectBytes({ number, before }: PartPosition, bounds: PartBounds): number {
  let end = before;
  for (let next = number; next <= MAX_PARTS && end < MAX_OBJECT_BYTES; next++) {
    end += nextPartSize({ number: next, before: end }, bounds);
  }
  return Math.min(end, MAX_OBJECT_BYTES);
}

/** A range of bytes; `to` is not included. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Splits a range of an old object into parts to copy, of nearly the same size: none is smaller than `minBytes`, unless the range is.
 */
export function copyRanges({ from, to }: ByteRange, minBytes: number): ByteRange[] {
  const bytes = to - from;
  if (bytes <= 0) return [];
  const largest = Math.max(COPY_BYTES, Math.ceil(bytes / MAX_COPIED_PARTS));
  const count = Math.max(1, Math.min(Math.ceil(bytes / largest), Math.floor(bytes / minBytes)));
  const at = (index: number) => from + Math.floor(bytes / count) * index + Math.min(index, bytes % count);
  return Array.from({ length: count }, (_, index) => ({ from: at(index), to: at(index + 1) }));
}
