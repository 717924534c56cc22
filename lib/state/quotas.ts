/**
 * The quotas port: how much accounts, and groups of them, have stored, counted over all sessions.
 *
 * What is being written is reserved as its bytes come, so that uploads side by side never exceed a limit together. A reservation
 * ends with its lease; what has come to stay is committed, and outlives the process where the engine does.
 *
 * @module
 */

import type { Lease, MaybePromise, SharedMethods } from "../shared_port.ts";

/** Bytes and files; a change of them may be negative. */
export interface QuotaAmount {
  readonly bytes: number;
  readonly files: number;
}

/** A count and its limits. */
export interface Quota {
  /** Whose, such as `user alice` or `group partners`. */
  readonly name: string;
  /** Most bytes and files; 0: no limit. */
  readonly limits: QuotaAmount;
}

/** What is counted under a name. */
export interface QuotaUse {
  /** What is stored. */
  readonly stored: QuotaAmount;
  /** What running uploads have reserved beyond it. */
  readonly reserved: QuotaAmount;
}

/** Room that an upload, or another change, has under all its quotas. Disposing of it gives back what was not committed. */
export interface QuotaReservation extends Lease {
  /**
   * Reserves more.
   *
   * @returns Whether there was room; nothing is reserved where there was none.
   */
  grow(bytes: number): MaybePromise<boolean>;
  /** Puts what has come of it in the place of the reservation, also when that is more. May be called once. */
  commit(amount: QuotaAmount): MaybePromise<void>;
}

/** Why nothing was reserved: which limit is reached, or what has to be counted first. */
export type QuotaRefusal =
  | { readonly refusal: "bytes" | "files"; readonly name: string }
  | { readonly refusal: "uncounted"; readonly name: string };

/** The counts. What a method throws says that the engine is out of reach. */
export interface QuotaCounts {
  /** Returns what is counted under a name; `undefined` as long as nobody has counted what there is. */
  use(name: string): MaybePromise<QuotaUse | undefined>;
  /**
   * Begins a change under all quotas, or under none. A change that adds nothing is not refused by a limit, wherever the count is.
   */
  reserve(quotas: readonly Quota[], amount: QuotaAmount): MaybePromise<QuotaReservation | QuotaRefusal>;
  /**
   * Lets the caller count what there is; no change begins meanwhile.
   *
   * @returns `undefined` when somebody else counts, or it is counted, or a change is under way.
   */
  beginCount(name: string): MaybePromise<QuotaCounting | undefined>;
}

/** The right to count. Disposed of without an end, all is as before. */
export interface QuotaCounting extends Lease {
  /** Sets what there is. */
  end(stored: QuotaAmount): MaybePromise<void>;
}

/** Where counts are kept beyond the process. What a method throws says that it is out of reach. */
export interface QuotaStore {
  /** Returns what was stored when it was counted last; `undefined` if never. */
  load(name: string): MaybePromise<QuotaAmount | undefined>;
  /** Keeps the counts of names, which it looks up by itself. */
  save(names: readonly string[]): MaybePromise<void>;
}

/** What event loops share of it. */
export const SHARED_QUOTA_STORE: SharedMethods<QuotaStore> = { load: {}, save: {} };

/** Nothing. */
export const NOTHING: QuotaAmount = { bytes: 0, files: 0 };
