/**
 * A bounded number of places, given out in the order of their asking.
 *
 * @module
 */

/** Places for what may be done at once. */
export class FairSlots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  /** @throws {RangeError} When there would be none. */
  constructor(count: number) {
    if (!Number.isInteger(count) || count < 1) {
      throw new RangeError(`Cannot do ${count} things at once: it must be a whole number from 1 on`);
    }
    this.#free = count;
  }

  /**
   * Waits for a place, which is taken until it is disposed of; that may be done twice.
   *
   * @throws The reason of the signal when it aborts before.
   */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#leave();
        isTaken = false;
      },
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const take = () => {
        signal.removeEventListener("abort", abandon);
        resolve();
      };
      const abandon = () => {
        this.#waiting.delete(take);
        reject(signal.reason);
      };
      signal.addEventListener("abort", abandon, { once: true });
      this.#waiting.add(take);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next(); // the place goes to it, so that nobody comes in between
  }
}
