/**
 * What crashes and cut transfers leave in a store, and nobody comes back for.
 *
 * @module
 */

import { delay } from "../../deadline.ts";
import { type Duties, SOLE_DUTIES } from "../../state/duties.ts";
import type { StateRecords } from "../../state/records.ts";
import type { FileClaims } from "../file_claims.ts";
import { type CallOptions, FileSystemError } from "../filesystem.ts";
import { findUpload } from "./kept_uploads.ts";
import { ObjectFacts } from "./object_facts.ts";
import { pagesOf } from "./object_listing.ts";
import { PROBE_NAME } from "./object_keys.ts";
import { finishRename, intentsBelow } from "./object_rename.ts";
import type { ObjectStore, PendingMultipart, UploadsPage } from "./object_store.ts";
import { answer, failureOf } from "./store_failure.ts";
import { claimName } from "./upload_opening.ts";

/** How long whoever sweeps has that duty, in times between two sweeps: the next one comes before its end, unless it is gone. */
const DUTY_INTERVALS = 2;

/** Milliseconds after which nobody uses an object any more that was put to learn what the store can do. */
const PROBE_MS = 3_600_000;

/** Options of {@linkcode sweepStore}. */
export interface SweepOptions extends CallOptions {
  /** Who writes what: shared with the file systems. */
  readonly claims: FileClaims;
  /** What the file systems have kept. */
  readonly records: StateRecords;
  /** Beginning of the keys. @default {the prefix of the store} */
  readonly prefix?: string;
  /** How long parts are kept, in seconds. @default {86400} */
  readonly keepPartsForSeconds?: number;
  /** Most objects of a directory whose rename is finished. @default {1000} */
  readonly maxRenamedObjects?: number;
  /** Clock, in milliseconds since 1970. @default {Date.now} */
  readonly now?: () => number;
}

/** What a sweep has done. */
export interface SweepResult {
  /** Uploads that were given up. */
  readonly uploads: number;
  /** Renames that were brought to an end. */
  readonly renames: number;
}

/**
 * Gives up the multipart uploads below a prefix that were begun longer ago than parts are kept, that nobody writes, and that
 * nobody may go on with any more; brings renames to an end that were cut; and, below the whole prefix of the store, removes what
 * is left of finding out what it can do. S3 does not tell who has begun an upload, so that
 * those of other programs below the prefix are given up, too.
 *
 * @throws {FileSystemError} Kind `"unavailable"`. What could be swept was, up to there.
 */
export async function sweepStore(store: ObjectStore, options: SweepOptions): Promise<SweepResult> {
  try {
    const renames = await finishRenames(store, options);
    const uploads = await giveUpUploads(store, options);
    if ((options.prefix ?? store.prefix) === store.prefix) await removeProbes(store, options);
    return { uploads, renames };
  } catch (error) {
    throw failureOf(error, options.signal);
  }
}

/** What a crash has left of finding out what the store can do; that takes seconds. */
async function removeProbes(store: ObjectStore, { signal, now = Date.now }: SweepOptions): Promise<void> {
  for await (const { objects } of pagesOf(store, { prefix: `${store.prefix}${PROBE_NAME}`, signal })) {
    const old = objects.filter(({ modified }) => modified.getTime() + PROBE_MS < now()).map(({ key }) => key);
    if (old.length > 0) await store.remove(old, { signal });
  }
}

async function giveUpUploads(store: ObjectStore, options: SweepOptions): Promise<number> {
  const { prefix = store.prefix, signal } = options;
  let count = 0;
  let next: UploadsPage["next"];
  do {
    const page = await store.listUploads({ prefix, next, signal });
    for (const upload of page.uploads) if (await giveUp(store, upload, options)) count++;
    next = page.next;
  } while (next !== undefined);
  return count;
}

async function giveUp(store: ObjectStore, upload: PendingMultipart, options: SweepOptions): Promise<boolean> {
  const { claims, records, signal, keepPartsForSeconds = 86_400, now = Date.now } = options;
  const { key, uploadId, begun } = upload;
  if (begun.getTime() + keepPartsForSeconds * 1000 > now()) return false;
  try {
    using _claim = await answer(claims.claim(claimName(store.name, key), signal), signal);
    const record = await findUpload(records, { store: store.name, key, uploadId }, { signal });
    if (record !== undefined && record.kept.keptUntil > now()) return false;
    await store.abortUpload(upload, { signal });
    await record?.forget();
    return true;
  } catch (error) {
    if (isBusy(error)) return false; // it is being written
    throw error;
  }
}

async function finishRenames(store: ObjectStore, options: SweepOptions): Promise<number> {
  const { claims, records, signal, prefix = store.prefix, maxRenamedObjects = 1000 } = options;
  const facts = new ObjectFacts(records, store.name);
  const context = { store, claims, records, facts, maxRenamedObjects };
  let count = 0;
  for await (const intent of intentsBelow(context, prefix, { signal })) {
    try {
      await finishRename(context, intent, { signal });
      count++;
    } catch (error) {
      if (!isBusy(error)) throw error; // it is under way
    }
  }
  return count;
}

function isBusy(error: unknown): boolean {
  return error instanceof FileSystemError && error.kind === "busy";
}

/** Options of {@linkcode ObjectSweeper}. */
export interface ObjectSweeperOptions extends Omit<SweepOptions, "signal"> {
  /** Seconds from one sweep to the next; up to a tenth more, so that several servers do not sweep at once. @default {3600} */
  readonly intervalSeconds?: number;
  /** Which of several nodes sweeps. @default {this one} */
  readonly duties?: Duties;
  /** Seconds after which a node that did not sweep looks whether it is to. @default {60} */
  readonly lookSeconds?: number;
  /** Called after each sweep that has done something. */
  readonly onSwept?: (result: SweepResult) => void;
  /** Called when a sweep has failed; the next one comes all the same. */
  readonly onError: (error: unknown) => void;
}

/**
 * Sweeps a store at once, and again and again until it is disposed of, which waits for the sweep that is under way. Of several nodes
 * one does it; another one begins when that has gone.
 */
export class ObjectSweeper implements AsyncDisposable {
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  /** Begins to sweep. */
  constructor(store: ObjectStore, options: ObjectSweeperOptions) {
    this.#running = this.#run(store, options);
  }

  /** Stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new DOMException("The sweeper was stopped", "AbortError"));
    await this.#running;
  }

  async #run(store: ObjectStore, options: ObjectSweeperOptions): Promise<void> {
    const { signal } = this.#stopping;
    const { intervalSeconds = 3600, lookSeconds = 60 } = options;
    while (!signal.aborted) {
      const seconds = await this.#sweep(store, options) ? intervalSeconds : Math.min(lookSeconds, intervalSeconds);
      await delay(seconds * 1000 * (1 + Math.random() / 10), signal).catch(() => {}); // stopped
    }
  }

  /** Returns whether it was this node's duty. */
  async #sweep(store: ObjectStore, options: ObjectSweeperOptions): Promise<boolean> {
    const { signal } = this.#stopping;
    const { intervalSeconds = 3600, duties = SOLE_DUTIES, onSwept, onError } = options;
    let isOwn = false;
    try {
      const forMs = intervalSeconds * 1000 * DUTY_INTERVALS;
      isOwn = await answer(duties.take(`sweep ${store.name}`, forMs), signal);
      if (!isOwn) return false;
      const result = await sweepStore(store, { ...options, signal });
      if (result.uploads + result.renames > 0) onSwept?.(result);
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    return isOwn;
  }
}
