/**
 * What a store can do, found out by trying: some ignore the conditions of requests that they do not know.
 *
 * @module
 */

import type { CallOptions } from "../filesystem.ts";
import { PROBE_NAME } from "./object_keys.ts";
import { type ObjectStore, type StoreAbilities, StoreRefusal } from "./object_store.ts";
import { TransportError } from "./s3_transport.ts";

/**
 * Tries conditions with an object of its own below the prefix, and removes it again.
 *
 * @throws What the store throws when it is out of reach; a store that refuses requests with conditions only does not obey them.
 */
export async function probeAbilities(store: ObjectStore, signal: AbortSignal): Promise<StoreAbilities> {
  const options = { signal };
  const key = `${store.prefix}${PROBE_NAME}${crypto.randomUUID()}`;
  try {
    const etag = await store.put(key, [], options);
    // Who refuses the right version, too, would let nobody replace anything.
    const put = await isConditionRefused(() => store.put(key, [], { ifMatch: "nothing", ...options })) &&
      await isConditionRefused(() => store.put(key, [], { ifMatch: { etag: OTHER_ETAG }, ...options })) &&
      !await isConditionRefused(() => store.put(key, [], { ifMatch: { etag }, ...options }));
    // A copy in its own place is one only with other metadata.
    const copyOptions = { etag, metadata: { probe: "1" }, ...options };
    const copy = await isConditionRefused(() => store.copy(key, key, { ifMatch: "nothing", ...copyOptions })) &&
      await isConditionRefused(() => store.copy(key, key, { ifMatch: { etag: OTHER_ETAG }, ...copyOptions })) &&
      !await isConditionRefused(() => store.copy(key, key, { ifMatch: { etag }, ...copyOptions }));
    const complete = await refusesToComplete(store, key, options);
    return { conditions: { put, copy, complete } };
  } finally {
    await store.remove([key], options).catch(() => {}); // an empty object stays, which the sweep removes
  }
}

/** No object has it. */
const OTHER_ETAG = `"${"0".repeat(32)}"`;

async function refusesToComplete(store: ObjectStore, key: string, options: CallOptions): Promise<boolean> {
  const uploadId = await store.beginUpload(key, options);
  const upload = { key, uploadId };
  try {
    const body = [new Uint8Array(1)];
    const parts = [{ number: 1, etag: await store.uploadPart(upload, 1, body, options), size: 1 }];
    return await isConditionRefused(() => store.completeUpload(upload, parts, { ifMatch: "nothing", ...options })) &&
      await isConditionRefused(() => {
        return store.completeUpload(upload, parts, { ifMatch: { etag: OTHER_ETAG }, ...options });
      });
  } finally {
    await store.abortUpload(upload, options);
  }
}

async function isConditionRefused(run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return false;
  } catch (error) {
    if (error instanceof Error && error.cause instanceof TransportError) throw error; // it is out of reach
    return error instanceof StoreRefusal && error.kind === "condition";
  }
}
