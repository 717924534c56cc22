/**
 * A bound on how many pieces of costly work run at once.
 *
 * @module
 */

import { abortable } from "../deadline.ts";
import { AuthorizerBusyError } from "./authorizer_busy_error.ts";

/** Bounds of a {@linkcode WorkQueue}. */
export interface WorkQueueOptions {
  /** How many pieces of work run at once, at least 1. */
  readonly maxRunning: number;
  /** How many more may wait for their turn. */
  readonly maxWaiting: number;
}

/** Runs pieces of work a few at a time, the others in the order in which they came. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** How to give each waiting one its turn, first come first. */
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /**
   * Makes an empty queue.
   *
   * @throws {RangeError} When a bound is not a whole number, or none could run.
   */
  constructor(options: WorkQueueOptions) {
    const { maxRunning, maxWaiting } = options;
    if (!Number.isInteger(maxRunning) || maxRunning < 1) {
      throw new RangeError(`Cannot run ${maxRunning} at once: it must be a whole number from 1 on`);
    }
    if (!Number.isInteger(maxWaiting) || maxWaiting < 0) {
      throw new RangeError(`Cannot let ${maxWaiting} wait: it must be a whole number from 0 on`);
    }
    this.#options = options;
  }

  /**
   * Runs `work` when its turn has come. When `signal` aborts, work that waits is dropped; work that runs goes on unheard,
   * and keeps its place until it has ended.
   *
   * @throws {AuthorizerBusyError} When as many wait as may.
   * @throws The reason of `signal` when it aborts.
   */
  async run<T>(work: () => Promise<T>, options: { readonly signal: AbortSignal }): Promise<T> {
    const { signal } = options;
    signal.throwIfAborted();
    if (this.#running < this.#options.maxRunning) this.#running++;
    else await this.#waitForTurn(signal);
    return await abortable(work().finally(() => this.#leave()), signal);
  }

  #waitForTurn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      throw new AuthorizerBusyError(`Cannot check the password: ${this.#waiting.length} logins wait already`);
    }
    return new Promise((resolve, reject) => {
      const take = () => {
        signal.removeEventListener("abort", abandon);
        resolve();
      };
      const abandon = () => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", abandon, { once: true });
      this.#waiting.push(take);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    // The place goes straight to the next one, so that nobody who comes in between can take it.
    if (next) next();
    else this.#running--;
  }
}
