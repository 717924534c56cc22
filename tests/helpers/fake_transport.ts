/**
 * Data connections without a network: fakes of the ports in `lib/transport/connection.ts`, driven by the test.
 *
 * @module
 */

import {
  type Connection,
  ConnectionError,
  type DataListener,
  type DataTransport,
  type Direction,
  type IncomingConnection,
  type PeerEnding,
  type SocketAddress,
  type TlsInfo,
} from "../../lib/transport/connection.ts";

/** The client of all fakes. */
export const PEER: SocketAddress = { host: "192.0.2.1", port: 50_000 };

/** The server's end of all fakes. */
export const LOCAL: SocketAddress = { host: "192.0.2.9", port: 2121 };

/** What a protected fake tells of its TLS session. */
export const TLS_INFO: TlsInfo = { protocol: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", resumed: true };

/** A call of {@linkcode FakeConnection} that may be told to wait. */
export type FakeCall = "read" | "write" | "finish";

/** How a fake connection behaves. */
export interface FakeConnectionOptions {
  /** What the peer sends, piece by piece, before it ends. */
  readonly received?: readonly Uint8Array[];
  /** How the peer ends. Default `"fin"`. */
  readonly ending?: PeerEnding;
  /** Present: the connection is protected. */
  readonly tls?: TlsInfo;
  /** This call waits until the connection is closed; `read` does so behind what the peer has sent. */
  readonly blocks?: FakeCall;
  /** Calls of `write()` reject with it. */
  readonly writeError?: Error;
}

/** A connection that records what is sent. */
export class FakeConnection implements Connection {
  readonly local: SocketAddress = LOCAL;
  readonly remote: SocketAddress = PEER;
  readonly tls: TlsInfo | undefined;
  /** Lengths of the pieces that were written. */
  readonly pieces: number[] = [];
  /** Whether our direction was ended. */
  isFinished = false;
  /** Whether it was closed. */
  isClosed = false;
  ending: PeerEnding | undefined;
  /** Resolves when a call starts to wait. */
  readonly blocked: Promise<void>;
  readonly #options: FakeConnectionOptions;
  readonly #unread: Uint8Array[];
  readonly #closed = Promise.withResolvers<never>();
  readonly #blocked = Promise.withResolvers<void>();
  #sent: Uint8Array = new Uint8Array(0);

  /** Makes an open connection. */
  constructor(options: FakeConnectionOptions = {}) {
    this.#options = options;
    this.#unread = [...options.received ?? []];
    this.#closed.promise.catch(() => {});
    this.tls = options.tls;
    this.blocked = this.#blocked.promise;
  }

  /** All that was written. */
  get sent(): Uint8Array {
    return this.#sent;
  }

  async read(): Promise<Uint8Array | null> {
    this.#throwIfClosed();
    const bytes = this.#unread.shift();
    if (bytes !== undefined) return bytes;
    if (this.#options.blocks === "read") await this.#block();
    this.ending = this.#options.ending ?? "fin";
    return null;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#throwIfClosed();
    if (this.#options.blocks === "write") await this.#block();
    await new Promise((resolve) => setTimeout(resolve));
    if (this.#options.writeError !== undefined) throw this.#options.writeError;
    this.pieces.push(bytes.length);
    const sent = new Uint8Array(this.#sent.length + bytes.length);
    sent.set(this.#sent);
    sent.set(bytes, this.#sent.length);
    this.#sent = sent;
  }

  async finish(): Promise<void> {
    this.#throwIfClosed();
    if (this.#options.blocks === "finish") await this.#block();
    this.isFinished = true;
  }

  close(): void {
    this.isClosed = true;
    this.#closed.reject(closed());
  }

  async #block(): Promise<void> {
    this.#blocked.resolve();
    await this.#closed.promise;
  }

  #throwIfClosed(): void {
    if (this.isClosed) throw closed();
  }
}

/** How a fake incoming connection behaves. */
export interface FakeIncomingOptions {
  /** Where it comes from; default {@linkcode PEER}. */
  readonly remote?: SocketAddress;
  /** What `open()` gives. */
  readonly connection?: FakeConnection;
  /** `open()` waits until the connection is closed, or rejects with the error. */
  readonly open?: "blocks" | ConnectionError;
}

/** A connection before its handshake. */
export class FakeIncoming implements IncomingConnection {
  readonly local: SocketAddress = LOCAL;
  readonly remote: SocketAddress;
  /** What `open()` gives. */
  readonly connection: FakeConnection;
  /** Direction that it was opened for. */
  direction: Direction | undefined;
  /** Whether it was closed. */
  isClosed = false;
  /** Tells that the peer has ended; there once it is watched. */
  end: (() => void) | undefined;
  /** Resolves when `open()` is called. */
  readonly opening: Promise<void>;
  readonly #open: FakeIncomingOptions["open"];
  readonly #opening = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<never>();

  /** Makes one that was not opened. */
  constructor(options: FakeIncomingOptions = {}) {
    this.remote = options.remote ?? PEER;
    this.connection = options.connection ?? new FakeConnection();
    this.#open = options.open;
    this.opening = this.#opening.promise;
    this.#closed.promise.catch(() => {});
  }

  async open(direction: Direction): Promise<Connection> {
    this.direction = direction;
    this.#opening.resolve();
    if (this.#open === "blocks") await this.#closed.promise;
    if (this.#open instanceof ConnectionError) throw this.#open;
    return this.connection;
  }

  watch(onEnd: () => void): void {
    this.end = onEnd;
  }

  close(): void {
    this.isClosed = true;
    this.#closed.reject(closed());
  }
}

/** A listener whose connections the test makes. */
export class FakeListener implements DataListener {
  readonly address: SocketAddress;
  /** Whether it was closed. */
  isClosed = false;
  /** Whether what connects is closed at once. */
  isRefusing = false;
  hasRefused = false;
  readonly #onClose: () => void;
  readonly #arrived: IncomingConnection[] = [];
  readonly #waiting: PromiseWithResolvers<IncomingConnection>[] = [];

  /** Makes one that listens. */
  constructor(address: SocketAddress, onClose: () => void = () => {}) {
    this.address = address;
    this.#onClose = onClose;
  }

  /** Lets a client connect. */
  arrive(incoming: IncomingConnection): void {
    if (this.isRefusing || this.isClosed) {
      this.hasRefused = true;
      return incoming.close();
    }
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#arrived.push(incoming);
    else waiting.resolve(incoming);
  }

  accept(): Promise<IncomingConnection> {
    if (this.isClosed) return Promise.reject(closed());
    this.isRefusing = false;
    this.hasRefused = false;
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    const waiting = Promise.withResolvers<IncomingConnection>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  refuse(): void {
    this.isRefusing = true;
    for (const incoming of this.#arrived.splice(0)) incoming.close();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#onClose();
    this.refuse();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closed());
  }
}

/** A call of `FakeTransport.connect()` that the test answers. */
export interface FakeDial {
  readonly remote: SocketAddress;
  readonly localHost: string;
  /** Answers the call. */
  readonly answer: PromiseWithResolvers<IncomingConnection>;
}

/** Opens fakes and remembers them. */
export class FakeTransport implements DataTransport {
  /** Every listener that was opened. */
  readonly listeners: FakeListener[] = [];
  /** Every call of `connect()`. */
  readonly dials: FakeDial[] = [];
  /** Ports that somebody else has. */
  readonly foreignPorts = new Set<number>();
  /** Ports that were asked for, in order. */
  readonly asked: number[] = [];
  /** Set: `listen()` waits for it. */
  listenGate: Promise<void> | undefined;
  readonly #open = new Set<number>();

  /** The newest listener. */
  get listener(): FakeListener {
    const listener = this.listeners.at(-1);
    if (listener === undefined) throw new Error("Nothing listens");
    return listener;
  }

  async listen(address: SocketAddress): Promise<DataListener> {
    this.asked.push(address.port);
    await this.listenGate;
    const { host } = address;
    const port = address.port === 0 ? 40_000 + this.listeners.length : address.port;
    if (this.foreignPorts.has(port) || this.#open.has(port)) throw new ConnectionError("addressInUse", "Port is taken");
    this.#open.add(port);
    const listener = new FakeListener({ host, port }, () => this.#open.delete(port));
    this.listeners.push(listener);
    return listener;
  }

  connect(
    options: { readonly remote: SocketAddress; readonly localHost: string; readonly signal: AbortSignal },
  ): Promise<IncomingConnection> {
    const { remote, localHost, signal } = options;
    const answer = Promise.withResolvers<IncomingConnection>();
    signal.addEventListener("abort", () => answer.reject(closed()), { once: true });
    this.dials.push({ remote, localHost, answer });
    return answer.promise;
  }
}

function closed(): ConnectionError {
  return new ConnectionError("closed", "Connection is closed");
}
