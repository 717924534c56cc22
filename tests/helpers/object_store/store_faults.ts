/**
 * What can go wrong between a server and its object store, and plans that say when it does.
 *
 * @module
 */

import { Random } from "../../soak/random.ts";
import type { S3ErrorCode } from "./s3_error.ts";
import type { S3Operation } from "./s3_operations.ts";

/** A request that passes. */
export interface PassingRequest {
  readonly operation: S3Operation;
  readonly key: string;
  /** Bytes of its body; 0 when that is not known. */
  readonly bytes: number;
}

/**
 * A fault:
 * - `answer`: the store is not asked, an error is the answer;
 * - `errorIn200`: the same with status 200, as CompleteMultipartUpload and CopyObject may answer;
 * - `resetBefore`: the connection is reset when the request has come, which the store never sees;
 * - `resetInside`: the connection is reset in the middle of the request, to both sides;
 * - `loseAnswer`: the store does what it was asked for, and the connection is reset instead of an answer;
 * - `hang`: nothing comes back, though the store may have done it;
 * - `halfAnswer`: the connection is reset in the middle of the answer;
 * - `wrongEtag`: the answer has the ETag of other bytes;
 * - `throttle`: the bodies pass slowly.
 */
export type StoreFault =
  | { readonly kind: "answer" | "errorIn200"; readonly code: S3ErrorCode }
  | { readonly kind: "halfAnswer" | "loseAnswer" | "resetBefore" | "resetInside" | "wrongEtag" }
  | { readonly kind: "hang"; readonly isDone: boolean }
  | { readonly kind: "throttle"; readonly bytesPerSecond: number };

/** Says what happens to a request; `undefined`: nothing. */
export type FaultPlan = (request: PassingRequest) => StoreFault | undefined;

/** Name of a fault, for figures. */
export function faultName(fault: StoreFault): string {
  if (fault.kind === "answer") return fault.code;
  if (fault.kind === "errorIn200") return `200 with ${fault.code}`;
  return fault.kind === "hang" && fault.isDone ? "hang after" : fault.kind;
}

/** Faults that pass by themselves, so that a client that repeats the request succeeds. */
export const PASSING_FAULTS: readonly StoreFault[] = [
  { kind: "answer", code: "SlowDown" },
  { kind: "answer", code: "InternalError" },
  { kind: "answer", code: "TooManyRequests" },
  { kind: "answer", code: "ServiceUnavailable" },
  { kind: "answer", code: "RequestTimeTooSkewed" },
  { kind: "errorIn200", code: "InternalError" },
  { kind: "resetBefore" },
  { kind: "resetInside" },
  { kind: "loseAnswer" },
  { kind: "hang", isDone: false },
  { kind: "hang", isDone: true },
  { kind: "halfAnswer" },
  { kind: "wrongEtag" },
  { kind: "throttle", bytesPerSecond: 256 * 1024 },
];

/** Faults that repeating the request does not help against. */
export const LASTING_FAULTS: readonly StoreFault[] = [
  { kind: "answer", code: "AccessDenied" },
  { kind: "answer", code: "ExpiredToken" },
  { kind: "answer", code: "NoSuchBucket" },
];

/** Whether a fault can happen to a request at all. */
export function fits(fault: StoreFault, { operation, bytes }: PassingRequest): boolean {
  switch (fault.kind) {
    case "errorIn200":
      return operation === "CompleteMultipartUpload" || operation === "CopyObject" || operation === "UploadPartCopy";
    case "resetInside":
      return bytes > 0;
    case "wrongEtag":
      return operation === "UploadPart" || operation === "PutObject";
    case "throttle":
      return bytes > 0 || operation === "GetObject";
    default:
      return true;
  }
}

/**
 * A plan by chance: the same for the same seed and the same requests.
 *
 * @param times One of so many requests is met.
 */
export function randomFaults(seed: number, times: number, faults: readonly StoreFault[]): FaultPlan {
  const random = new Random(seed);
  return (request) => {
    if (!random.oneIn(times)) return undefined;
    const possible = faults.filter((fault) => fits(fault, request));
    return possible.length === 0 ? undefined : random.pick(possible);
  };
}

/** A plan of faults for the first requests of an operation; a gap in the list leaves one alone. */
export function faultsOf(operation: S3Operation, faults: readonly (StoreFault | undefined)[]): FaultPlan {
  const left = [...faults];
  return (request) => request.operation === operation ? left.shift() : undefined;
}
