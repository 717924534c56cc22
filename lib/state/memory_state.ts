/**
 * The state of a server in the event loop that owns it.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import { addressBlock } from "../protocol/host_port.ts";
import type { Settings } from "../settings/settings.ts";
import { LoginThrottle } from "./login_throttle.ts";
import {
  type AccountSlot,
  type ConnectionSlot,
  createRate,
  type FailureCount,
  type LoginAttempt,
  type SharedRate,
  type SharedState,
} from "./state.ts";

/** What the state obeys. */
export type MemoryStateOptions = {
  readonly limits: Pick<Settings["limits"], "connections" | "connectionsPerAddress" | "connectionsBeforeLogin">;
  readonly ban: Settings["ban"];
};

/** An attempt that is counted here, at once. */
export interface MemoryAttempt extends LoginAttempt {
  fail(): FailureCount;
}

/** What the sessions of one account use together. */
interface AccountUsage {
  sessions: number;
  send: SharedRate | undefined;
  receive: SharedRate | undefined;
}

const BANNED = "Too many failed logins, try again later.";

/**
 * Counts what happens here, and what other event loops tell: control connections in all, by address (of IPv6 by /64), and
 * before their login; failed logins by address; sessions by user name, with the rates that they share. Connections that never
 * log in have a share of their own, so that they take no place from users who do.
 */
export class MemoryState implements SharedState {
  readonly #throttle: LoginThrottle;
  readonly #byAddress = new Map<string, number>();
  readonly #byAccount = new Map<string, AccountUsage>();
  #limits: MemoryStateOptions["limits"];
  #connections = 0;
  #beforeLogin = 0;

  constructor({ limits, ban }: MemoryStateOptions) {
    this.#limits = limits;
    this.#throttle = new LoginThrottle(ban);
  }

  /** Uses other options from now on; what was counted stays. */
  configure({ limits, ban }: MemoryStateOptions): void {
    this.#throttle.configure(ban);
    this.#limits = limits;
  }

  acquireConnection(host: string): ConnectionSlot | string {
    const refusal = this.#throttle.isBanned(host) ? BANNED : this.#connectionRefusal(host);
    return refusal ?? this.#countConnection(host);
  }

  async beginAttempt(host: string, signal: AbortSignal): Promise<MemoryAttempt | undefined> {
    const attempt = await this.#throttle.beginAttempt(host, signal);
    if (attempt === undefined) return undefined;
    return {
      ...attempt,
      fail: () => {
        const bannedForSeconds = attempt.fail();
        return { isBanned: this.#throttle.isBanned(host), bannedForSeconds };
      },
    };
  }

  acquireAccount(username: string, { connections = 0, bandwidth }: AccountLimits): AccountSlot | undefined {
    const usage = this.#byAccount.get(username) ?? { sessions: 0, send: undefined, receive: undefined };
    if (connections > 0 && usage.sessions >= connections) return undefined;
    // Where the limits were changed meanwhile, what is under way keeps its rate, and newcomers share the new one.
    usage.send = keptOrNew(usage.send, bandwidth?.download ?? 0);
    usage.receive = keptOrNew(usage.receive, bandwidth?.upload ?? 0);
    usage.sessions++;
    this.#byAccount.set(username, usage);
    let isLeft = false;
    return {
      send: usage.send,
      receive: usage.receive,
      [Symbol.dispose]: () => {
        if (isLeft) return;
        isLeft = true;
        if (--usage.sessions === 0) this.#byAccount.delete(username);
      },
    };
  }

  /** Returns why one more connection from the address would be too many; `undefined` when it is not. */
  #connectionRefusal(host: string): string | undefined {
    const { connections, connectionsPerAddress, connectionsBeforeLogin } = this.#limits;
    if (connections > 0 && this.#connections >= connections) {
      return "Too many connections. Service temporarily unavailable.";
    }
    if (connectionsPerAddress > 0 && (this.#byAddress.get(addressBlock(host)) ?? 0) >= connectionsPerAddress) {
      return "Too many connections from the same IP address.";
    }
    if (connectionsBeforeLogin > 0 && this.#beforeLogin >= connectionsBeforeLogin) {
      return "Too many connections that have not logged in, try again later.";
    }
    return undefined;
  }

  /** Counts a connection, as one before its login. */
  #countConnection(host: string): ConnectionSlot {
    const block = addressBlock(host);
    this.#changeConnections(block, 1);
    this.#beforeLogin++;
    let isBeforeLogin = true;
    let isHeld = true;
    const loggedIn = () => {
      if (isBeforeLogin) this.#beforeLogin--;
      isBeforeLogin = false;
    };
    return {
      loggedIn,
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        loggedIn();
        this.#changeConnections(block, -1);
      },
    };
  }

  #changeConnections(block: string, by: number): void {
    this.#connections += by;
    const count = (this.#byAddress.get(block) ?? 0) + by;
    if (count > 0) this.#byAddress.set(block, count);
    else this.#byAddress.delete(block);
  }
}

function keptOrNew(rate: SharedRate | undefined, bytesPerSecond: number): SharedRate | undefined {
  return rate?.bytesPerSecond === bytesPerSecond ? rate : createRate(bytesPerSecond);
}
