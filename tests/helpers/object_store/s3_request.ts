/**
 * A request to the stand-in for S3, taken apart: in path style and in host style.
 *
 * @module
 */

import { S3Error } from "./s3_error.ts";

/** What a request asks for. */
export interface S3Request {
  readonly method: string;
  readonly headers: Headers;
  /** Empty: the service itself. */
  readonly bucket: string;
  /** Empty: the bucket itself. */
  readonly key: string;
  /** Decoded parameters; those without a value have the empty one. */
  readonly query: ReadonlyMap<string, string>;
  /** Path as it has to be signed: encoded by the rules of S3, whatever the client has sent. */
  readonly canonicalPath: string;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** A request as it came. */
export type RawRequest = Pick<Request, "body" | "headers" | "method" | "url">;

/** What follows the bucket in a host name in host style. */
const HOST_SUFFIX = ".localhost";
/** Bytes of the longest key that S3 takes. */
const MAX_KEY_BYTES = 1024;

/**
 * Takes a request apart.
 *
 * @param hostSuffix What follows the bucket in a host name in host style.
 */
export function parseRequest(request: RawRequest, hostSuffix: string = HOST_SUFFIX): S3Request {
  const [, rawPath = "/", rawQuery = ""] = /^[a-z]+:\/\/[^/?]*([^?]*)(?:\?(.*))?$/.exec(request.url) ?? [];
  const path = decode(rawPath === "" ? "/" : rawPath);
  const host = (request.headers.get("host") ?? "").replace(/:\d+$/, "");
  const inHost = host.endsWith(hostSuffix) ? host.slice(0, -hostSuffix.length) : "";
  const slash = path.indexOf("/", 1);
  const bucket = inHost !== "" ? inHost : path.slice(1, slash < 0 ? path.length : slash);
  const key = inHost !== "" ? path.slice(1) : slash < 0 ? "" : path.slice(slash + 1);
  if (new TextEncoder().encode(key).length > MAX_KEY_BYTES) {
    throw new S3Error("KeyTooLongError", "Your key is too long");
  }
  return {
    method: request.method,
    headers: request.headers,
    bucket,
    key,
    query: parseQuery(rawQuery),
    canonicalPath: path.split("/").map(encodeStrictly).join("/"),
    body: request.body,
  };
}

/** Encodes everything but what RFC 3986 leaves alone, as signatures and listings have it. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Decodes what a path or a header has encoded. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error("InvalidArgument", "Not well-formed percent encoding");
  }
}

function parseQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&").filter((it) => it !== "")) {
    const [name = "", ...value] = pair.split("=");
    parameters.set(decode(name), decode(value.join("=").replaceAll("+", "%20")));
  }
  return parameters;
}
