/**
 * Requests to a store that tests make themselves, to prepare it and to look what is in it without the code under test.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { encodeStrictly } from "./s3_request.ts";
import { type S3Credentials, TEST_CREDENTIALS, TEST_REGION } from "./s3_signature.ts";

/** A request before it is signed. */
export interface TestRequest {
  /** @default {"GET"} */
  readonly method?: string;
  /** Bucket and key after a slash, not encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  /** When it was signed. @default {new Date()} */
  readonly date?: Date;
  /** @default {TEST_CREDENTIALS} */
  readonly credentials?: S3Credentials;
}

/** Signs and sends a request. The body of the answer belongs to the caller. */
export async function sendSigned(endpoint: string, request: TestRequest): Promise<Response> {
  const { method = "GET", path, query = {}, body, date = new Date(), credentials = TEST_CREDENTIALS } = request;
  const time = date.toISOString().replace(/[-:]|\.\d+/g, "");
  const hash = createHash("sha256").update(body ?? "").digest("hex");
  const headers: Record<string, string> = {
    ...Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
    host: new URL(endpoint).host,
    "x-amz-content-sha256": hash,
    "x-amz-date": time,
    ...credentials.sessionToken !== undefined && { "x-amz-security-token": credentials.sessionToken },
  };
  const names = Object.keys(headers).sort();
  const encodedPath = path.split("/").map(encodeStrictly).join("/");
  const search = Object.entries(query).map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
    .sort();
  const canonical = [
    method,
    encodedPath,
    search.join("&"),
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    hash,
  ].join("\n");
  const scope = `${time.slice(0, 8)}/${TEST_REGION}/s3/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash("sha256").update(canonical).digest("hex")}`;
  const key = scope.split("/").reduce<string | Uint8Array>(hmac, `AWS4${credentials.secretKey}`);
  const signature = Buffer.from(hmac(key, toSign)).toString("hex");
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKey}/${scope}, ` +
    `SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const url = `${endpoint}${encodedPath}${search.length === 0 ? "" : `?${search.join("&")}`}`;
  return await fetch(url, { method, headers, ...body !== undefined && { body } });
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}
