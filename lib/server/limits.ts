/**
 * How many clients may be connected.
 *
 * @module
 */

import { addressBlock } from "../protocol/host_port.ts";

/** Limits on control connections; 0: none. */
export interface ConnectionLimitsOptions {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** Counts control connections in all and by address, of IPv6 by /64. */
export class ConnectionLimits {
  #options: ConnectionLimitsOptions;
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  /** Uses other limits from now on. */
  configure(options: ConnectionLimitsOptions): void {
    this.#options = options;
  }

  /** Tells why one more connection from the address would be too many; `undefined` when it is not. */
  refusal(host: string): string | undefined {
    const { connections, connectionsPerAddress } = this.#options;
    if (connections > 0 && this.#count >= connections) {
      return "Too many connections. Service temporarily unavailable.";
    }
    if (connectionsPerAddress > 0 && (this.#byAddress.get(addressBlock(host)) ?? 0) >= connectionsPerAddress) {
      return "Too many connections from the same IP address.";
    }
    return undefined;
  }

  /** Counts a connection until what it returns is disposed of. */
  count(host: string): Disposable {
    const block = addressBlock(host);
    this.#change(block, 1);
    return { [Symbol.dispose]: () => this.#change(block, -1) };
  }

  #change(block: string, by: number): void {
    this.#count += by;
    const count = (this.#byAddress.get(block) ?? 0) + by;
    if (count > 0) this.#byAddress.set(block, count);
    else this.#byAddress.delete(block);
  }
}
