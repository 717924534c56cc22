/**
 * Clear data connections on Deno's own TCP sockets, which move several times more bytes a second than those of `node:net`.
 *
 * @module
 */

import type net from "node:net";
import type {
  Connection,
  DataListener,
  DataTransport,
  Direction,
  IncomingConnection,
  PeerEnding,
  SocketAddress,
} from "./connection.ts";
import { CLOSED_ERROR, toConnectionError } from "./connection_failure.ts";
import { inCurrentScope } from "./error_scope.ts";
import { dialSocket, type SocketEnds, SocketListener, toSocketAddress } from "./node_socket.ts";
import type { ProxyGate } from "./proxy_gate.ts";
import { ClearConnection, TcpConnection } from "./tcp_connection.ts";

const READ_BUFFER_BYTES = 256 * 1024;
/** A small file needs no more, and a large buffer takes longer to make than a small file to come. */
const FIRST_BUFFER_BYTES = 8 * 1024;
const BUFFER_GROWTH = 8;

/**
 * Opens clear data connections. Those dialled are of `node:net`: `Deno.connect` cannot choose the local address. So are those
 * through a balancer, whose pace is not Deno's anyway: what it says first is read in one place for all.
 */
export class DenoTcpTransport implements DataTransport {
  /** A listener may outlive the session that it is opened for. */
  readonly #inScope = inCurrentScope();
  readonly #proxyGate: ProxyGate | undefined;

  /** @param proxyGate Reads what balancers say before all else; absent: clients connect by themselves. */
  constructor(proxyGate?: ProxyGate) {
    this.#proxyGate = proxyGate;
  }

  async listen(address: SocketAddress): Promise<DataListener> {
    const proxyGate = this.#proxyGate;
    if (proxyGate !== undefined) {
      return new ProxiedListener(await this.#inScope(() => SocketListener.listen(address, { proxyGate })));
    }
    try {
      return new DenoListener(Deno.listen({ hostname: address.host, port: address.port }), this.#inScope);
    } catch (error) {
      throw error instanceof Deno.errors.AddrInUse ? toConnectionError(error, "addressInUse") : error;
    }
  }

  async connect(
    options: { readonly remote: SocketAddress; readonly localHost: string; readonly signal: AbortSignal },
  ): Promise<IncomingConnection> {
    const { socket, ends } = await dialSocket(options);
    return clearIncoming(socket, ends);
  }
}

function clearIncoming(socket: net.Socket, ends: SocketEnds): IncomingConnection {
  return new ClearIncoming(new TcpConnection(socket, ends, { readAheadBytes: READ_BUFFER_BYTES }));
}

/** Connections through a balancer. */
class ProxiedListener implements DataListener {
  readonly #listener: SocketListener;

  constructor(listener: SocketListener) {
    this.#listener = listener;
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  async accept(): Promise<IncomingConnection> {
    const { socket, ends } = await this.#listener.accept();
    return clearIncoming(socket, ends);
  }

  get isClosed(): boolean {
    return this.#listener.isClosed;
  }

  get hasRefused(): boolean {
    return this.#listener.hasRefused;
  }

  refuse(): void {
    this.#listener.refuse();
  }

  close(): void {
    this.#listener.close();
  }
}

class DenoListener implements DataListener {
  readonly address: SocketAddress;
  readonly #listener: Deno.TcpListener;
  readonly #inScope: <Result>(run: () => Result) => Result;
  /** The next connection: what was asked for to refuse it goes to whoever accepts meanwhile. */
  #next: Promise<Deno.TcpConn> | undefined;
  #isRefusing = false;
  #hasRefused = false;
  /** Whether the loop runs that refuses each. */
  #refusesEach = false;
  #isClosed = false;

  constructor(listener: Deno.TcpListener, inScope: <Result>(run: () => Result) => Result) {
    this.#listener = listener;
    this.#inScope = inScope;
    this.address = netAddress(listener.addr);
  }

  async accept(): Promise<IncomingConnection> {
    this.#isRefusing = false;
    this.#hasRefused = false;
    while (!this.#isClosed) {
      try {
        return new ClearIncoming(new DenoTcpConnection(await this.#take()));
      } catch (error) {
        if (!this.#isClosed && !hasLeftEarly(error)) throw toConnectionError(error);
      }
    }
    throw CLOSED_ERROR;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  refuse(): void {
    this.#isRefusing = true;
    if (!this.#refusesEach) void this.#inScope(() => this.#refuseEach());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
  }

  #take(): Promise<Deno.TcpConn> {
    if (this.#next !== undefined) return this.#next;
    const taken = () => void (this.#next = undefined);
    this.#next = this.#listener.accept();
    this.#next.then(taken, taken);
    return this.#next;
  }

  /** Never rejects. */
  async #refuseEach(): Promise<void> {
    this.#refusesEach = true;
    while (this.#isRefusing && !this.#isClosed) {
      try {
        const connection = await this.#take();
        if (!this.#isRefusing) break;
        this.#hasRefused = true;
        connection.close();
      } catch (error) {
        // Where file descriptors are short it could not refuse what comes.
        if (!hasLeftEarly(error) && this.#isRefusing) this.close();
      }
    }
    this.#refusesEach = false;
  }
}

/** A connection that needs nothing to be usable. */
class ClearIncoming implements IncomingConnection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  #connection: ClearConnection | undefined;

  constructor(connection: ClearConnection) {
    this.local = connection.local;
    this.remote = connection.remote;
    this.#connection = connection;
  }

  open(_direction: Direction): Promise<Connection> {
    const connection = this.#connection;
    this.#connection = undefined;
    return connection === undefined ? Promise.reject(CLOSED_ERROR) : Promise.resolve(connection);
  }

  watch(onEnd: () => void): void {
    const connection = this.#connection;
    const report = (bytes: Uint8Array | null) => void (bytes === null && this.#connection === connection && onEnd());
    connection?.readAhead().then(report, () => report(null)); // whoever reads gets the failure
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

class DenoTcpConnection extends ClearConnection {
  readonly #conn: Deno.TcpConn;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #ending: PeerEnding | undefined;
  #isClosed = false;

  constructor(conn: Deno.TcpConn) {
    super({ local: netAddress(conn.localAddr), remote: netAddress(conn.remoteAddr) });
    this.#conn = conn;
  }

  get ending(): PeerEnding | undefined {
    return this.#ending;
  }

  protected async receive(): Promise<Uint8Array | null> {
    const buffer = this.#buffer ??= new Uint8Array(FIRST_BUFFER_BYTES);
    const count = await this.#guard(this.#conn.read(buffer));
    if (count === null) {
      this.#ending = "fin";
      return null;
    }
    if (count === buffer.length && count < READ_BUFFER_BYTES) {
      this.#buffer = new Uint8Array(Math.min(count * BUFFER_GROWTH, READ_BUFFER_BYTES));
    }
    return buffer.subarray(0, count);
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) rest = rest.subarray(await this.#guard(this.#conn.write(rest)));
  }

  async finish(): Promise<void> {
    await this.#guard(this.#conn.closeWrite());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }

  async #guard<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw this.#isClosed ? CLOSED_ERROR : toConnectionError(error);
    }
  }
}

function netAddress(address: Deno.NetAddr): SocketAddress {
  return toSocketAddress(address.hostname, address.port);
}

// A peer that resets its connection before it is accepted makes accept() fail.
function hasLeftEarly(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}
