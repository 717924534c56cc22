/**
 * Ports for passive data connections.
 *
 * @module
 */

import { yieldToEventLoop } from "../deadline.ts";
import {
  ConnectionError,
  type DataListener,
  type DataTransport,
  type IncomingConnection,
  type SocketAddress,
} from "../transport/connection.ts";

/** How many ports are tried before all are looked at. */
const RANDOM_TRIES = 16;

/** How often ports are tried again that nobody of us holds: the runtime frees one a turn after it was closed. */
const MAX_RETRIES = 3;

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
    let candidates: Iterable<number> = this.#candidates(this.#range);
    for (let retries = 0; retries <= MAX_RETRIES; retries++) {
      const inUse = new Set<number>();
      for (const port of candidates) {
        if (this.#taken.has(port)) continue;
        const listener = await this.#tryPort(transport, { host, port });
        if (listener !== undefined) return listener;
        inUse.add(port);
      }
      if (inUse.size === 0) break;
      candidates = inUse;
      await yieldToEventLoop();
    }
    throw new PortsExhaustedError(`No free port in ${this.#range.from}-${this.#range.to}`);
  }

  /** Listens on a port that nobody of this pool has; `undefined` when somebody else has it. */
  async #tryPort(transport: DataTransport, address: SocketAddress): Promise<DataListener | undefined> {
    const { port } = address;
    this.#taken.add(port);
    try {
      return new PooledListener(await transport.listen(address), () => this.#taken.delete(port));
    } catch (error) {
      this.#taken.delete(port);
      if (error instanceof ConnectionError && error.kind === "addressInUse") return undefined;
      throw error;
    }
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
