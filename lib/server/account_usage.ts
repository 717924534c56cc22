/**
 * What the sessions of one account use together.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import type { AccountSlot } from "../control/shared_counts.ts";
import { createRate, type SharedRate } from "../data/throttle.ts";

interface Usage {
  sessions: number;
  send: SharedRate | undefined;
  receive: SharedRate | undefined;
}

/** Counts sessions by user name, and keeps the rates that they share. */
export class AccountUsage {
  readonly #byName = new Map<string, Usage>();

  /** Takes a place for one more session; `undefined` when the account has as many as it may. */
  enter(username: string, { connections = 0, bandwidth }: AccountLimits): AccountSlot | undefined {
    const usage = this.#byName.get(username) ?? { sessions: 0, send: undefined, receive: undefined };
    if (connections > 0 && usage.sessions >= connections) return undefined;
    // Where the limits were changed meanwhile, what is under way keeps its rate, and newcomers share the new one.
    usage.send = keptOrNew(usage.send, bandwidth?.download ?? 0);
    usage.receive = keptOrNew(usage.receive, bandwidth?.upload ?? 0);
    usage.sessions++;
    this.#byName.set(username, usage);
    let isLeft = false;
    return {
      send: usage.send,
      receive: usage.receive,
      [Symbol.dispose]: () => {
        if (isLeft) return;
        isLeft = true;
        if (--usage.sessions === 0) this.#byName.delete(username);
      },
    };
  }
}

function keptOrNew(rate: SharedRate | undefined, bytesPerSecond: number): SharedRate | undefined {
  return rate?.bytesPerSecond === bytesPerSecond ? rate : createRate(bytesPerSecond);
}
