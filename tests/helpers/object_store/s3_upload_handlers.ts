/**
 * Operations of the stand-in for S3 on multipart uploads.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { plainEtag, type StoredPart, type StoredUpload } from "./s3_bucket.ts";
import { S3Error } from "./s3_error.ts";
import { conditionOf, metadataOf, numberOf, type S3Call, xmlResponse } from "./s3_handler.ts";
import { copySource } from "./s3_object_handlers.ts";
import { joinBytes, sliceBytes } from "./s3_payload.ts";
import { encodeStrictly, type S3Request } from "./s3_request.ts";
import { element, readElements, readText } from "./s3_xml.ts";

const MAX_PARTS = 10_000;
const MAX_PAGE = 1000;

/** CreateMultipartUpload. */
export function createUpload({ request, bucketName, bucket, now }: S3Call): Response {
  const { uploadId } = bucket.begin({
    key: request.key,
    begun: now,
    metadata: metadataOf(request),
    contentType: request.headers.get("content-type") ?? "binary/octet-stream",
  });
  const names = element("Bucket", bucketName) + element("Key", request.key);
  return xmlResponse("InitiateMultipartUploadResult", names + element("UploadId", uploadId));
}

/** UploadPart. */
export function uploadPart(call: S3Call): Response {
  const { payload, now } = call;
  const upload = uploadOf(call);
  const number = partNumber(call);
  upload.parts.set(number, { ...payload, number, modified: now });
  const checksum = payload.crc32c === undefined ? {} : { "x-amz-checksum-crc32c": payload.crc32c };
  return new Response(null, { headers: { etag: plainEtag(payload.md5), ...checksum } });
}

/** UploadPartCopy. */
export function uploadPartCopy(call: S3Call): Response {
  const upload = uploadOf(call);
  const number = partNumber(call);
  const source = copySource(call);
  const range = call.request.headers.get("x-amz-copy-source-range");
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? `bytes=0-${source.size - 1}`) ?? [];
  if (first === undefined || Number(last) >= source.size || Number(first) > Number(last)) {
    throw new S3Error("InvalidArgument", `Range specified is not valid for source object of size: ${source.size}`);
  }
  const bytes = sliceBytes(source, Number(first), Number(last) + 1);
  // Of bytes that were only counted, their number and the version are all that tells them from others.
  const md5 = createHash("md5").update(bytes.pieces === undefined ? `${source.etag} ${range}` : joinBytes(bytes));
  const part: StoredPart = { ...bytes, md5: new Uint8Array(md5.digest()), number, modified: call.now };
  upload.parts.set(number, part);
  const etag = element("ETag", plainEtag(part.md5));
  return xmlResponse("CopyPartResult", etag + element("LastModified", call.now.toISOString()));
}

/** CompleteMultipartUpload. */
export function completeUpload(call: S3Call): Response {
  const { request, bucketName, bucket, now, limits } = call;
  const upload = uploadOf(call);
  const parts = listedParts(new TextDecoder().decode(joinBytes(call.payload)), upload);
  const isTooSmall = parts.slice(0, -1).some((part) => part.size < limits.minPartBytes);
  if (isTooSmall) throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
  bucket.check(request.key, conditionOf(request, limits.conditions.complete));
  const { etag } = bucket.complete(upload, parts, now);
  const names = element("Location", `/${bucketName}/${request.key}`) + element("Bucket", bucketName);
  return xmlResponse("CompleteMultipartUploadResult", names + element("Key", request.key) + element("ETag", etag));
}

/** AbortMultipartUpload. */
export function abortUpload({ request, bucket }: S3Call): Response {
  bucket.end(request.key, request.query.get("uploadId") ?? "");
  return new Response(null, { status: 204 });
}

/** ListParts. */
export function listParts(call: S3Call): Response {
  const { request, bucketName } = call;
  const upload = uploadOf(call);
  const limit = numberOf(request, "max-parts", MAX_PAGE);
  const after = Number(request.query.get("part-number-marker") ?? 0);
  const behind = [...upload.parts.values()].filter((part) => part.number > after).sort((a, b) => a.number - b.number);
  const page = behind.slice(0, limit);
  const isTruncated = behind.length > page.length;
  return xmlResponse(
    "ListPartsResult",
    element("Bucket", bucketName) + element("Key", upload.key) + element("UploadId", upload.uploadId) +
      element("PartNumberMarker", after) + element("MaxParts", limit) + element("IsTruncated", isTruncated) +
      (isTruncated ? element("NextPartNumberMarker", page.at(-1)?.number ?? after) : "") +
      page.map((part) =>
        `<Part>${element("PartNumber", part.number)}${element("LastModified", part.modified.toISOString())}${
          element("ETag", plainEtag(part.md5))
        }${element("Size", part.size)}</Part>`
      ).join(""),
  );
}

/** ListMultipartUploads. */
export function listUploads({ request, bucketName, bucket }: S3Call): Response {
  const { query } = request;
  const encode = query.get("encoding-type") === "url" ? encodeKey : (key: string) => key;
  const prefix = query.get("prefix") ?? "";
  const limit = numberOf(request, "max-uploads", MAX_PAGE);
  const keyMarker = query.get("key-marker");
  const idMarker = query.get("upload-id-marker");
  const behind = bucket.uploads.filter(({ key, uploadId }) => {
    if (!key.startsWith(prefix)) return false;
    if (keyMarker === undefined) return true;
    const order = bucket.keys.compare(key, keyMarker);
    return order > 0 || (order === 0 && idMarker !== undefined && uploadId > idMarker);
  });
  const page = behind.slice(0, limit);
  const last = behind.length > page.length ? page.at(-1) : undefined;
  const next = last === undefined
    ? ""
    : element("NextKeyMarker", encode(last.key)) + element("NextUploadIdMarker", last.uploadId);
  return xmlResponse(
    "ListMultipartUploadsResult",
    encodingXml(request) + element("Bucket", bucketName) + element("Prefix", encode(prefix)) +
      element("MaxUploads", limit) +
      element("IsTruncated", last !== undefined) + next +
      page.map(({ key, uploadId, begun }) =>
        `<Upload>${element("Key", encode(key))}${element("UploadId", uploadId)}${
          element("Initiated", begun.toISOString())
        }</Upload>`
      ).join(""),
  );
}

/** Encodes a key as listings do that were asked for `encoding-type=url`. */
export function encodeKey(key: string): string {
  return key.split("/").map(encodeStrictly).join("/");
}

/** Tells that keys are encoded, where that was asked for. */
export function encodingXml({ query }: S3Request): string {
  return query.get("encoding-type") === "url" ? element("EncodingType", "url") : "";
}

function uploadOf({ request, bucket }: S3Call): StoredUpload {
  return bucket.upload(request.key, request.query.get("uploadId") ?? "");
}

function partNumber({ request }: S3Call): number {
  const number = Number(request.query.get("partNumber"));
  if (Number.isInteger(number) && number >= 1 && number <= MAX_PARTS) return number;
  throw new S3Error("InvalidArgument", `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`);
}

function listedParts(xml: string, upload: StoredUpload): StoredPart[] {
  const listed = readElements(xml, "Part");
  if (listed.length === 0) throw new S3Error("MalformedXML", "The XML you provided was not well-formed");
  let previous = 0;
  return listed.map((entry) => {
    const number = Number(readText(entry, "PartNumber"));
    if (number <= previous) throw new S3Error("InvalidPartOrder", "The list of parts was not in ascending order");
    previous = number;
    const part = upload.parts.get(number);
    if (part === undefined || plainEtag(part.md5) !== `"${(readText(entry, "ETag") ?? "").replaceAll('"', "")}"`) {
      throw new S3Error("InvalidPart", "One or more of the specified parts could not be found");
    }
    return part;
  });
}
