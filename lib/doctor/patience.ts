/**
 * How long `ftpsd doctor` waits: for each thing, and in all.
 *
 * @module
 */

import { WireError } from "./wire_error.ts";

/** Waits of one examination. */
export class Patience {
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal;

  /**
   * @param timeoutMs Longest wait for one thing, in milliseconds.
   * @param signal Ends all waits, those to come too.
   */
  constructor(timeoutMs: number, signal: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
  }

  /** The same, but with waits of at most so many milliseconds each. */
  atMost(timeoutMs: number): Patience {
    return new Patience(Math.min(this.#timeoutMs, timeoutMs), this.#signal);
  }

  /**
   * Waits for a promise. What it does after that is nobody's concern.
   *
   * @param what What is waited for, for the message.
   * @throws {WireError} Kind `"timeout"` when it takes too long; or the promise's failure.
   */
  async wait<T>(promise: Promise<T>, what: string): Promise<T> {
    const { promise: over, reject } = Promise.withResolvers<never>();
    const giveUp = () => reject(new WireError("timeout", `no ${what} in ${Math.ceil(this.#timeoutMs / 1000)} s`));
    const stop = () => reject(new WireError("timeout", `no ${what} before the time for all was over`));
    const timer = setTimeout(giveUp, this.#timeoutMs);
    this.#signal.addEventListener("abort", stop, { once: true });
    if (this.#signal.aborted) stop();
    try {
      return await Promise.race([promise, over]);
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener("abort", stop);
    }
  }
}
