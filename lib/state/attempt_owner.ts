/**
 * What one event loop does for the others about logins: it alone knows the failures of each address.
 *
 * @module
 */

import type { MaybePromise, SharedMethods } from "../shared_port.ts";
import type { FailureCount, LoginAttempt } from "./state.ts";

/** The owner of the failures. What the others can be sure of by the memory that they share, they do not ask. */
export interface AttemptOwner {
  /** Returns whether an address is banned now. */
  isBanned(host: string): MaybePromise<boolean>;
  /** See `SharedState.beginAttempt`; one that begins here ends here. */
  beginAttempt(host: string, signal: AbortSignal): MaybePromise<LoginAttempt | undefined>;
  /** Ends an attempt as a failure that has begun in another event loop, by the memory alone. */
  failAttempt(host: string): MaybePromise<FailureCount>;
  /** An attempt of the address has ended, for which somebody waits here. */
  wake(host: string): MaybePromise<void>;
}

/** What event loops share of it. */
export const SHARED_ATTEMPTS: SharedMethods<AttemptOwner> = {
  isBanned: {},
  beginAttempt: { giveBack: "undo", fail: "ask" },
  failAttempt: {},
  wake: {},
};
