/**
 * Calls of a file system that are under way, and who waits for them.
 *
 * @module
 */

/** Runs calls that nobody has to wait for longer than a signal lasts, and knows those that have not settled. */
export class PendingCalls {
  readonly #running = new Set<Promise<unknown>>();

  /**
   * Runs a call, unless the signal has aborted already.
   *
   * @param late Takes what the call returns when nobody waits any more.
   * @throws The call's failure, or the signal's reason as soon as it aborts. A failure after that is dropped.
   */
  run<Value>(
    call: () => Value | PromiseLike<Value>,
    signal: AbortSignal,
    late?: (value: Value) => void | Promise<void>,
  ): Promise<Value> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const running = this.track(Promise.try(call));
    return new Promise((resolve, reject) => {
      const abort = () => {
        reject(signal.reason);
        if (late !== undefined) this.track(running.then(late)).catch(() => {}); // it returns nothing then
      };
      signal.addEventListener("abort", abort, { once: true });
      const settled = () => signal.removeEventListener("abort", abort);
      running.then((value) => {
        settled();
        resolve(value);
      }, (error) => {
        settled();
        reject(error);
      });
    });
  }

  /** Counts a promise as under way until it settles, and returns it. */
  track<Value>(running: Promise<Value>): Promise<Value> {
    this.#running.add(running);
    const settled = () => this.#running.delete(running);
    running.then(settled, settled);
    return running;
  }

  /** Resolves when nothing is under way; never rejects. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }
}
