/**
 * Operations of the stand-in for S3 on buckets.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { S3Error } from "./s3_error.ts";
import type { S3Bucket } from "./s3_bucket.ts";
import { numberOf, type S3Call, xmlResponse } from "./s3_handler.ts";
import { joinBytes } from "./s3_payload.ts";
import { encodeKey, encodingXml } from "./s3_upload_handlers.ts";
import { element, readElements, readText } from "./s3_xml.ts";

const MAX_PAGE = 1000;

/** Where a page of a listing begins: behind a key, or behind all keys that begin with it. */
interface Position {
  readonly after: string;
  readonly isPrefix: boolean;
}

/** HeadBucket. */
export function headBucket(_: S3Call): Response {
  return new Response(null);
}

/** GetBucketLocation: the region without a name. */
export function bucketLocation(_: S3Call): Response {
  return xmlResponse("LocationConstraint", "");
}

/** DeleteObjects. */
export function deleteObjects({ bucket, payload, request }: S3Call): Response {
  const isChecked = [...request.headers.keys()].some((it) =>
    it === "content-md5" || /^x-amz-(checksum-|trailer$)/.test(it)
  );
  if (!isChecked) {
    throw new S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  const xml = new TextDecoder().decode(joinBytes(payload));
  const keys = readElements(xml, "Object").map((entry) => readText(entry, "Key") ?? "");
  if (keys.length === 0 || keys.length > MAX_PAGE) {
    throw new S3Error("MalformedXML", "The XML you provided was not well-formed or did not validate");
  }
  for (const key of keys) bucket.delete("DeleteObjects", key);
  const isQuiet = readText(xml, "Quiet") === "true";
  const deleted = isQuiet ? "" : keys.map((key) => `<Deleted>${element("Key", key)}</Deleted>`).join("");
  return xmlResponse("DeleteResult", deleted);
}

/** ListObjectsV2. */
export function listObjects({ request, bucketName, bucket }: S3Call): Response {
  const { query } = request;
  const encode = query.get("encoding-type") === "url" ? encodeKey : (key: string) => key;
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const limit = numberOf(request, "max-keys", MAX_PAGE);
  const { entries, next } = readPage(bucket, prefix, delimiter, limit, positionOf(query));
  const token = next === undefined ? "" : element("NextContinuationToken", tokenOf(next));
  return xmlResponse(
    "ListBucketResult",
    encodingXml(request) + element("Name", bucketName) + element("Prefix", encode(prefix)) +
      element("Delimiter", encode(delimiter)) +
      element("MaxKeys", limit) + element("KeyCount", entries.length) + element("IsTruncated", next !== undefined) +
      token + entries.map((entry) => entryXml(bucket, entry, encode)).join(""),
  );
}

function entryXml(bucket: S3Bucket, { after, isPrefix }: Position, encode: (key: string) => string): string {
  if (isPrefix) return `<CommonPrefixes>${element("Prefix", encode(after))}</CommonPrefixes>`;
  const { modified, etag, size } = bucket.object(after);
  const facts = element("LastModified", modified.toISOString()) + element("ETag", etag) + element("Size", size);
  return `<Contents>${element("Key", encode(after))}${facts}${element("StorageClass", "STANDARD")}</Contents>`;
}

function readPage(
  { keys }: S3Bucket,
  prefix: string,
  delimiter: string,
  limit: number,
  begin: Position,
): { entries: readonly Position[]; next: Position | undefined } {
  const entries: Position[] = [];
  const behind = ({ after, isPrefix }: Position) =>
    keys.firstIndex((key) => keys.compare(key, after) > 0 && !(isPrefix && key.startsWith(after)));
  let index = Math.max(keys.firstIndex((key) => keys.compare(key, prefix) >= 0), behind(begin));
  for (let key = keys.at(index); key?.startsWith(prefix); key = keys.at(index)) {
    if (entries.length === limit) return { entries, next: entries.at(-1) ?? begin };
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const entry = end < 0
      ? { after: key, isPrefix: false }
      : { after: key.slice(0, end + delimiter.length), isPrefix: true };
    entries.push(entry);
    index = entry.isPrefix ? behind(entry) : index + 1;
  }
  return { entries, next: undefined };
}

function positionOf(query: ReadonlyMap<string, string>): Position {
  const token = query.get("continuation-token");
  if (token === undefined) return { after: query.get("start-after") ?? "", isPrefix: false };
  try {
    const [after, isPrefix] = JSON.parse(Buffer.from(token, "base64").toString()) as [string, boolean];
    return { after, isPrefix };
  } catch {
    throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
  }
}

// With plus signs and slashes, so that a client that does not encode it is found out.
function tokenOf({ after, isPrefix }: Position): string {
  return Buffer.from(JSON.stringify([after, isPrefix, "~~?>"])).toString("base64");
}
