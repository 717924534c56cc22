/**
 * What answers of a store mean for whoever asked.
 *
 * @module
 */

import { FileSystemError, type FileSystemErrorKind } from "../filesystem.ts";
import { StoreRefusal } from "./object_store.ts";
import type { ErrorAnswer } from "./s3_answers.ts";
import type { TransportError } from "./s3_transport.ts";

/** Codes of S3, MinIO and Ceph that have a kind of their own. All others are failures of the store. */
const REFUSALS: Readonly<Record<string, StoreRefusal["kind"] | FileSystemErrorKind>> = {
  ConditionalRequestConflict: "condition",
  EntityTooLarge: "tooLarge",
  InvalidPart: "changed",
  InvalidPartOrder: "changed",
  KeyTooLongError: "invalidName",
  NoSuchKey: "missing",
  NoSuchUpload: "missing",
  NoSuchVersion: "missing",
  PreconditionFailed: "condition",
  QuotaExceeded: "quotaExceeded",
  XMinioAdminBucketQuotaExceeded: "quotaExceeded",
  XMinioInvalidObjectName: "invalidName",
  XMinioObjectExistsAsDirectory: "invalidName",
  XMinioParentIsObject: "invalidName",
  XMinioStorageFull: "noSpace",
};

/** The same for answers without a code, as those to HEAD are. */
const REFUSALS_BY_STATUS: Readonly<Record<number, StoreRefusal["kind"] | FileSystemErrorKind>> = {
  404: "missing",
  412: "condition",
  413: "tooLarge",
  507: "noSpace",
};

const STORE_REFUSALS: ReadonlySet<string> = new Set<StoreRefusal["kind"]>([
  "changed",
  "condition",
  "missing",
  "tooLarge",
]);

/** Codes of answers after which the same request can succeed. */
const PASSING: ReadonlySet<string> = new Set([
  "BadDigest",
  "IncompleteBody",
  "InternalError",
  "OperationAborted",
  "RequestTimeout",
  "ServiceUnavailable",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequests",
  "XAmzContentSHA256Mismatch",
]);

/** Codes that say that the credentials are not, or no longer, good. */
const OLD_CREDENTIALS: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "InvalidAccessKeyId",
  "InvalidToken",
  "SignatureDoesNotMatch",
  "TokenRefreshRequired",
]);

/** Returns whether the same request may succeed a little later. */
export function isPassing({ status, code }: ErrorAnswer): boolean {
  return PASSING.has(code) || status === 429 || status === 500 || (status >= 502 && status <= 504);
}

/** Returns whether other credentials may help. An answer to HEAD does not say what is wrong. */
export function isAboutCredentials({ status, code }: ErrorAnswer): boolean {
  return OLD_CREDENTIALS.has(code) || (code === "" && (status === 400 || status === 401 || status === 403));
}

/** Returns whether the store refuses because of the time in the request. */
export function isAboutTime({ status, code }: ErrorAnswer): boolean {
  return code === "RequestTimeTooSkewed" || (code === "" && status === 403);
}

/**
 * The error for an answer.
 *
 * @param doing What was tried, for the log: `put "a/b"`.
 * @param headers Of the answer, for what a redirection says.
 */
export function toError(answer: ErrorAnswer, doing: string, headers: Headers): StoreRefusal | FileSystemError {
  const { status, code, message } = answer;
  const said = [status, code, message].filter((part) => part !== "").join(" ");
  const text = `Cannot ${doing}: the store has answered ${said}`;
  if (status >= 300 && status < 400) {
    const region = headers.get("x-amz-bucket-region");
    const hint = region === null ? "is the endpoint right?" : `the bucket is in the region ${JSON.stringify(region)}`;
    return new FileSystemError("unavailable", `${text}; redirections are not followed: ${hint}`);
  }
  if (code === "InvalidRequest" && message.includes("larger than the maximum")) {
    return new StoreRefusal("tooLarge", text);
  }
  const kind = (Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined) ??
    (code === "" ? REFUSALS_BY_STATUS[status] : undefined) ?? (status === 507 ? "noSpace" : "unavailable");
  return isStoreRefusal(kind) ? new StoreRefusal(kind, text) : new FileSystemError(kind, text);
}

/** The error for a request that has got no answer. */
export function toUnanswered(error: TransportError, doing: string): FileSystemError {
  return new FileSystemError("unavailable", `Cannot ${doing}: ${reasonOf(error)}`, { cause: error });
}

/** What is behind an error, where it says more: "fetch failed" says nothing. */
function reasonOf(error: TransportError): string {
  let innermost: Error = error;
  for (let depth = 0; depth < 5 && innermost.cause instanceof Error; depth++) innermost = innermost.cause;
  return innermost === error ? error.message : `${error.message}: ${innermost.message}`;
}

function isStoreRefusal(kind: string): kind is StoreRefusal["kind"] {
  return STORE_REFUSALS.has(kind);
}
