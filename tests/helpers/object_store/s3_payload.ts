/**
 * Bodies of requests to the stand-in for S3: read, hashed, compared with what the headers promise, and kept or only counted.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { Crc32c } from "./crc32c.ts";
import { S3Error } from "./s3_error.ts";
import { decodeChunks } from "./s3_chunks.ts";

/** Bytes of an object or a part. */
export interface StoredBytes {
  readonly size: number;
  /** Absent: only counted; what is read of them is zeros. */
  readonly pieces?: readonly Uint8Array[];
}

/** A body that has come. */
export interface Payload extends StoredBytes {
  readonly md5: Uint8Array<ArrayBuffer>;
  /** Base64, where a request has sent one. */
  readonly crc32c?: string;
}

/** Bytes in one request at most: of a part, and of an object in one piece. */
export const MAX_REQUEST_BYTES = 5 * 2 ** 30;

/** How a body is read. */
export interface ReadPayloadOptions {
  readonly discard: boolean;
  /** Called for each piece of the body. */
  readonly onBytes?: (count: number) => void;
}

/**
 * Reads a body to its end.
 *
 * @throws {S3Error} When it is not what its headers say.
 */
export async function readPayload(
  body: ReadableStream<Uint8Array> | null,
  headers: Headers,
  { discard, onBytes }: ReadPayloadOptions,
): Promise<Payload> {
  const declared = headers.get("x-amz-content-sha256") ?? "";
  const isChunked = declared.startsWith("STREAMING-");
  const md5 = createHash("md5");
  const sha256 = /^[0-9a-f]{64}$/.test(declared) ? createHash("sha256") : undefined;
  const crc32c = headers.has("x-amz-checksum-crc32c") ? new Crc32c() : undefined;
  const pieces: Uint8Array[] = [];
  let size = 0;
  const source = body ?? new Blob([]).stream();
  for await (const piece of isChunked ? decodeChunks(source) : source) {
    md5.update(piece);
    sha256?.update(piece);
    crc32c?.update(piece);
    size += piece.length;
    onBytes?.(piece.length);
    if (!discard) pieces.push(piece.slice());
  }
  const length = headers.get(isChunked ? "x-amz-decoded-content-length" : "content-length");
  if (length === null && size > 0) {
    throw new S3Error("MissingContentLength", "You must provide the Content-Length");
  }
  if (length !== null && Number(length) !== size) throw new S3Error("IncompleteBody", "The body is too short");
  if (size > MAX_REQUEST_BYTES) {
    throw new S3Error("EntityTooLarge", "The proposed upload exceeds the maximum allowed size");
  }
  if (sha256 !== undefined && sha256.digest("hex") !== declared) {
    throw new S3Error(
      "XAmzContentSHA256Mismatch",
      "The provided x-amz-content-sha256 does not match what was computed",
    );
  }
  const digest = new Uint8Array(md5.digest());
  compare(headers.get("content-md5"), Buffer.from(digest).toString("base64"));
  const checksum = crc32c?.base64();
  compare(headers.get("x-amz-checksum-crc32c"), checksum);
  return { size, md5: digest, ...!discard && { pieces }, ...checksum !== undefined && { crc32c: checksum } };
}

/** Reads what a client is still sending, so that it comes to read the answer. */
export async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (body === null || body.locked) return;
  try {
    await body.pipeTo(new WritableStream());
  } catch {
    // The client has gone.
  }
}

/** A range of some bytes, without copying them; `to` is not included. */
export function sliceBytes({ size, pieces }: StoredBytes, from: number, to: number): StoredBytes {
  const end = Math.min(to, size);
  if (pieces === undefined) return { size: end - from };
  const sliced: Uint8Array[] = [];
  let at = 0;
  for (const piece of pieces) {
    if (at + piece.length > from && at < end) sliced.push(piece.subarray(Math.max(0, from - at), end - at));
    at += piece.length;
  }
  return { size: end - from, pieces: sliced };
}

/** All bytes in a row. */
export function joinBytes({ size, pieces }: StoredBytes): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces ?? []) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Streams bytes; zeros where only their number is known. */
export function streamBytes({ size, pieces }: StoredBytes): ReadableStream<Uint8Array> {
  const zeros = new Uint8Array(64 * 1024);
  const queue = [...pieces ?? []];
  let left = size;
  return new ReadableStream({
    pull(controller) {
      const next = pieces === undefined ? zeros.subarray(0, Math.min(zeros.length, left)) : queue.shift();
      if (left === 0 || next === undefined) return controller.close();
      left -= next.length;
      controller.enqueue(next.slice());
    },
  }, { highWaterMark: 0 });
}

function compare(promised: string | null, computed: string | undefined): void {
  if (promised === null || promised === computed) return;
  throw new S3Error(
    "BadDigest",
    "The Content-MD5 or checksum value that you specified did not match what the server received",
  );
}
