/**
 * What makes an object of its parts, and how to know it afterwards.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { CompleteOptions, ObjectInfo, UploadedPart } from "./object_store.ts";

/** The body of CompleteMultipartUpload. */
export function writeParts(parts: readonly UploadedPart[]): string {
  const lines = parts.map(({ number, etag }) => {
    return `<Part><PartNumber>${number}</PartNumber><ETag>${escapeText(etag)}</ETag></Part>`;
  });
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
    lines.join("")
  }</CompleteMultipartUpload>`;
}

/**
 * Returns whether an object is known to be made of these parts. The mark alone does not say so: another writer may have gone on
 * with the same upload, and have completed it with other parts.
 */
export function isObjectOf(info: ObjectInfo, parts: readonly UploadedPart[], options: CompleteOptions): boolean {
  if (info.size !== parts.reduce((sum, { size }) => sum + size, 0)) return false;
  const mark = Object.entries(options.begunWith ?? {});
  if (mark.length > 0) return mark.every(([name, value]) => info.metadata[name.toLowerCase()] === value);
  return info.etag === etagOfParts(parts);
}

/** Escapes text for an element. Characters that XML does not have are not there: see `isWritable()`. */
export function escapeText(text: string): string {
  return text.replaceAll(/[&<>"\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The ETag that an object of these parts has where ETags are MD5s; `undefined` where they are not. */
export function etagOfParts(parts: readonly UploadedPart[]): string | undefined {
  const hash = createHash("md5");
  for (const { etag } of parts) {
    const hex = /^"([0-9a-f]{32})"$/.exec(etag)?.[1];
    if (hex === undefined) return undefined;
    hash.update(Buffer.from(hex, "hex"));
  }
  return `"${hash.digest("hex")}-${parts.length}"`;
}
