/**
 * Lets all refusals of a source take the same time, whatever it does with names that it knows.
 *
 * A directory hashes the password of an entry that is there, and of none that is not; a program looks into one table more. So each
 * refusal lasts as long as the longest that were seen, rounded up to steps, so that one that is a little longer does not show. One
 * alone says nothing: it may have waited for a connection.
 *
 * @module
 */

import { abortable } from "../deadline.ts";

/** The first step, in milliseconds; each is twice the one before. */
const FIRST_STEP_MS = 100;
/** The last one: what takes longer is seen. */
const LAST_STEP_MS = 3_200;
/** A refusal has to fit into its step with so much to spare. */
const FULL_SHARE = 0.7;
/** So many of the last ones have to be longer for the next step. */
const MANY = 3;
const LAST_ONES = 16;

/** The time of refusals of one source. It only grows: else whoever waits could see who is hashed again. */
export class RefusalLevel {
  #stepMs = FIRST_STEP_MS;
  #lastMs: readonly number[] = [];

  /**
   * Waits until a refusal has taken as long as others.
   *
   * @param since When the login began, by `performance.now()`.
   * @throws The reason of the signal when it aborts.
   */
  async reach(since: number, signal: AbortSignal): Promise<void> {
    const takenMs = performance.now() - since;
    this.#lastMs = [...this.#lastMs, takenMs].slice(-LAST_ONES);
    while (this.#stepMs < LAST_STEP_MS && this.#countLonger() >= MANY) this.#stepMs *= 2;
    const restMs = this.#stepMs - takenMs;
    if (restMs <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, restMs);
    try {
      await abortable(promise, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #countLonger(): number {
    return this.#lastMs.filter((ms) => ms > this.#stepMs * FULL_SHARE).length;
  }
}
