/**
 * Errors of the stand-in for S3, as the store's own documents name them.
 *
 * @module
 */

import { element } from "./s3_xml.ts";

const STATUS = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidToken: 400,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  TooManyRequests: 429,
  XAmzContentSHA256Mismatch: 400,
} as const;

/** Code of an error. */
export type S3ErrorCode = keyof typeof STATUS;

/** A refusal of the stand-in. */
export class S3Error extends Error {
  override readonly name = "S3Error";
  readonly code: S3ErrorCode;

  constructor(code: S3ErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** Status of the answer. */
  get status(): number {
    return STATUS[this.code];
  }

  /** Body of the answer. */
  toXml(): string {
    return errorXml(this.code, this.message);
  }
}

/** Body of an error's answer. */
export function errorXml(code: S3ErrorCode, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${element("Code", code)}${element("Message", message)}` +
    `${element("RequestId", "0000000000000001")}</Error>`;
}

/** Status that goes with a code. */
export function errorStatus(code: S3ErrorCode): number {
  return STATUS[code];
}
