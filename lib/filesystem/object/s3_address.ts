/**
 * Where objects are: the URL of a bucket and of its keys.
 *
 * @module
 */

import { FileSystemError } from "../filesystem.ts";

/** Which bucket, and where. */
export interface BucketAddressOptions {
  /** `http:` or `https:`, perhaps with a path, without query and user. */
  readonly endpoint: string;
  readonly bucket: string;
  /**
   * Whether the bucket is a component of the path, and not of the host's name.
   *
   * @default true, but for endpoints of `amazonaws.com` and buckets without a dot
   */
  readonly pathStyle?: boolean;
}

/** Longest key in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

const encoder = new TextEncoder();

/** The address of a bucket. */
export class BucketAddress {
  /** Names the bucket and its store, the same for all ways to write the address. */
  readonly name: string;
  readonly isClear: boolean;
  readonly bucket: string;
  readonly #base: string;

  /** @throws {TypeError} When it is no address of a bucket. */
  constructor(options: BucketAddressOptions) {
    const { bucket } = options;
    const endpoint = URL.parse(options.endpoint);
    if (endpoint === null || !["http:", "https:"].includes(endpoint.protocol)) {
      throw new TypeError(`Cannot use "${options.endpoint}" as endpoint: it must be an http or https URL`);
    }
    if (endpoint.username + endpoint.password + endpoint.search + endpoint.hash !== "") {
      throw new TypeError("Cannot use the endpoint: it must have no user, password, query and fragment");
    }
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) {
      throw new TypeError(`Cannot use "${bucket}" as the name of a bucket`);
    }
    const path = endpoint.pathname.replace(/\/+$/, "");
    const isPathStyle = options.pathStyle ??
      !(/\.amazonaws\.com(\.cn)?$/.test(endpoint.hostname) && path === "" && !bucket.includes("."));
    this.bucket = bucket;
    this.isClear = endpoint.protocol === "http:";
    this.name = `s3 ${endpoint.host}${path}/${bucket}`;
    this.#base = isPathStyle
      ? `${endpoint.protocol}//${endpoint.host}${path}/${bucket}`
      : `${endpoint.protocol}//${bucket}.${endpoint.host}${path}`;
  }

  /** The URL of the bucket with a query, or of a key in it. */
  url(key: string | undefined, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(`${this.#base}/${key === undefined ? "" : encodeKey(key)}`);
    const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeComponent(value)}`);
    if (pairs.length > 0) url.search = `?${pairs.join("&")}`;
    return url;
  }

  /** The value of `x-amz-copy-source`. */
  copySource(key: string): string {
    return `/${this.bucket}/${encodeKey(key)}`;
  }
}

/**
 * Checks that requests can be made for a key.
 *
 * @throws {FileSystemError} Kind `invalidName` when it is too long, no Unicode, or has a component `.` or `..`, which is gone from
 * a URL before it is sent.
 */
export function checkKey(key: string): void {
  const refuse = (why: string) => {
    throw new FileSystemError("invalidName", `Cannot use ${JSON.stringify(key.slice(0, 100))} as a key: ${why}`);
  };
  if (key === "") refuse("it is empty");
  if (!key.isWellFormed()) refuse("it is no Unicode");
  if (key.length * 3 > MAX_KEY_BYTES && encoder.encode(key).length > MAX_KEY_BYTES) {
    refuse(`it has more than ${MAX_KEY_BYTES} bytes`);
  }
  if (/(^|\/)\.{1,2}(\/|$)/.test(key)) refuse('no URL can have a component "." or ".."');
}

function encodeKey(key: string): string {
  return key.split("/").map(encodeComponent).join("/");
}

/** Also encodes what stores encode before they check a signature, and `encodeURIComponent()` does not. */
function encodeComponent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
