/**
 * The coding `aws-chunked` that SDKs send bodies in: lengths in hexadecimal digits, trailers at the end. Signatures of chunks
 * and trailers are not checked.
 *
 * @module
 */

import { S3Error } from "./s3_error.ts";

const MAX_LINE_BYTES = 4096;
const LINE_FEED = 0x0a;

/** Yields the bytes without what is around them. */
export async function* decodeChunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let line = "";
  let left = 0;
  let isTrailer = false;
  for await (let rest of body) {
    while (rest.length > 0) {
      if (left > 0) {
        const piece = rest.subarray(0, left);
        left -= piece.length;
        rest = rest.subarray(piece.length);
        yield piece;
        continue;
      }
      const end = rest.indexOf(LINE_FEED);
      line += new TextDecoder().decode(rest.subarray(0, end < 0 ? rest.length : end));
      if (line.length > MAX_LINE_BYTES) throw new S3Error("InvalidRequest", "A line of the chunked body is too long");
      rest = end < 0 ? rest.subarray(rest.length) : rest.subarray(end + 1);
      if (end < 0) continue;
      const length: number | undefined = isTrailer || line.trim() === "" ? undefined : parseInt(line, 16);
      line = "";
      if (length === undefined) continue; // The end of a chunk, or a trailer.
      if (Number.isNaN(length)) throw new S3Error("InvalidRequest", "A chunk has no length");
      left = length;
      isTrailer = length === 0;
    }
  }
  if (!isTrailer) throw new S3Error("IncompleteBody", "The chunked body has no end");
}
