/**
 * Which operation of S3 a request is, of those that the stand-in knows.
 *
 * @module
 */

import { S3Error } from "./s3_error.ts";
import type { S3Request } from "./s3_request.ts";

/** An operation by its name in the documents of S3. */
export type S3Operation =
  | "AbortMultipartUpload"
  | "CompleteMultipartUpload"
  | "CopyObject"
  | "CreateBucket"
  | "CreateMultipartUpload"
  | "DeleteObject"
  | "DeleteObjects"
  | "GetBucketLocation"
  | "GetObject"
  | "HeadBucket"
  | "HeadObject"
  | "ListBuckets"
  | "ListMultipartUploads"
  | "ListObjectsV2"
  | "ListParts"
  | "PutObject"
  | "UploadPart"
  | "UploadPartCopy";

/** Parameters that name no other operation, though nothing is done about them. */
const HARMLESS = [
  "continuation-token",
  "delimiter",
  "encoding-type",
  "fetch-owner",
  "key-marker",
  "list-type",
  "max-keys",
  "max-parts",
  "max-uploads",
  "part-number-marker",
  "partNumber",
  "prefix",
  "start-after",
  "upload-id-marker",
  "uploadId",
  "x-id",
];

/**
 * Names the operation.
 *
 * @throws {S3Error} `NotImplemented` for all others.
 */
export function operationOf({ method, bucket, key, query, headers }: S3Request): S3Operation {
  const flags = [...query.keys()].filter((name) => !HARMLESS.includes(name));
  const place = bucket === "" ? "service" : key === "" ? "bucket" : "object";
  const isUpload = query.has("uploadId");
  const isCopy = headers.has("x-amz-copy-source");
  switch (`${method} ${place} ${flags}`) {
    case "GET service ":
      return "ListBuckets";
    case "GET bucket ":
      if (query.get("list-type") === "2") return "ListObjectsV2";
      break;
    case "GET bucket uploads":
      return "ListMultipartUploads";
    case "GET bucket location":
      return "GetBucketLocation";
    case "HEAD bucket ":
      return "HeadBucket";
    case "PUT bucket ":
      return "CreateBucket";
    case "POST bucket delete":
      return "DeleteObjects";
    case "GET object ":
      return isUpload ? "ListParts" : "GetObject";
    case "HEAD object ":
      return "HeadObject";
    case "PUT object ":
      if (isUpload) return isCopy ? "UploadPartCopy" : "UploadPart";
      return isCopy ? "CopyObject" : "PutObject";
    case "POST object uploads":
      return "CreateMultipartUpload";
    case "POST object ":
      if (isUpload) return "CompleteMultipartUpload";
      break;
    case "DELETE object ":
      return isUpload ? "AbortMultipartUpload" : "DeleteObject";
  }
  throw new S3Error("NotImplemented", `Not known here: ${method} of the ${place}, ${[...query.keys()]}`);
}
