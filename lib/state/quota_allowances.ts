/**
 * Quotas that are counted elsewhere, as an event loop uses them: it takes bytes ahead, and asks for more once those are used.
 *
 * @module
 */

import type { Lease, MaybePromise, SharedMethods } from "../shared_port.ts";
import type {
  Quota,
  QuotaAmount,
  QuotaCounting,
  QuotaCounts,
  QuotaRefusal,
  QuotaReservation,
  QuotaUse,
} from "./quotas.ts";

/** Room of one change, with what was reserved ahead. Disposing of it gives back what was not committed. */
export interface QuotaAllowance extends Lease {
  /** Bytes that are reserved and not used yet, in one place for all event loops. They may be taken back at any time. */
  readonly left: BigInt64Array;
  /** The term in which it was taken. */
  readonly term: bigint;
  /** Reserves more than what is left: see {@linkcode QuotaReservation.grow}. What is left of that is in `left`. */
  grow(bytes: number): MaybePromise<boolean>;
  /** See {@linkcode QuotaReservation.commit}. */
  commit(amount: QuotaAmount): MaybePromise<void>;
}

/** {@linkcode QuotaCounts} whose reservations are allowances. */
export interface QuotaAllowances extends Pick<QuotaCounts, "use" | "beginCount"> {
  /** See {@linkcode QuotaCounts.reserve}. */
  reserve(quotas: readonly Quota[], amount: QuotaAmount): MaybePromise<QuotaAllowance | QuotaRefusal>;
}

/** What event loops share of it. */
export const SHARED_QUOTA_ALLOWANCES: SharedMethods<QuotaAllowances> = {
  use: {},
  reserve: { left: "value", term: "value", grow: "ask", commit: "ask" },
  beginCount: { end: "ask" },
};

/** Makes the place of an allowance that has nothing. */
export function createLeft(): BigInt64Array {
  return new BigInt64Array(new SharedArrayBuffer(8));
}

/** Takes bytes that were reserved ahead; returns whether they were there. */
export function takeLeft(left: BigInt64Array, bytes: number): boolean {
  const wanted = BigInt(bytes);
  for (;;) {
    const there = Atomics.load(left, 0);
    if (there < wanted) return false;
    if (Atomics.compareExchange(left, 0, there, there - wanted) === there) return true;
  }
}

/** Counts in one event loop. */
export class AllowedQuotaCounts implements QuotaCounts {
  readonly #allowances: QuotaAllowances;
  readonly #isTermHeld: (term: bigint) => boolean;

  /** @param isTermHeld Looks at what this process has of its lease. */
  constructor(allowances: QuotaAllowances, isTermHeld: (term: bigint) => boolean) {
    this.#allowances = allowances;
    this.#isTermHeld = isTermHeld;
  }

  async use(name: string): Promise<QuotaUse | undefined> {
    return await this.#allowances.use(name);
  }

  async reserve(quotas: readonly Quota[], amount: QuotaAmount): Promise<QuotaReservation | QuotaRefusal> {
    const allowance = await this.#allowances.reserve(quotas.map(({ name, limits }) => ({ name, limits })), amount);
    if ("refusal" in allowance) return allowance;
    const { lost, left, term } = allowance;
    return {
      ...lost && { lost },
      isHeld: () => this.#isTermHeld(term),
      grow: (bytes) => takeLeft(left, bytes) || allowance.grow(bytes),
      commit: (amount) => allowance.commit(amount),
      [Symbol.dispose]: () => allowance[Symbol.dispose](),
    };
  }

  async beginCount(name: string): Promise<QuotaCounting | undefined> {
    return await this.#allowances.beginCount(name);
  }
}
