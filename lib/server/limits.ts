/**
 * How many clients may be connected.
 *
 * @module
 */

import type { ConnectionSlot } from "../control/shared_counts.ts";
import { addressBlock } from "../protocol/host_port.ts";

/** Limits on control connections; 0: none. */
export interface ConnectionLimitsOptions {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  readonly connectionsBeforeLogin: number;
}

/**
 * Counts control connections in all, by address (of IPv6 by /64), and before their login. Those that never log in have a
 * share of their own, so that they take no place from users who do.
 */
export class ConnectionLimits {
  #options: ConnectionLimitsOptions;
  readonly #byAddress = new Map<string, number>();
  #count = 0;
  #countBeforeLogin = 0;

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  /** Uses other limits from now on. */
  configure(options: ConnectionLimitsOptions): void {
    this.#options = options;
  }

  /** Tells why one more connection from the address would be too many; `undefined` when it is not. */
  refusal(host: string): string | undefined {
    const { connections, connectionsPerAddress, connectionsBeforeLogin } = this.#options;
    if (connections > 0 && this.#count >= connections) {
      return "Too many connections. Service temporarily unavailable.";
    }
    if (connectionsPerAddress > 0 && (this.#byAddress.get(addressBlock(host)) ?? 0) >= connectionsPerAddress) {
      return "Too many connections from the same IP address.";
    }
    if (connectionsBeforeLogin > 0 && this.#countBeforeLogin >= connectionsBeforeLogin) {
      return "Too many connections that have not logged in, try again later.";
    }
    return undefined;
  }

  /** Counts a connection, as one before its login. */
  count(host: string): ConnectionSlot {
    const block = addressBlock(host);
    this.#change(block, 1);
    this.#countBeforeLogin++;
    let isBeforeLogin = true;
    const loggedIn = () => {
      if (isBeforeLogin) this.#countBeforeLogin--;
      isBeforeLogin = false;
    };
    return {
      loggedIn,
      [Symbol.dispose]: () => {
        loggedIn();
        this.#change(block, -1);
      },
    };
  }

  #change(block: string, by: number): void {
    this.#count += by;
    const count = (this.#byAddress.get(block) ?? 0) + by;
    if (count > 0) this.#byAddress.set(block, count);
    else this.#byAddress.delete(block);
  }
}
