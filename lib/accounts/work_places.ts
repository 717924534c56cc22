/**
 * Where costly work waits for its turn: checks of passwords, each of which takes much memory.
 *
 * @module
 */

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
