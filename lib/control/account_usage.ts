/**
 * What the sessions of one account use together.
 *
 * @module
 */

import type { Account } from "../auth/authorizer.ts";
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
  readonly throttles: AccountThrottles;
}

/** Counts sessions by user name, and keeps the throttles that they share. */
export class AccountUsage {
  readonly #byName = new Map<string, Usage>();

  /** Takes a share for one more session; `undefined` when the account has as many as it may. */
  enter(account: Account): AccountShare | undefined {
    const { username, limits = {} } = account;
    const usage = this.#byName.get(username) ?? { sessions: 0, throttles: createThrottles(limits.bandwidth) };
    const most = limits.connections ?? 0;
    if (most > 0 && usage.sessions >= most) return undefined;
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
