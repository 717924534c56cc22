/**
 * Protected connections for sending, on `node:tls` directly over the socket: twice as fast as over a stream of ours.
 *
 * @module
 */

import type net from "node:net";
import { setImmediate } from "node:timers";
import type tls from "node:tls";
import { type Connection, ConnectionError, type PeerEnding, type SocketAddress, type TlsInfo } from "./connection.ts";
import { closedError, socketClosedError, toConnectionError } from "./connection_failure.ts";
import { guarded } from "./error_scope.ts";
import { joinUnread, type SocketEnds } from "./node_socket.ts";
import { PendingCall } from "./pending_call.ts";
import { ReceiveQueue } from "./receive_queue.ts";
import { onTlsError, serverSocket, tlsInfo } from "./tls_connection.ts";
import type { HandshakeSettings, TlsContext } from "./tls_context.ts";

/** What a sending connection is made of. */
export interface TlsSendConnectionOptions {
  /** Paused; what was read from it before is back in it: `giveBack()`. */
  readonly socket: net.Socket;
  readonly ends: SocketEnds;
  readonly context: TlsContext;
  /** Names of RFC 7301 that are spoken here. */
  readonly alpnProtocols: readonly string[];
  /** Takes over the finished socket of a peer that has not ended yet. It is still being read from. */
  readonly linger: (socket: net.Socket) => void;
}

/**
 * A TLS connection that sends; what the peer sends is read and dropped, so that it neither fills the memory nor makes the
 * kernel reset the connection at the end. `ending` is always `"fin"`: how the peer ended cannot be told here.
 */
export class TlsSendConnection implements Connection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #stream: tls.TLSSocket;
  readonly #linger: (socket: net.Socket) => void;
  readonly #queue: ReceiveQueue;
  readonly #sending = new PendingCall();
  readonly #secured = Promise.withResolvers<void>();
  #tls: TlsInfo | undefined;
  #isFinished = false;
  #isClosed = false;

  /** Starts the handshake: await {@linkcode TlsSendConnection.secured} before anything else. */
  constructor(options: TlsSendConnectionOptions) {
    const { socket, ends, alpnProtocols, linger } = options;
    const { handshake } = options.context;
    this.local = ends.local;
    this.remote = ends.remote;
    this.#linger = linger;
    this.#queue = new ReceiveQueue(socket, Infinity);
    joinUnread(socket);
    this.#stream = serverSocket(socket, { handshake, alpnProtocols });
    this.#stream.once("secure", guarded(() => this.#takeHandshake(handshake)));
    this.#stream.once("end", guarded(() => this.#takeEnd()));
    socket.once("end", guarded(() => this.#takeEnd())); // where it came before the engine read from the socket
    this.#stream.once("close", guarded(() => this.#fail(socketClosedError())));
    onTlsError(this.#stream, guarded((error) => this.#fail(toConnectionError(error))));
    this.#stream.resume();
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  get ending(): PeerEnding | undefined {
    return this.#queue.ending;
  }

  /**
   * Waits for the end of the handshake. When it fails the connection is closed.
   *
   * @throws {ConnectionError} Kind `"handshake"`, or `"closed"` when it was closed meanwhile.
   */
  get secured(): Promise<void> {
    return this.#secured.promise;
  }

  /** Waits for the peer's end; there are never bytes. */
  read(): Promise<Uint8Array | null> {
    return this.#queue.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#sending.run((done) => this.#stream.write(bytes, done));
  }

  finish(): Promise<void> {
    return this.#sending.run((done) =>
      this.#stream.end((error?: Error | null) => {
        this.#isFinished = !error;
        done(error);
      })
    );
  }

  /** See `Connection.close`. A finished connection goes to `linger` while the peer has not ended. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = closedError();
    this.#queue.close(error);
    this.#sending.fail(error);
    this.#secured.reject(error);
    if (this.#isFinished && !this.#stream.destroyed) this.#linger(this.#stream);
    else this.#stream.destroy();
  }

  #takeHandshake(handshake: HandshakeSettings): void {
    try {
      this.#tls = tlsInfo(this.#stream, handshake);
      this.#secured.resolve();
    } catch (error) {
      this.#fail(toConnectionError(error, "handshake"));
    }
  }

  #takeEnd(): void {
    if (this.#tls === undefined) this.#fail(new ConnectionError("handshake", "Peer left during the handshake"));
    else this.#queue.settle("fin");
  }

  #fail(error: ConnectionError): void {
    if (this.#tls === undefined) {
      this.#secured.reject(new ConnectionError("handshake", error.message, { cause: error.cause ?? error }));
      // A turn later the alert is written, which tells the client why.
      setImmediate(guarded(() => void this.#stream.destroy()));
    }
    this.#queue.settle(error);
    this.#sending.fail(error);
  }
}
