/**
 * Rates of accounts that sessions of several nodes share.
 *
 * @module
 */

import { createRate, type SharedRate } from "../state.ts";

/** A rate as it is used here. */
type PartedRate = SharedRate & { readonly parts: Int32Array };

interface UsedRate {
  readonly rate: PartedRate;
  users: number;
}

/**
 * The rates in use. A rate is divided evenly among the nodes that have sessions of the account, whether these move anything or not;
 * with the next beat after one comes or goes all have the new part. So an account never goes beyond its rate for longer than that,
 * and may stay below it where its transfers are on one node only.
 */
export class SharedRates {
  /** By account, and what makes rates different ones. */
  readonly #rates = new Map<string, Map<string, UsedRate>>();

  /** Accounts that have rates in use. */
  get accounts(): readonly string[] {
    return [...this.#rates.keys()];
  }

  /** Takes a rate until what it is given with is disposed of; `undefined` for 0, which is no limit. */
  take(
    account: string,
    direction: "send" | "receive",
    bytesPerSecond: number,
    stack: DisposableStack,
  ): SharedRate | undefined {
    const name = `${direction} ${bytesPerSecond}`;
    const rates = this.#rates.get(account) ?? new Map<string, UsedRate>();
    const used = rates.get(name) ?? makeRate(bytesPerSecond, partsOf(rates));
    if (used === undefined) return undefined;
    this.#rates.set(account, rates.set(name, used));
    used.users++;
    stack.defer(() => {
      if (--used.users === 0) rates.delete(name);
      if (rates.size === 0) this.#rates.delete(account);
    });
    return used.rate;
  }

  /** So many nodes have sessions of an account now. */
  divide(account: string, nodes: number): void {
    for (const { rate } of this.#rates.get(account)?.values() ?? []) Atomics.store(rate.parts, 0, nodes);
  }
}

function partsOf(rates: ReadonlyMap<string, UsedRate>): number {
  const [first] = rates.values();
  return first === undefined ? 1 : Atomics.load(first.rate.parts, 0);
}

function makeRate(bytesPerSecond: number, parts: number): UsedRate | undefined {
  const rate = createRate(bytesPerSecond);
  return rate && { rate: { ...rate, parts: new Int32Array(new SharedArrayBuffer(4)).fill(parts) }, users: 0 };
}
