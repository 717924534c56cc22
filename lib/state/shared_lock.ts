/**
 * A lock that event loops of one process share.
 *
 * @module
 */

const FREE = 0;
const HELD = 1;
/** Held, and somebody may wait for it. */
const AWAITED = 2;

/** Whoever holds it works for some microseconds: most who find it held need not sleep. */
const SPINS = 200;
/** A wait is bounded by a number of short ones: a process that was stopped for an hour has used up one of them. */
const WAIT_MS = 100;
const MAX_WAITS = 50;

/** How long to wait. */
export interface SharedLockOptions {
  /** Waits of 100 ms, 1 or more. @default {50} */
  readonly maxWaits?: number;
}

/** A lock in one word of shared memory, 0 at the beginning. It stops the event loop that waits: what is done under it is short. */
export class SharedLock {
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #maxWaits: number;
  /** Whether the last wait was in vain. */
  #isStuck = false;

  /** @param words On a `SharedArrayBuffer`. */
  constructor(words: Int32Array, index: number, { maxWaits = MAX_WAITS }: SharedLockOptions = {}) {
    this.#words = words;
    this.#index = index;
    this.#maxWaits = maxWaits;
  }

  /**
   * Takes the lock. An event loop that has waited in vain does not wait again until it finds the lock free: one that died
   * while it had the lock stops the others once.
   *
   * @returns Whether it was taken in time.
   */
  acquire(): boolean {
    const isTaken = this.#tryOften() || (!this.#isStuck && this.#wait());
    this.#isStuck = !isTaken;
    return isTaken;
  }

  /** Gives the lock back; only for whoever has it. */
  release(): void {
    if (Atomics.exchange(this.#words, this.#index, FREE) === AWAITED) Atomics.notify(this.#words, this.#index, 1);
  }

  #tryOften(): boolean {
    const spins = this.#isStuck ? 1 : SPINS;
    for (let times = 0; times < spins; times++) {
      if (Atomics.compareExchange(this.#words, this.#index, FREE, HELD) === FREE) return true;
    }
    return false;
  }

  #wait(): boolean {
    for (let times = 0; times < this.#maxWaits; times++) {
      // Others may wait too: nobody knows, so whoever has waited says that somebody does.
      if (Atomics.exchange(this.#words, this.#index, AWAITED) === FREE) return true;
      Atomics.wait(this.#words, this.#index, AWAITED, WAIT_MS);
    }
    return false;
  }
}
