/**
 * Quotas of accounts in one event loop: what is stored is counted before the first change, and changes are booked.
 *
 * @module
 */

import { abortable, delay } from "../../deadline.ts";
import type { Quota, QuotaAmount, QuotaCounts, QuotaReservation } from "../../state/quotas.ts";
import { batchesOf } from "../entry_batches.ts";
import { type CallOptions, type FileSystem, FileSystemError } from "../filesystem.ts";

/** Files that count under a quota. */
export interface CountedFiles {
  readonly fileSystem: FileSystem;
  /** Directories of it, with all below, that do not count, such as mounts that others fill. @default {[]} */
  readonly without?: readonly string[];
  /** Returns what interrupted uploads take beside the files. */
  readonly kept?: (options: CallOptions) => Promise<number>;
  /** Whether others have the same files, so that only `kept` is to be counted here. @default {false} */
  readonly isCountedElsewhere?: boolean;
}

/** A quota with all that it counts. */
export interface QuotaScope extends Quota {
  /** Opens the files of all accounts that it is for. */
  readonly files: () => readonly CountedFiles[];
}

/** How often those look who wait for another event loop to count. */
const WAIT_MS = 50;

/**
 * Begins changes of what quotas count. Where nobody has counted what there is, the first one to come does so in the background,
 * and changes wait for that; nothing else does. Disposing of it gives up what is being counted.
 */
export class QuotaLedger implements AsyncDisposable {
  /** Where everything is counted. */
  readonly counts: QuotaCounts;
  readonly #ended = new AbortController();
  readonly #counting = new Map<string, Promise<void>>();

  constructor(counts: QuotaCounts) {
    this.counts = counts;
  }

  /**
   * Begins a change, which lasts until its reservation is disposed of.
   *
   * @param amount What it takes at once.
   * @throws {FileSystemError} Kind `quotaExceeded` when a limit is in the way; `unavailable` when the engine fails.
   * @throws What the file systems throw while they are counted.
   */
  async begin(
    scopes: readonly QuotaScope[],
    amount: QuotaAmount,
    { signal }: CallOptions,
  ): Promise<QuotaReservation> {
    for (;;) {
      signal.throwIfAborted();
      const answer = await askCounts(() => this.counts.reserve(scopes, amount));
      if (!("refusal" in answer)) return answer;
      if (answer.refusal !== "uncounted") throw exceeded(answer.refusal, answer.name);
      const scope = scopes.find(({ name }) => name === answer.name);
      if (scope !== undefined) await abortable(this.#count(scope), signal);
    }
  }

  /** Lets what is not counted yet be counted, and does not wait for it. Never throws. */
  prepare(scope: QuotaScope): void {
    this.#count(scope).catch(() => {}); // the next change is told of it
  }

  /** Waits until nothing is counted any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled(this.#counting.values());
  }

  /** Counts, or waits a moment for whoever else does. */
  #count(scope: QuotaScope): Promise<void> {
    const running = this.#counting.get(scope.name) ?? this.#countOnce(scope);
    this.#counting.set(scope.name, running);
    const ended = () => void (this.#counting.get(scope.name) === running && this.#counting.delete(scope.name));
    running.then(ended, ended);
    return running;
  }

  async #countOnce({ name, files }: QuotaScope): Promise<void> {
    const { signal } = this.#ended;
    using counting = await askCounts(() => this.counts.beginCount(name));
    if (counting === undefined) return await delay(WAIT_MS, signal);
    const stored = await countFiles(files(), { signal });
    await askCounts(() => counting.end(stored));
  }
}

/**
 * Asks an engine; that it is out of reach is no mistake of the server's.
 *
 * @throws {FileSystemError} Kind `unavailable` when it fails.
 */
export async function askCounts<Answer>(ask: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (cause) {
    throw new FileSystemError("unavailable", "Cannot count under a quota: the state is out of reach", { cause });
  }
}

/**
 * Books what has come of a change.
 *
 * @throws {FileSystemError} Kind `unavailable` when the engine fails; it is counted until the process ends then.
 */
export async function commit(reservation: QuotaReservation, amount: QuotaAmount): Promise<void> {
  await askCounts(() => reservation.commit(amount));
}

/** The refusal of a limit. */
export function exceeded(what: "bytes" | "files", name: string): FileSystemError {
  return new FileSystemError("quotaExceeded", `Cannot store more ${what} under the quota of ${name}`);
}

/** Counts bytes and files, however deep. Links to directories are not followed. */
export async function countFiles(all: readonly CountedFiles[], { signal }: CallOptions): Promise<QuotaAmount> {
  let [bytes, files] = [0, 0];
  for (const { fileSystem, without = [], kept, isCountedElsewhere = false } of all) {
    bytes += await kept?.({ signal }) ?? 0;
    const waiting = isCountedElsewhere ? [] : ["/"];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      for await (const batch of batchesOf(fileSystem.list(folder, { signal }))) {
        signal.throwIfAborted();
        for (const { name, info } of batch) {
          const path = folder === "/" ? `/${name}` : `${folder}/${name}`;
          if (info.type === "directory" && !without.includes(path)) waiting.push(path);
          if (info.type !== "file") continue;
          bytes += info.size;
          files++;
        }
      }
    }
  }
  return { bytes, files };
}
