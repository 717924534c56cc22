/**
 * The client of the server for stores of tests, with short waits.
 *
 * @module
 */

import { S3Store, type S3StoreOptions } from "../../../lib/filesystem/object/s3_store.ts";
import { TEST_CREDENTIALS, TEST_REGION } from "./s3_signature.ts";

/** What requests to the stand-in are signed with. */
export const STORE_CREDENTIALS = {
  accessKeyId: TEST_CREDENTIALS.accessKey,
  secretAccessKey: TEST_CREDENTIALS.secretKey,
} as const;

/** Makes a client of the bucket `files`. Whoever calls disposes of it. */
export function openStore(endpoint: string, options: Partial<S3StoreOptions> = {}): S3Store {
  return new S3Store({
    endpoint,
    region: TEST_REGION,
    bucket: "files",
    credentials: () => Promise.resolve(STORE_CREDENTIALS),
    backoffMs: 10,
    timeouts: { answerMs: 1000, workMs: 1000 },
    ...options,
  });
}

/** The bytes of a text, in two pieces as they may lie in buffers. */
export function bodyOf(text: string): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  return [bytes.subarray(0, bytes.length / 2), bytes.subarray(bytes.length / 2)];
}

/** Reads a body as text. */
export async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** Kind of what a call has rejected with; what it has returned, otherwise. */
export async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    return error instanceof Error && "kind" in error ? error.kind : error;
  }
}
