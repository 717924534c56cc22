/**
 * Copying objects within a store.
 *
 * @module
 */

import { type CallOptions, FileSystemError } from "../filesystem.ts";
import { MARK } from "./appearance.ts";
import type { ObjectFacts } from "./object_facts.ts";
import type { ObjectInfo, ObjectStore, PutCondition } from "./object_store.ts";
import { copyRanges, MAX_PART_BYTES, MIN_PART_BYTES } from "./part_plan.ts";
import { PartUploads } from "./part_uploads.ts";
import { failureOf, isRefusal } from "./store_failure.ts";

/** An object and the place for its copy. */
export interface CopyJob {
  readonly from: string;
  readonly to: string;
  /** Marks the copy. */
  readonly id: string;
  readonly info: ObjectInfo;
}

/**
 * Copies an object with what is known of it, and marks the copy, so that one whose answer was lost is known again.
 *
 * @throws {FileSystemError} Kind `"busy"` when it or what is in its place was changed meanwhile; `"unavailable"` when it is not
 * certain that the copy has not come.
 */
export async function copyMarked(
  { store, facts }: { readonly store: ObjectStore; readonly facts: ObjectFacts },
  job: CopyJob,
  options: CallOptions & PutCondition,
): Promise<void> {
  const { from, to, id, info } = job;
  const { signal } = options;
  let etag: string;
  try {
    etag = await copy(store, job, options);
  } catch (error) {
    if (isRefusal(error, "changed", "missing")) throw changed(job, error);
    const there = await store.head(to, { signal }).catch(() => undefined);
    if (there?.metadata[MARK] !== id) {
      throw isRefusal(error, "condition") ? changed(job, error) : failureOf(error, signal);
    }
    etag = there.etag;
  }
  await facts.carry({ key: from, ...info }, { key: to, etag }, { signal });
}

async function copy(
  store: ObjectStore,
  job: CopyJob,
  { signal, ifMatch }: CallOptions & PutCondition,
): Promise<string> {
  const { from, to, id, info } = job;
  const { conditions } = await store.abilities({ signal });
  const metadata = { ...info.metadata, [MARK]: id };
  const isOnePart = info.size <= MAX_PART_BYTES;
  const isObeyed = isOnePart ? conditions.copy : conditions.complete;
  if (!isObeyed && ifMatch !== undefined) await assertUnchanged(store, job, { signal, ifMatch });
  const condition = isObeyed && ifMatch !== undefined ? { ifMatch } : {};
  try {
    if (isOnePart) return await store.copy(from, to, { ...condition, etag: info.etag, metadata, signal });
  } catch (error) {
    if (!isRefusal(error, "tooLarge")) throw error; // some stores copy less than S3 in one request
    if (!conditions.complete && ifMatch !== undefined) await assertUnchanged(store, job, { signal, ifMatch });
  }
  return await copyInParts(store, job, { ...condition, metadata, signal });
}

/** Where the store does not obey conditions: looks right before. */
async function assertUnchanged(
  store: ObjectStore,
  job: CopyJob,
  { signal, ifMatch }: CallOptions & PutCondition,
): Promise<void> {
  const there = await store.head(job.to, { signal });
  const isSame = typeof ifMatch === "object" ? there?.etag === ifMatch.etag : there === undefined;
  if (!isSame) throw changed(job);
}

/** Copies what is too large for one request. */
async function copyInParts(
  store: ObjectStore,
  { from, to, info }: CopyJob,
  { metadata, ...options }: CallOptions & PutCondition & { readonly metadata: Readonly<Record<string, string>> },
): Promise<string> {
  const { signal } = options;
  const uploadId = await store.beginUpload(to, { metadata, signal });
  const upload = { key: to, uploadId };
  const parts = new PartUploads([]);
  try {
    copyRanges({ from: 0, to: info.size }, MIN_PART_BYTES).forEach((range, index) => {
      const part = { number: index + 1, size: range.to - range.from };
      const source = { key: from, etag: info.etag, ...range };
      parts.copy(part, () => store.copyPart(upload, part.number, source, { signal }));
    });
    await parts.settled(signal);
    const arrived = parts.arrived.toSorted((one, other) => one.number - other.number);
    return await store.completeUpload(upload, arrived, { ...options, begunWith: metadata });
  } catch (error) {
    await parts.settled(new AbortController().signal).catch(() => {}); // it is the same, or behind it
    await store.abortUpload(upload, { signal }).catch(() => {}); // the sweep finds it
    throw error;
  }
}

function changed({ from, to }: CopyJob, cause?: unknown): FileSystemError {
  return new FileSystemError("busy", `Cannot copy "${from}" to "${to}": one was changed meanwhile`, { cause });
}
