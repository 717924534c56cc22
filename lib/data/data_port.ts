/**
 * The data port of a session: where its next data connection will come from (RFC 959 §3.2, §4.1.2 PASV, RFC 2428 §3 EPSV,
 * RFC 2577 §3 on stolen ports).
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
import type { LendingOptions, LentPort, PortPool } from "./port_pool.ts";

/** What a session's data port is doing. */
export type DataPortState = "closed" | "listening" | "connected" | "ended";

/** A connection that waits longer for its transfer is looked at for the client's end. */
const WATCH_AFTER_MS = 1000;
/** So long an ended connection waits for an STOR of an empty file and comes behind the end. */
const END_GRACE_MS = 2000;

/** Options of {@linkcode DataPort}. */
export interface DataPortOptions {
  /** How long a connection may wait for its transfer, in milliseconds; 0: no limit. @default {0} */
  readonly unusedMs?: number;
  /** Called when that time is over, unless the connection is of no use to the client any more. */
  readonly onUnused?: () => void;
  /** Asked when a time is over: while it says yes, a command is under way, and the connection may wait. */
  readonly isBusy?: () => boolean;
}

/**
 * Holds at most one passive listener or established connection; opening replaces what was there. The session owns it and
 * closes it at its end; a transfer takes the connection out and owns it from then on.
 */
export class DataPort implements Disposable {
  readonly #pool: PortPool;
  readonly #options: DataPortOptions;
  /** What the port holds now; its `close()` ends whatever stage it is in. */
  #current: { readonly connection: Promise<IncomingConnection>; readonly close: () => void } | undefined;
  #state: DataPortState = "closed";
  /** Whether a transfer was refused while a connection was there. */
  #wasRefused = false;
  /** How often it was closed. A listener that was being opened meanwhile comes too late. */
  #closings = 0;
  /** Waits for a transfer to take what has connected. */
  #unused: Watchdog | undefined;
  /** Starts looking for the client's end. */
  #watching: ReturnType<typeof setTimeout> | undefined;
  /** Settles when the port is opened for a transfer that was there first. */
  #opening: PromiseWithResolvers<void> | undefined;

  /** Makes a closed port that takes its listeners from the server's pool. */
  constructor(pool: PortPool, options: DataPortOptions = {}) {
    this.#pool = pool;
    this.#options = options;
  }

  /** What the port is doing. */
  get state(): DataPortState {
    return this.#state;
  }

  /** Whether a transfer waits for the port to be opened. */
  get isAwaited(): boolean {
    return this.#opening !== undefined;
  }

  /**
   * Listens on the given local address for one connection from the peer.
   *
   * @returns The address and port the client has to connect to.
   * @throws {PortsExhaustedError} When no port is free.
   * @throws {ConnectionError} Kind `"closed"` when the port is closed meanwhile.
   */
  async openPassive(transport: DataTransport, localHost: string, options: PassiveOptions): Promise<SocketAddress> {
    this.#release();
    const closings = this.#closings;
    const lent = await this.#pool.lend(transport, localHost, {
      acceptsAnyPeer: options.peerHost === undefined,
      isPrompt: options.isPrompt,
    });
    if (closings !== this.#closings) {
      lent.close();
      throw new ConnectionError("closed", "The data port was closed");
    }
    this.#hold(acceptPeer(lent, options), () => lent.close());
    this.#state = "listening";
    return lent.address;
  }

  /**
   * Dials the client.
   *
   * @throws {ConnectionError} Kind `"refused"` when nobody accepts there, `"closed"` when the port is closed meanwhile.
   * @throws {DataConnectTimeoutError} When the time is over.
   */
  async openActive(
    transport: DataTransport,
    options: { readonly remote: SocketAddress; readonly localHost: string; readonly timeoutMs: number },
  ): Promise<void> {
    this.#release();
    const abort = new AbortController();
    let expired = false;
    using _watchdog = new Watchdog(options.timeoutMs, () => {
      expired = true;
      abort.abort();
    });
    const connection = transport.connect({ ...options, signal: abort.signal });
    this.#hold(connection, () => abort.abort());
    try {
      await connection;
    } catch (error) {
      throw expired ? new DataConnectTimeoutError("active", { cause: error }) : error;
    }
  }

  /**
   * Waits for the port to be opened, where it is not: STOU may go before PORT (RFC 1123 §4.1.2.9 has its name in the 150).
   *
   * @throws {ConnectionError} Kind `"closed"` when the port is closed instead, or the time is over.
   */
  async opened(timeoutMs: number): Promise<void> {
    if (this.#current !== undefined) return;
    this.#opening ??= Promise.withResolvers();
    using _watchdog = new Watchdog(timeoutMs, () => this.close());
    await this.#opening.promise;
  }

  /**
   * Hands over the data connection, waiting for the client to make it. The caller owns, and closes, what it gets; the port
   * is closed then.
   *
   * @throws {DataConnectTimeoutError} When the client did not connect in time.
   * @throws {ConnectionError} Kind `"closed"` when the port is closed, or is being closed meanwhile.
   */
  async take(): Promise<IncomingConnection> {
    const current = this.#current;
    if (current === undefined) throw new ConnectionError("closed", "The data port is closed");
    const incoming = await current.connection;
    if (this.#current === current) {
      this.#current = undefined;
      this.#state = "closed";
      this.#stopWaiting();
      return incoming;
    }
    throw new ConnectionError("closed", "The data port was closed");
  }

  /** Says that a transfer was refused: its connection may wait for another one, but without an event about it. */
  refuse(): void {
    this.#wasRefused = true;
  }

  /** Stops listening, and releases a connection that was not taken. May be called twice. */
  close(): void {
    this.#release();
    this.#opening?.reject(new ConnectionError("closed", "The data port was closed"));
    this.#opening = undefined;
  }

  #release(): void {
    const current = this.#current;
    this.#current = undefined;
    this.#state = "closed";
    this.#closings++;
    this.#wasRefused = false;
    this.#stopWaiting();
    current?.close();
  }

  #stopWaiting(): void {
    clearTimeout(this.#watching);
    this.#unused?.[Symbol.dispose]();
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
    this.#opening?.resolve();
    this.#opening = undefined;
    // Owned here: a connection that arrives after the port was closed or replaced is released at once.
    connection.then((incoming) => {
      arrived = incoming;
      if (this.#current === current) this.#connected(incoming);
      else incoming.close();
    }, () => {
      // take() tells the reason; where nobody takes, there is nobody to tell.
      if (this.#current === current) this.#state = "closed";
    });
  }

  #connected(incoming: IncomingConnection): void {
    this.#state = "connected";
    const { unusedMs = 0 } = this.#options;
    const watchAfterMs = unusedMs > 0 ? Math.min(WATCH_AFTER_MS, unusedMs / 2) : WATCH_AFTER_MS;
    this.#watching = setTimeout(() => {
      if (unusedMs > 0) this.#wait(unusedMs - watchAfterMs, () => this.#expire());
      incoming.watch(() => this.#ended());
    }, watchAfterMs);
  }

  #expire(): void {
    if (this.#wasRefused) this.close();
    else this.#options.onUnused?.();
  }

  /** Not closed at once: the end of an empty file may be seen before its STOR. */
  #ended(): void {
    this.#state = "ended";
    this.#wait(END_GRACE_MS, () => this.close());
  }

  #wait(ms: number, onExpired: () => void): void {
    const { isBusy = () => false } = this.#options;
    this.#unused?.[Symbol.dispose]();
    this.#unused = new Watchdog(ms, onExpired, { isSuspended: isBusy });
  }
}

/** The data connection was not made in time: by the client in passive mode, by the server in active mode. */
export class DataConnectTimeoutError extends Error {
  override readonly name = "DataConnectTimeoutError";
  /** Who was to make it. */
  readonly mode: "passive" | "active";

  constructor(mode: "passive" | "active", options?: ErrorOptions) {
    super(`The ${mode} data connection was not made in time`, options);
    this.mode = mode;
  }
}

/** How a passive port waits. */
export interface PassiveOptions extends Pick<LendingOptions, "isPrompt"> {
  /** Only a connection from this address is taken; `undefined`: from any. */
  readonly peerHost: string | undefined;
  /** From now to the connection, in milliseconds; 0: no limit. */
  readonly timeoutMs: number;
  /** Told of each connection that was dropped because it came from elsewhere. */
  readonly onForeignPeer: (peer: SocketAddress) => void;
}

/**
 * Waits for the one connection from the right peer, dropping others without giving up, then gives back the port.
 *
 * @param port Closed when this rejects; closing it from outside ends the wait.
 * @throws {DataConnectTimeoutError} When the time is over.
 * @throws {ConnectionError} Kind `"closed"` when the listener was closed.
 */
export async function acceptPeer(port: LentPort, options: PassiveOptions): Promise<IncomingConnection> {
  let expired = false;
  using _watchdog = new Watchdog(options.timeoutMs, () => {
    expired = true;
    port.giveUp();
  });
  try {
    for (;;) {
      const incoming = await port.accept();
      if (options.peerHost === undefined || incoming.remote.host === options.peerHost) {
        port.giveBack();
        return incoming;
      }
      incoming.close();
      options.onForeignPeer(incoming.remote);
    }
  } catch (error) {
    port.close();
    throw expired ? new DataConnectTimeoutError("passive", { cause: error }) : error;
  }
}
