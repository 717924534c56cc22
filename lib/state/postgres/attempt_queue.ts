/**
 * Those who wait until a password of an address may be checked.
 *
 * @module
 */

import { abortable, delay } from "../../deadline.ts";

/** How often the first of an address asks again; attempts of other nodes end without a word. */
const ASK_INTERVAL_MS = 100;

/** Lets one of each address ask at a time, so that many that wait are no more work for the database than one. */
export class AttemptQueue {
  readonly #last = new Map<string, Promise<void>>();
  readonly #wakers = new Map<string, AbortController>();

  /** Whether somebody waits already. */
  has(block: string): boolean {
    return this.#last.has(block);
  }

  /**
   * Asks until there is an answer, when all that came before have theirs.
   *
   * @param ask Returns `undefined` while there is none.
   * @throws The reason of `signal` when it aborts before, and what `ask` throws.
   */
  async ask<Answer>(block: string, ask: () => Promise<Answer | undefined>, signal: AbortSignal): Promise<Answer> {
    const before = this.#last.get(block) ?? Promise.resolve();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const last = before.then(() => done);
    this.#last.set(block, last);
    try {
      await abortable(before, signal);
      for (;;) {
        const answer = await ask();
        if (answer !== undefined) return answer;
        await this.#pause(block, signal);
      }
    } finally {
      resolve();
      if (this.#last.get(block) === last) this.#last.delete(block);
    }
  }

  /** Lets the first of an address ask at once: an attempt of it has ended. */
  wake(block: string): void {
    this.#wakers.get(block)?.abort();
  }

  async #pause(block: string, signal: AbortSignal): Promise<void> {
    const waker = new AbortController();
    const abort = () => waker.abort();
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    this.#wakers.set(block, waker);
    try {
      await delay(ASK_INTERVAL_MS, waker.signal).catch(() => {}); // sooner
    } finally {
      this.#wakers.delete(block);
      signal.removeEventListener("abort", abort);
    }
    signal.throwIfAborted();
  }
}
