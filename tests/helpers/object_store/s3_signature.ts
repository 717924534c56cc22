/**
 * Signatures of requests by AWS Signature Version 4 in the header `authorization`, as a store checks them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { S3Error } from "./s3_error.ts";
import { encodeStrictly, type S3Request } from "./s3_request.ts";

/** Who may use the store. */
export interface S3Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Absent: requests must not have one. */
  readonly sessionToken?: string;
}

/** What tests sign with. */
export const TEST_CREDENTIALS: S3Credentials = {
  accessKey: "AKIAFTPSD0000000TEST",
  secretKey: "secretsecretsecretsecretsecretsecret0000",
};

/** Region that tests sign for. */
export const TEST_REGION = "us-east-1";

const MAX_SKEW_MS = 15 * 60 * 1000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Checks a signature; not the hash of the body, which the body is compared with when it has come.
 *
 * @param now Time of the store in milliseconds since 1970.
 * @throws {S3Error} When the request is not to be served.
 */
export function checkSignature(request: S3Request, credentials: S3Credentials, now: number): void {
  const authorization = request.headers.get("authorization");
  if (authorization === null) throw new S3Error("AccessDenied", "Anonymous requests are not served");
  const [all, accessKey, day, region, service, signedHeaders, signature] = AUTHORIZATION.exec(authorization) ?? [];
  if (all === undefined || signedHeaders === undefined || day === undefined) {
    throw new S3Error("AuthorizationHeaderMalformed", "The authorization header is malformed");
  }
  if (region !== TEST_REGION || service !== "s3") {
    throw new S3Error("AuthorizationHeaderMalformed", `The region is wrong; expecting '${TEST_REGION}'`);
  }
  if (accessKey !== credentials.accessKey) throw new S3Error("InvalidAccessKeyId", "No such access key");
  const time = checkTime(request.headers.get("x-amz-date"), now);
  if (!time.startsWith(day)) {
    throw new S3Error("AuthorizationHeaderMalformed", "The date of the credential is another one");
  }
  checkToken(request.headers.get("x-amz-security-token"), credentials);

  const names = signedHeaders.split(";");
  const unsigned = [...request.headers.keys()].filter((it) => it.startsWith("x-amz-") && !names.includes(it));
  if (!names.includes("host") || unsigned.length > 0) {
    throw new S3Error("AccessDenied", `There were headers present in the request which were not signed: ${unsigned}`);
  }
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonicalRequest(request, names))}`;
  const key = [day, region, service, "aws4_request"].reduce<string | Uint8Array>(hmac, `AWS4${credentials.secretKey}`);
  if (Buffer.from(hmac(key, toSign)).toString("hex") !== signature) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided",
    );
  }
}

function checkTime(date: string | null, now: number): string {
  const [all, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date ?? "") ??
    [];
  if (all === undefined) throw new S3Error("AccessDenied", "x-amz-date is missing or malformed");
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Math.abs(time - now) > MAX_SKEW_MS) {
    throw new S3Error(
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large",
    );
  }
  return all;
}

function checkToken(token: string | null, { sessionToken }: S3Credentials): void {
  if (token === (sessionToken ?? null)) return;
  throw new S3Error("InvalidToken", "The provided token is malformed or otherwise invalid");
}

function canonicalRequest(request: S3Request, names: readonly string[]): string {
  const query = Array.from(request.query, ([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
    .sort(([left], [right]) => left < right ? -1 : 1)
    .map(([name, value]) => `${name}=${value}`).join("&");
  const headers = names.map((name) => `${name}:${(request.headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`);
  const hash = request.headers.get("x-amz-content-sha256");
  if (hash === null) {
    throw new S3Error("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  return `${request.method}\n${request.canonicalPath}\n${query}\n${headers.join("")}\n${names.join(";")}\n${hash}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}
