/**
 * The bans port: what an operator sees of bans, and does about them.
 *
 * @module
 */

import type { MaybePromise } from "../shared_port.ts";

/** An address that is banned now. */
export interface Ban {
  /** Of IPv6 its /64. */
  readonly address: string;
  /** How long it lasts still. */
  readonly seconds: number;
}

/** The bans of a server, or of all nodes. What a method throws says that the engine is out of reach. */
export interface Bans {
  /** Returns who is banned now. */
  list(): MaybePromise<readonly Ban[]>;
  /**
   * Bans an address from now on, in place of a ban that it has.
   *
   * @param address Numeric; of IPv6 its /64 is banned.
   * @param seconds Over 0.
   */
  ban(address: string, seconds: number): MaybePromise<void>;
  /** Ends a ban, and forgets the failures that brought it; returns whether there was one. */
  lift(address: string): MaybePromise<boolean>;
}
