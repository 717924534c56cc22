/**
 * What the sessions of one account use together.
 *
 * @module
 */

import type { Account, AccountLimits } from "../auth/authorizer.ts";
import { Throttle } from "../data/throttle.ts";

/** A session's share of its account; disposing of it ends the session's use. */
export interface AccountShare extends Disposable {
  /** Throttles of the account by direction. */
  readonly throttles: AccountThrottles;
}

/** Throttles by direction, where there are limits. */
export interface AccountThrottles {
  /** Of downloads. */
  readonly send: Throttle | undefined;
  /** Of uploads. */
  readonly receive: Throttle | undefined;
}

interface Usage {
  sessions: number;
  bandwidth: AccountLimits["bandwidth"];
  throttles: AccountThrottles;
}

/** Counts sessions by user name, and keeps the throttles that they share. */
export class AccountUsage {
  readonly #byName = new Map<string, Usage>();

  /** Takes a share for one more session; `undefined` when the account has as many as it may. */
  enter(account: Account): AccountShare | undefined {
    const { username, limits = {} } = account;
    const { connections = 0, bandwidth } = limits;
    const usage = this.#byName.get(username) ?? { sessions: 0, bandwidth, throttles: createThrottles(bandwidth) };
    if (connections > 0 && usage.sessions >= connections) return undefined;
    if (!sameRates(usage.bandwidth, bandwidth)) {
      // The limits were changed meanwhile: what is under way keeps its rate, newcomers share the new one.
      usage.bandwidth = bandwidth;
      usage.throttles = createThrottles(bandwidth);
    }
    usage.sessions++;
    this.#byName.set(username, usage);
    let isLeft = false;
    return {
      throttles: usage.throttles,
      [Symbol.dispose]: () => {
        if (isLeft) return;
        isLeft = true;
        if (--usage.sessions === 0) this.#byName.delete(username);
      },
    };
  }
}

function sameRates(one: AccountLimits["bandwidth"], other: AccountLimits["bandwidth"]): boolean {
  return (one?.upload ?? 0) === (other?.upload ?? 0) && (one?.download ?? 0) === (other?.download ?? 0);
}

/** Makes throttles for the limits that are there and not 0, in bytes a second. */
export function createThrottles(
  bandwidth: { readonly upload?: number; readonly download?: number } = {},
): AccountThrottles {
  const { upload = 0, download = 0 } = bandwidth;
  return {
    send: download > 0 ? new Throttle(download) : undefined,
    receive: upload > 0 ? new Throttle(upload) : undefined,
  };
}
