/**
 * Ports for passive data connections.
 *
 * @module
 */

import {
  ConnectionError,
  type DataListener,
  type DataTransport,
  type IncomingConnection,
  type SocketAddress,
} from "../transport/connection.ts";

/** How many ports are tried before all are looked at. */
const RANDOM_TRIES = 16;

/** No port of the passive range is free. */
export class PortsExhaustedError extends Error {
  override readonly name = "PortsExhaustedError";
}

/**
 * Opens listeners on random ports of a range, so that the next port cannot be guessed (RFC 2577 §3); never on one outside.
 * One pool serves all sessions of a server.
 */
export class PortPool {
  readonly #range: { readonly from: number; readonly to: number } | undefined;
  readonly #taken = new Set<number>();

  /** Makes a pool of the ports `from` to `to`, both included; without a range any port will do. */
  constructor(range: { readonly from: number; readonly to: number } | undefined) {
    this.#range = range;
  }

  /**
   * Listens on a free port. Closing the listener gives the port back.
   *
   * @throws {PortsExhaustedError} When every port of the range is taken.
   */
  async listen(transport: DataTransport, host: string): Promise<DataListener> {
    if (this.#range === undefined) return await transport.listen({ host, port: 0 });
    for (const port of this.#candidates(this.#range)) {
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      try {
        return new PooledListener(await transport.listen({ host, port }), () => this.#taken.delete(port));
      } catch (error) {
        this.#taken.delete(port);
        if (!(error instanceof ConnectionError && error.kind === "addressInUse")) throw error;
      }
    }
    throw new PortsExhaustedError(`No free port in ${this.#range.from}-${this.#range.to}`);
  }

  /** Some ports of the range at random, which find a free one where there are many; then each port, starting anywhere. */
  *#candidates({ from, to }: { readonly from: number; readonly to: number }): Generator<number> {
    const count = to - from + 1;
    for (let tries = 0; tries < RANDOM_TRIES; tries++) yield from + randomBelow(count);
    const start = randomBelow(count);
    for (let index = 0; index < count; index++) yield from + (start + index) % count;
  }
}

class PooledListener implements DataListener {
  readonly #listener: DataListener;
  readonly #release: () => void;
  #isClosed = false;

  constructor(listener: DataListener, release: () => void) {
    this.#listener = listener;
    this.#release = release;
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  accept(): Promise<IncomingConnection> {
    return this.#listener.accept();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    this.#release();
  }
}

function randomBelow(limit: number): number {
  const [word] = crypto.getRandomValues(new Uint32Array(1));
  return (word as number) % limit;
}
