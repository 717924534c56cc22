/**
 * What the handlers of the stand-in's operations get, and what they have in common.
 *
 * @module
 */

import type { S3Bucket, StoredCondition } from "./s3_bucket.ts";
import type { Payload } from "./s3_payload.ts";
import type { S3Request } from "./s3_request.ts";
import { xmlDocument } from "./s3_xml.ts";

/** A request that has been let in. */
export interface S3Call {
  readonly request: S3Request;
  readonly bucketName: string;
  readonly bucket: S3Bucket;
  /** The body, which has come and been checked. */
  readonly payload: Payload;
  /** Time of the store. */
  readonly now: Date;
  readonly limits: S3Limits;
  /** Another bucket of the store, for copies; throws `NoSuchBucket`. */
  findBucket(name: string): S3Bucket;
}

/** How a store differs from the one of AWS. */
export interface S3Limits {
  /** Bytes of a part that is not the last, at least. @default {5242880} */
  readonly minPartBytes: number;
  /** Which operations obey `If-Match` and `If-None-Match`; the others ignore them, as some stores do. */
  readonly conditions: Readonly<Record<"complete" | "copy" | "delete" | "put", boolean>>;
  /** Whether `If-Match` of PUT may have quotes; where not, as in Ceph 16, an ETag with quotes is never the right one. @default {true} */
  readonly takesQuotes: boolean;
}

/** Answers a request. */
export type S3Handler = (call: S3Call) => Response;

const UNCONDITIONAL: StoredCondition = { ifMatch: null, ifNoneMatch: null };

/** What the headers ask for, where the store obeys them. */
export function conditionOf({ headers }: S3Request, isObeyed: boolean, takesQuotes = true): StoredCondition {
  if (!isObeyed) return UNCONDITIONAL;
  const ifMatch = headers.get("if-match");
  return {
    ifMatch: takesQuotes ? ifMatch : ifMatch?.replaceAll('"', "?") ?? null,
    ifNoneMatch: headers.get("if-none-match"),
  };
}

/** User metadata of a request. */
export function metadataOf({ headers }: S3Request): Record<string, string> {
  const prefix = "x-amz-meta-";
  return Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

/** An answer with a document. */
export function xmlResponse(root: string, children: string): Response {
  return new Response(xmlDocument(root, children), { headers: { "content-type": "application/xml" } });
}

/** A number among the parameters. */
export function numberOf(request: S3Request, name: string, otherwise: number): number {
  const value = Number(request.query.get(name) ?? otherwise);
  return Number.isSafeInteger(value) && value >= 0 ? Math.min(value, otherwise) : otherwise;
}
