/**
 * How many clients may be connected.
 *
 * @module
 */

/** Limits on control connections; 0: none. */
export interface ConnectionLimitsOptions {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** Counts control connections in all and by address. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  /** Tells why one more connection from the address would be too many; `undefined` when it is not. */
  refusal(host: string): string | undefined {
    const { connections, connectionsPerAddress } = this.#options;
    if (connections > 0 && this.#count >= connections) {
      return "Too many connections. Service temporarily unavailable.";
    }
    if (connectionsPerAddress > 0 && (this.#byAddress.get(host) ?? 0) >= connectionsPerAddress) {
      return "Too many connections from the same IP address.";
    }
    return undefined;
  }

  /** Counts a connection until what it returns is disposed of. */
  count(host: string): Disposable {
    this.#change(host, 1);
    return { [Symbol.dispose]: () => this.#change(host, -1) };
  }

  #change(host: string, by: number): void {
    this.#count += by;
    const count = (this.#byAddress.get(host) ?? 0) + by;
    if (count > 0) this.#byAddress.set(host, count);
    else this.#byAddress.delete(host);
  }
}
