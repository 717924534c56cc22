/**
 * Operations of the stand-in for S3 on single objects.
 *
 * @module
 */

import { S3Error } from "./s3_error.ts";
import { matches, plainEtag, type StoredObject } from "./s3_bucket.ts";
import { conditionOf, metadataOf, type S3Call, xmlResponse } from "./s3_handler.ts";
import { MAX_REQUEST_BYTES, sliceBytes, streamBytes } from "./s3_payload.ts";
import { decode } from "./s3_request.ts";
import { element } from "./s3_xml.ts";

const DEFAULT_TYPE = "binary/octet-stream";

/** PutObject. */
export function putObject({ request, bucket, payload, now, limits }: S3Call): Response {
  bucket.check(request.key, conditionOf(request, limits.conditions.put, limits.takesQuotes));
  const etag = plainEtag(payload.md5);
  const { md5: _, ...bytes } = payload;
  bucket.put("PutObject", request.key, {
    ...bytes,
    etag,
    modified: now,
    metadata: metadataOf(request),
    contentType: request.headers.get("content-type") ?? DEFAULT_TYPE,
  });
  return new Response(null, { headers: { etag, ...checksum(payload.crc32c) } });
}

/** GetObject and HeadObject. */
export function getObject({ request, bucket }: S3Call): Response {
  const object = readable(request.headers, bucket.object(request.key));
  const { from, to, isPartial } = rangeOf(request.headers.get("range"), object.size);
  const headers = new Headers({
    "accept-ranges": "bytes",
    "content-length": String(to - from),
    "content-type": object.contentType,
    etag: object.etag,
    "last-modified": object.modified.toUTCString(),
    ...Object.fromEntries(Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    ...isPartial && { "content-range": `bytes ${from}-${to - 1}/${object.size}` },
    ...request.headers.get("x-amz-checksum-mode") === "ENABLED" && checksum(object.crc32c),
  });
  const body = request.method === "HEAD" ? null : streamBytes(sliceBytes(object, from, to));
  return new Response(body, { status: isPartial ? 206 : 200, headers });
}

/** DeleteObject. */
export function deleteObject({ request, bucket, limits }: S3Call): Response {
  bucket.check(request.key, conditionOf(request, limits.conditions.delete));
  bucket.delete("DeleteObject", request.key);
  return new Response(null, { status: 204 });
}

/** CopyObject. */
export function copyObject(call: S3Call): Response {
  const { request, bucket, now, limits } = call;
  const source = copySource(call);
  if (source.size > MAX_REQUEST_BYTES) {
    throw new S3Error(
      "InvalidRequest",
      "The specified copy source is larger than the maximum allowable size: 5368709120",
    );
  }
  bucket.check(request.key, conditionOf(request, limits.conditions.copy));
  const isReplaced = request.headers.get("x-amz-metadata-directive") === "REPLACE";
  if (!isReplaced && call.bucket.objects.get(request.key) === source) {
    throw new S3Error(
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself",
    );
  }
  const copy: StoredObject = {
    ...source,
    modified: now,
    ...isReplaced && {
      metadata: metadataOf(request),
      contentType: request.headers.get("content-type") ?? DEFAULT_TYPE,
    },
  };
  bucket.put("CopyObject", request.key, copy);
  return xmlResponse("CopyObjectResult", element("ETag", copy.etag) + element("LastModified", now.toISOString()));
}

/** The object that is copied from, after its conditions; throws `NoSuchKey` and `PreconditionFailed`. */
export function copySource({ request, findBucket }: S3Call): StoredObject {
  const [, bucket = "", key = ""] = /^\/?([^/]+)\/(.+)$/s.exec(
    decode((request.headers.get("x-amz-copy-source") ?? "").replace(/\?versionId=.*$/, "")),
  ) ?? [];
  const source = findBucket(bucket).object(key);
  const wanted = request.headers.get("x-amz-copy-source-if-match");
  if (wanted !== null && !matches(source, wanted)) throw preconditionFailed();
  return source;
}

function readable(headers: Headers, object: StoredObject): StoredObject {
  const wanted = headers.get("if-match");
  if (wanted !== null && !matches(object, wanted)) throw preconditionFailed();
  return object;
}

function preconditionFailed(): S3Error {
  return new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
}

function rangeOf(range: string | null, size: number): { from: number; to: number; isPartial: boolean } {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? "") ?? [];
  if (first === undefined || last === undefined || first + last === "") return { from: 0, to: size, isPartial: false };
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (from >= size || to <= from) throw new S3Error("InvalidRange", "The requested range is not satisfiable");
  return { from, to, isPartial: true };
}

function checksum(crc32c: string | undefined): Record<string, string> {
  return crc32c === undefined ? {} : { "x-amz-checksum-crc32c": crc32c };
}
