/**
 * The real object store that `deno task services:start` has started, for tests.
 *
 * @module
 */

import { sendSigned } from "./signed_request.ts";
import { readElements, readText } from "./s3_xml.ts";

/** Variable that has its URL. */
const VARIABLE = "FTPSD_TEST_S3";

/** Bucket that it has. */
export const REAL_BUCKET = "files";

/** A place in a real store that nobody else uses; what is in it is removed at the end. */
export class RealStore implements AsyncDisposable {
  /** URL of the store without a slash at the end. */
  readonly endpoint: string;
  /** What all keys of the test begin with; ends with a slash. */
  readonly prefix: string = `${crypto.randomUUID()}/`;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  /** Keys that are visible, without the prefix. */
  async keys(): Promise<string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.#ask("GET", "", {
        "list-type": "2",
        prefix: this.prefix,
        ...token !== undefined && { "continuation-token": token },
      });
      keys.push(...readElements(page, "Contents").map((it) => (readText(it, "Key") ?? "").slice(this.prefix.length)));
      token = readText(page, "NextContinuationToken");
    } while (token !== undefined);
    return keys;
  }

  /** Keys of the uploads that have not ended, without the prefix. */
  async uploads(): Promise<string[]> {
    return (await this.#uploads()).map(({ key }) => key.slice(this.prefix.length));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { key, uploadId } of await this.#uploads()) await this.#ask("DELETE", key, { uploadId });
    const keys = await this.keys();
    for (let from = 0; from < keys.length; from += 20) {
      await Promise.all(keys.slice(from, from + 20).map((key) => this.#ask("DELETE", this.prefix + key, {})));
    }
  }

  async #uploads(): Promise<{ readonly key: string; readonly uploadId: string }[]> {
    const page = await this.#ask("GET", "", { uploads: "", prefix: this.prefix });
    return readElements(page, "Upload").map((it) => ({
      key: readText(it, "Key") ?? "",
      uploadId: readText(it, "UploadId") ?? "",
    }));
  }

  async #ask(method: string, key: string, query: Readonly<Record<string, string>>): Promise<string> {
    const path = `/${REAL_BUCKET}${key === "" ? "" : `/${key}`}`;
    const response = await sendSigned(this.endpoint, { method, path, query });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${key} was answered ${response.status}: ${text}`);
    return text;
  }
}

/** A test that needs the real store. */
export interface StoreTest {
  readonly name: string;
  readonly ignore: boolean;
  readonly fn: () => Promise<void>;
}

/** URL of the real store; `undefined` where none was started. */
export function realStoreEndpoint(): string | undefined {
  const endpoint = Deno.env.get(VARIABLE);
  return endpoint === "" ? undefined : endpoint;
}

/**
 * Makes the definition of a test on the real store. Where there is none it is ignored and its name says why; in CI, which starts
 * one, it fails.
 */
export function realStoreTest(name: string, fn: (store: RealStore) => Promise<void>): StoreTest {
  const endpoint = realStoreEndpoint();
  const isIgnored = endpoint === undefined && Deno.env.get("CI") !== "true";
  return {
    name: isIgnored ? `${name} (ignored: ${VARIABLE} is not set; see "deno task services:start")` : name,
    ignore: isIgnored,
    async fn() {
      if (endpoint === undefined) throw new Error(`Cannot run this test: ${VARIABLE} is not set, and CI is true`);
      await using store = new RealStore(endpoint);
      await fn(store);
    },
  };
}
