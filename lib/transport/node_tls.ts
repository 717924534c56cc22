/**
 * Protected data connections on `node:net` and `node:tls` (RFC 4217 §7): the server has the TLS server role in passive and
 * in active mode.
 *
 * @module
 */

import type net from "node:net";
import type tls from "node:tls";
import {
  type Connection,
  ConnectionError,
  type DataListener,
  type DataTransport,
  type Direction,
  type IncomingConnection,
  type SocketAddress,
} from "./connection.ts";
import { closedError } from "./connection_failure.ts";
import { dialSocket, type SocketEnds, socketEnds, SocketListener } from "./node_socket.ts";
import { TlsConnection } from "./tls_connection.ts";
import type { TlsContext } from "./tls_context.ts";
import { TlsSendConnection, type TlsSendConnectionOptions } from "./tls_send_connection.ts";

const ALPN_PROTOCOLS = ["ftp-data", "ftp"];
const READ_AHEAD_BYTES = 512 * 1024;
const LINGER_MS = 3000;

/**
 * Opens protected data connections.
 *
 * A connection that has sent its file is read from until the client ends too, for at most 3 s after `close()`: closing with
 * unread bytes would make the kernel reset the connection and drop what the client has not received. Disposing the transport
 * waits for these.
 */
export class NodeTlsTransport implements DataTransport, AsyncDisposable {
  readonly #context: TlsContext;
  readonly #lingering = new Set<Promise<void>>();

  /** @param context The one of the control connections, so that their sessions can be resumed. */
  constructor(context: TlsContext) {
    this.#context = context;
  }

  async listen(address: SocketAddress): Promise<DataListener> {
    const listener = await SocketListener.listen(address);
    return {
      address: listener.address,
      accept: async () => {
        while (true) {
          const socket = await listener.accept();
          const ends = socketEnds(socket);
          if (ends !== undefined) return this.#incoming(socket, ends);
          socket.destroy();
        }
      },
      close: () => listener.close(),
    };
  }

  async connect(
    options: { readonly remote: SocketAddress; readonly localHost: string; readonly signal: AbortSignal },
  ): Promise<IncomingConnection> {
    const socket = await dialSocket(options);
    const ends = socketEnds(socket);
    if (ends !== undefined) return this.#incoming(socket, ends);
    socket.destroy();
    throw new ConnectionError("reset", "Peer left at once");
  }

  /** Waits until the last lingering connection is gone, at most 3 s after its `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#lingering);
  }

  #incoming(socket: net.Socket, ends: SocketEnds): IncomingConnection {
    return new NodeTlsIncoming({
      socket,
      ends,
      context: this.#context,
      alpnProtocols: ALPN_PROTOCOLS,
      linger: (stream) => this.#linger(stream),
    });
  }

  #linger(stream: tls.TLSSocket): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = setTimeout(() => stream.destroy(), LINGER_MS);
    this.#lingering.add(promise);
    stream.once("close", () => {
      clearTimeout(deadline);
      this.#lingering.delete(promise);
      resolve();
    });
  }
}

class NodeTlsIncoming implements IncomingConnection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #options: TlsSendConnectionOptions;
  #handshake: TlsConnection | TlsSendConnection | undefined;
  #isSpent = false;

  constructor(options: TlsSendConnectionOptions) {
    this.local = options.ends.local;
    this.remote = options.ends.remote;
    this.#options = options;
  }

  async open(direction: Direction): Promise<Connection> {
    if (this.#isSpent) throw closedError();
    this.#isSpent = true;
    const connection = direction === "send"
      ? new TlsSendConnection(this.#options)
      : new TlsConnection({ ...this.#options, holdReplies: true, readAheadBytes: READ_AHEAD_BYTES });
    this.#handshake = connection;
    await connection.secured;
    this.#handshake = undefined;
    return connection;
  }

  close(): void {
    if (this.#isSpent) this.#handshake?.close();
    else this.#options.socket.destroy();
    this.#isSpent = true;
  }
}
