/**
 * What is counted and held over all sessions of a server: connections, failed logins, and what the sessions of one account
 * use.
 *
 * Several event loops have it in memory that they share, but for failed logins, which one of them owns; a state of a program's
 * own is asked by messages. So the answers may take a moment, and where the owner is out of reach there may be none.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import type { Lease, MaybePromise, SharedMethods } from "../shared_port.ts";

/** A rate that several transfers keep together, also those of different event loops: it can be sent to another. */
export interface SharedRate {
  /** At least 1. */
  readonly bytesPerSecond: number;
  /** When the bytes that went through would all be gone at the rate: microseconds since 1970, in one place. */
  readonly freeAtUs: BigInt64Array;
  /** How many parts it is divided in, one of which is kept here, in one place; absent or less than 2: it is not. */
  readonly parts?: Int32Array;
}

/** Makes a rate that nobody has used yet; `undefined` for 0, which is no limit. */
export function createRate(bytesPerSecond: number): SharedRate | undefined {
  if (bytesPerSecond === 0) return undefined;
  return { bytesPerSecond, freeAtUs: new BigInt64Array(new SharedArrayBuffer(8)) };
}

/** A connection that counts until it is disposed of. */
export interface ConnectionSlot extends Lease {
  /** Somebody has logged in on it: it gives back its share of those before the login. May be called again. */
  loggedIn(): void;
}

/**
 * A password that is being checked: a failed login from its beginning on, until it is given back. Disposing of it is its
 * failure, unless it has ended before.
 */
export interface LoginAttempt extends Lease {
  /** The password was right, or nobody has looked at it: it counts as nothing. */
  giveBack(): void;
  /** The password was wrong, or its client did not wait for the answer: it counts for good. */
  fail(): MaybePromise<FailureCount>;
}

/** What a failed login has brought. */
export interface FailureCount {
  /** Whether the address is banned now. */
  readonly isBanned: boolean;
  /** Length of the ban in seconds, when this was the failure that brought it. */
  readonly bannedForSeconds: number | undefined;
}

/** A session's place among those of its account, until it is disposed of. */
export interface AccountSlot extends Lease {
  /** Rate of downloads that all sessions of the account keep together; absent: no limit. */
  readonly send: SharedRate | undefined;
  /** The same of uploads. */
  readonly receive: SharedRate | undefined;
}

/**
 * The state. What it refuses is an answer. What it throws, beside the reason of a signal, says that it is out of reach; what a
 * server does then is in {@linkcode ON_FAILURE}.
 */
export interface SharedState {
  /** Takes a place for a connection; a text tells why there is none. */
  acquireConnection(host: string, signal: AbortSignal): MaybePromise<ConnectionSlot | string>;
  /**
   * Begins to check a password, which may have to wait for others of the address; `undefined` when the address may not log
   * in now.
   *
   * @throws The reason of `signal` when it aborts before; then nothing is counted.
   */
  beginAttempt(host: string, signal: AbortSignal): MaybePromise<LoginAttempt | undefined>;
  /** Takes a place for a session of an account; `undefined` when the account has as many as it may. */
  acquireAccount(
    username: string,
    limits: AccountLimits,
    signal: AbortSignal,
  ): MaybePromise<AccountSlot | undefined>;
}

/** What event loops share of it. */
export const SHARED_STATE: SharedMethods<SharedState> = {
  acquireConnection: { loggedIn: "tell" },
  beginAttempt: { giveBack: "undo", fail: "ask" },
  acquireAccount: { send: "value", receive: "value" },
};

/**
 * What the server does where the state fails. What is new is refused, with 421, or 451 for a file; what runs goes on, but for
 * an upload that may not be the only one of its file any more. A call that hangs ends with its signal: that of the session, of
 * the transfer, or of the time for the login before there is a session.
 */
export const ON_FAILURE = {
  acquireConnection: "refuse",
  beginAttempt: "refuse",
  acquireAccount: "refuse",
  claim: "refuse",
  /** The attempt has counted since it began, so nobody guesses for free; but nobody knows whether there is a ban. */
  fail: "refuse",
  /** The connection keeps its share of those before the login. */
  loggedIn: "goOn",
  /** The password was right: the attempt counts against the address, and the login goes on. */
  giveBack: "goOn",
  /** Failed logins and bans hold for the process, and may be forgotten with it. */
  keepAttempts: "goOn",
  /** The engine has to find out by itself who has gone. */
  release: "goOn",
  /** A session or a transfer goes on without its place. */
  lost: "goOn",
  /** Somebody else may write the file by now: the upload takes no more bytes, and its end is an error. */
  lostClaim: "cut",
} as const;

/** The state is out of reach: what would be new has to come again later. */
export class StateUnavailableError extends Error {
  /** The name of the class. */
  override readonly name = "StateUnavailableError";

  /** Wraps what the engine threw, which is its `cause`. */
  constructor(cause: unknown) {
    super("The state is out of reach", { cause });
  }
}
