/**
 * The duties port: what one of several nodes does for all, such as the sweep of what is left over in a store.
 *
 * @module
 */

import type { MaybePromise } from "../shared_port.ts";

/** Duties by name. What a method throws says that the engine is out of reach. */
export interface Duties {
  /**
   * Takes a duty, or keeps it, for a time from now on. A node that is gone loses its duties at once.
   *
   * @returns Whether it is this node's; it may be another's meanwhile when the time is over.
   */
  take(name: string, forMs: number): MaybePromise<boolean>;
}

/** Of a server that is alone: everything is its duty. */
export const SOLE_DUTIES: Duties = { take: () => true };
