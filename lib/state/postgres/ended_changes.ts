/**
 * Changes under quotas whose end the database has to hear of.
 *
 * @module
 */

import { NOTHING, type QuotaAmount } from "../quotas.ts";
import type { ClusterNode } from "./cluster_node.ts";

/** Most changes that are told with one statement. */
const MAX_BATCH = 1_000;
/** How long a change may appear of whose beginning nobody knows; more than a statement may wait for a lock. */
const DOUBTFUL_MS = 30_000;

/**
 * Tells in batches, and again what may not have been heard: until then the database counts what a change has reserved, so that
 * nothing is forgotten. It takes each end once.
 */
export class EndedChanges {
  readonly #node: Pick<ClusterNode, "query" | "owner">;
  /** What has come of each, and until when its end is told again. */
  readonly #ended = new Map<number, { readonly amount: QuotaAmount; readonly repeatUntil: number }>();
  #sending: Promise<void> | undefined;

  constructor(node: Pick<ClusterNode, "query" | "owner">) {
    this.#node = node;
  }

  /** Whether there are some that the database has yet to hear of. */
  get isPending(): boolean {
    return this.#ended.size > 0;
  }

  /** A change has ended. */
  add(id: number, amount: QuotaAmount = NOTHING): void {
    this.#ended.set(id, { amount, repeatUntil: 0 });
  }

  /** A change may have begun, or do so later, that nobody makes. */
  addDoubtful(id: number): void {
    this.#ended.set(id, { amount: NOTHING, repeatUntil: performance.now() + DOUBTFUL_MS });
  }

  /** Tells of all that have ended up to now. Never rejects: what could not be told is told with the next call. */
  send(): Promise<void> {
    return this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    await Promise.resolve(); // so that what ends together goes together
    for (let sent = new Set<number>();;) {
      const batch = [...this.#ended].filter(([id]) => !sent.has(id)).slice(0, MAX_BATCH);
      const isTold = batch.length > 0 && await this.#tell(batch);
      if (!isTold) {
        this.#sending = undefined; // in the turn of the look, so that no end falls between two calls
        return;
      }
      sent = sent.union(new Set(batch.map(([id]) => id)));
      for (const [id, { repeatUntil }] of batch) if (repeatUntil <= performance.now()) this.#ended.delete(id);
    }
  }

  async #tell(batch: readonly (readonly [number, { readonly amount: QuotaAmount }])[]): Promise<boolean> {
    const columns = [
      batch.map(([id]) => id),
      batch.map(([, { amount }]) => Math.trunc(amount.bytes)),
      batch.map(([, { amount }]) => Math.trunc(amount.files)),
    ];
    try {
      await this.#node.query("SELECT ftpsd.quota_end($1, $2, $3, $4)", [this.#node.owner, ...columns]);
      return true;
    } catch {
      return false; // the beat tells of an engine that is out of reach
    }
  }
}
