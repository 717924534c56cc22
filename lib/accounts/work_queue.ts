/**
 * Where costly work waits for its turn: checks of passwords, each of which takes much memory, so that few run at once.
 *
 * @module
 */

import { abortable } from "../deadline.ts";
import { AuthorizerBusyError } from "./authorizer.ts";
import type { Lease, SharedMethods } from "../shared_port.ts";

/** How a piece of work waits. */
export interface WorkOptions {
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /**
   * Whose it is. Owners take turns, whoever of them has how much waiting.
   *
   * @default {""}
   */
  readonly owner?: string;
}

/** Places for costly work; one queue may serve several event loops. */
export interface WorkPlaces {
  /**
   * Waits for a place, which is taken until it is disposed of.
   *
   * @throws {AuthorizerBusyError} When as many wait as may.
   * @throws The reason of `signal` when it aborts before.
   */
  take(options: WorkOptions): Promise<Lease>;
}

/** What event loops share of them. */
export const SHARED_WORK_PLACES: SharedMethods<WorkPlaces> = { take: {} };

/** Bounds of a {@linkcode WorkQueue}. */
export interface WorkQueueOptions {
  /** How many pieces of work run at once, at least 1. */
  readonly maxRunning: number;
  /** How many more may wait for their turn. */
  readonly maxWaiting: number;
}

/**
 * Runs `work` when there is a place. When `signal` aborts, work that waits is dropped; work that runs goes on unheard, and
 * keeps its place until it has ended.
 *
 * @throws As `WorkPlaces.take()`.
 * @throws The reason of `signal` when it aborts.
 */
export async function runInPlace<Result>(
  places: WorkPlaces,
  work: () => Promise<Result>,
  options: WorkOptions,
): Promise<Result> {
  const place = await places.take(options);
  return await abortable(work().finally(() => place[Symbol.dispose]()), options.signal);
}

/** Gives out a few places at a time. The others wait: their owners take turns, each with the work that came first. */
export class WorkQueue implements WorkPlaces {
  readonly #options: WorkQueueOptions;
  /** How to give the work of each owner its turn. The owner that is next comes first; those without work have no entry. */
  readonly #waiting = new Map<string, readonly (() => void)[]>();
  #waitingCount = 0;
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

  async take(options: WorkOptions): Promise<Disposable> {
    const { signal, owner = "" } = options;
    signal.throwIfAborted();
    if (this.#running < this.#options.maxRunning) this.#running++;
    else await this.#waitForTurn(owner, signal);
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (isTaken) this.#leave();
        isTaken = false;
      },
    };
  }

  #waitForTurn(owner: string, signal: AbortSignal): Promise<void> {
    if (this.#waitingCount >= this.#options.maxWaiting) {
      throw new AuthorizerBusyError(`Cannot check the password: ${this.#waitingCount} logins wait already`, {
        countsAsFailure: true, // what was remembered of the user has been compared
      });
    }
    return new Promise((resolve, reject) => {
      const take = () => {
        signal.removeEventListener("abort", abandon);
        resolve();
      };
      const abandon = () => {
        this.#keep(owner, this.#waiting.get(owner)?.filter((other) => other !== take) ?? []);
        this.#waitingCount--;
        reject(signal.reason);
      };
      signal.addEventListener("abort", abandon, { once: true });
      this.#keep(owner, [...this.#waiting.get(owner) ?? [], take]);
      this.#waitingCount++;
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
      return;
    }
    const [owner, [take, ...rest]] = next;
    this.#waiting.delete(owner); // and comes back last
    this.#keep(owner, rest);
    this.#waitingCount--;
    // The place goes straight to the next one, so that nobody who comes in between can take it.
    take?.();
  }

  #keep(owner: string, waiting: readonly (() => void)[]): void {
    if (waiting.length > 0) this.#waiting.set(owner, waiting);
    else this.#waiting.delete(owner);
  }
}
