/**
 * The data port of a session: where its next data connection will come from (RFC 959 §3.2).
 *
 * @module
 */

import { Watchdog } from "../deadline.ts";
import {
  ConnectionError,
  type DataTransport,
  type IncomingConnection,
  type SocketAddress,
} from "../transport/connection.ts";
import { acceptPeer, type PassiveOptions } from "./passive.ts";
import type { PortPool } from "./port_pool.ts";

/** What a session's data port is doing. */
export type DataPortState = "closed" | "listening" | "connected";

/**
 * Holds at most one passive listener or established connection; opening replaces what was there. The session owns it and
 * closes it at its end; a transfer takes the connection out and owns it from then on.
 */
export class DataPort implements Disposable {
  readonly #pool: PortPool;
  /** What the port holds now; its `close()` ends whatever stage it is in. */
  #current: { readonly connection: Promise<IncomingConnection>; readonly close: () => void } | undefined;
  #state: DataPortState = "closed";
  /** How often it was closed. A listener that was being opened meanwhile comes too late. */
  #closings = 0;

  /** Makes a closed port that takes its listeners from the server's pool. */
  constructor(pool: PortPool) {
    this.#pool = pool;
  }

  /** What the port is doing. */
  get state(): DataPortState {
    return this.#state;
  }

  /**
   * Listens on the given local address for one connection from the peer.
   *
   * @returns The address and port the client has to connect to.
   * @throws {PortsExhaustedError} When no port is free.
   * @throws {ConnectionError} Kind `"closed"` when the port is closed meanwhile.
   */
  async openPassive(transport: DataTransport, localHost: string, options: PassiveOptions): Promise<SocketAddress> {
    this.close();
    const closings = this.#closings;
    const listener = await this.#pool.listen(transport, localHost);
    if (closings !== this.#closings) {
      listener.close();
      throw new ConnectionError("closed", "The data port was closed");
    }
    this.#hold(acceptPeer(listener, options), () => listener.close());
    this.#state = "listening";
    return listener.address;
  }

  /**
   * Dials the client.
   *
   * @throws {ConnectionError} Kind `"refused"` when nobody accepts there, `"closed"` when the time is over.
   */
  async openActive(
    transport: DataTransport,
    options: { readonly remote: SocketAddress; readonly localHost: string; readonly timeoutMs: number },
  ): Promise<void> {
    this.close();
    const abort = new AbortController();
    using _watchdog = new Watchdog(options.timeoutMs, () => abort.abort());
    const connection = transport.connect({ ...options, signal: abort.signal });
    this.#hold(connection, () => abort.abort());
    await connection;
  }

  /**
   * Hands over the data connection, waiting for the client to make it. The caller owns, and closes, what it gets; the port
   * is closed then.
   *
   * @throws {PassiveTimeoutError} When the client did not connect in time.
   * @throws {ConnectionError} Kind `"closed"` when the port is closed, or is being closed meanwhile.
   */
  async take(): Promise<IncomingConnection> {
    const current = this.#current;
    if (current === undefined) throw new ConnectionError("closed", "The data port is closed");
    const incoming = await current.connection;
    if (this.#current === current) {
      this.#current = undefined;
      this.#state = "closed";
      return incoming;
    }
    throw new ConnectionError("closed", "The data port was closed");
  }

  /** Stops listening, and releases a connection that was not taken. May be called twice. */
  close(): void {
    const current = this.#current;
    this.#current = undefined;
    this.#state = "closed";
    this.#closings++;
    current?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #hold(connection: Promise<IncomingConnection>, stopWaiting: () => void): void {
    let arrived: IncomingConnection | undefined;
    const current = {
      connection,
      close(): void {
        stopWaiting();
        arrived?.close();
      },
    };
    this.#current = current;
    // Owned here: a connection that arrives after the port was closed or replaced is released at once.
    connection.then((incoming) => {
      arrived = incoming;
      if (this.#current === current) this.#state = "connected";
      else incoming.close();
    }, () => {
      // take() tells the reason; where nobody takes, there is nobody to tell.
      if (this.#current === current) this.#state = "closed";
    });
  }
}
