/**
 * A protected data connection before its command, from its first bytes to its handshake, and one that sends.
 *
 * Most clients make the handshake after the 150 (RFC 4217 §13.1), some wait for it before they send the command, and curl
 * sends it at once but does not look at the control connection for 0.2 s unless it is answered. So a handshake that has begun
 * is answered, though not at once: where the command comes with it, the direction is known, and sending is twice as fast.
 *
 * @module
 */

import type net from "node:net";
import {
  type Connection,
  ConnectionError,
  type Direction,
  type IncomingConnection,
  type SocketAddress,
} from "./connection.ts";
import { CLOSED_ERROR, SOCKET_CLOSED_ERROR } from "./connection_failure.ts";
import { guarded, scoped } from "./error_scope.ts";
import { joinUnread, pushBack } from "./node_socket.ts";
import { TlsConnection, type TlsConnectionOptions } from "./tls_connection.ts";
import { TlsReceiveConnection } from "./tls_receive_connection.ts";

const READ_AHEAD_BYTES = 512 * 1024;
/** How long a handshake that has begun waits for the command. */
const COMMAND_WAIT_MS = 10;

/** Owns the socket, until it is opened. */
export class TlsIncoming implements IncomingConnection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #options: TlsSendConnectionOptions;
  readonly #socket: net.Socket;
  #commandTimer: ReturnType<typeof setTimeout> | undefined;
  /** The handshake that was begun before the command. */
  #early: TlsReceiveConnection | undefined;
  /** The handshake that the command waits for. */
  #opening: TlsReceiveConnection | TlsSendConnection | undefined;
  #isHandedOver = false;

  /** @param options The socket is paused, and nothing was read from it. */
  constructor(options: TlsSendConnectionOptions) {
    this.local = options.ends.local;
    this.remote = options.ends.remote;
    this.#options = options;
    this.#socket = options.socket;
    this.#socket.on("error", () => {}); // open() reports it
    this.#socket.once("data", this.#takeFirst);
    this.#socket.resume();
  }

  async open(direction: Direction): Promise<Connection> {
    if (this.#isHandedOver) throw CLOSED_ERROR;
    this.#handOver();
    const connection = this.#begin(direction);
    this.#opening = connection;
    await connection.secured;
    this.#opening = undefined;
    return connection;
  }

  watch(onEnd: () => void): void {
    if (this.#isHandedOver) return;
    const report = () => {
      this.#socket.off("end", report);
      this.#socket.off("close", report);
      if (!this.#isHandedOver) onEnd();
    };
    if (this.#socket.destroyed || this.#socket.readableEnded) return report();
    this.#socket.once("end", report);
    this.#socket.once("close", report);
  }

  close(): void {
    if (!this.#isHandedOver) {
      this.#handOver();
      this.#early?.close();
      this.#socket.destroy();
    }
    this.#opening?.close();
  }

  readonly #takeFirst = scoped((bytes: Uint8Array): void => {
    pushBack(this.#socket, [bytes]);
    this.#commandTimer = setTimeout(guarded(() => this.#beginEarly()), COMMAND_WAIT_MS);
  });

  #beginEarly(): void {
    if (this.#hasLeft) return; // open() reports it
    this.#early = this.#receiving();
    this.#early.secured.catch(() => {}); // open() reports it
  }

  get #hasLeft(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  #handOver(): void {
    this.#isHandedOver = true;
    clearTimeout(this.#commandTimer);
    if (this.#early !== undefined) return;
    this.#socket.pause();
    this.#socket.off("data", this.#takeFirst);
  }

  #begin(direction: Direction): TlsReceiveConnection | TlsSendConnection {
    if (this.#early !== undefined) {
      if (direction === "send") this.#early.startSending(this.#options.linger);
      return this.#early;
    }
    if (this.#hasLeft) {
      this.#socket.destroy();
      throw new ConnectionError("handshake", "Peer left before the handshake");
    }
    return direction === "send" ? this.#sending() : this.#receiving();
  }

  #sending(): TlsSendConnection {
    return new TlsSendConnection(this.#options);
  }

  #receiving(): TlsReceiveConnection {
    return new TlsReceiveConnection({ ...this.#options, holdReplies: true, readAheadBytes: READ_AHEAD_BYTES });
  }
}

/** What a sending connection is made of. */
export interface TlsSendConnectionOptions extends TlsConnectionOptions {
  /** Takes over the finished socket of a peer that has not ended yet. It is still being read from. */
  readonly linger: (socket: net.Socket) => void;
}

/**
 * A TLS connection that sends, on `node:tls` directly over the socket, which is twice as fast as over a stream of ours. What the
 * peer sends is read and dropped, so that it neither fills the memory nor makes the
 * kernel reset the connection at the end. `ending` is always `"fin"`: how the peer ended is not known here.
 */
export class TlsSendConnection extends TlsConnection<net.Socket> {
  readonly #linger: (socket: net.Socket) => void;
  #isFinished = false;

  constructor(options: TlsSendConnectionOptions) {
    const { socket, linger } = options;
    super(options, {
      readAheadBytes: Infinity,
      carrier: () => {
        joinUnread(socket);
        return socket;
      },
    });
    this.#linger = linger;
    socket.once("end", guarded(() => this.takeEnd())); // where it came before the engine read from the socket
    this.stream.once("close", guarded(() => this.fail(SOCKET_CLOSED_ERROR)));
    this.stream.resume();
  }

  finish(): Promise<void> {
    return this.sending.run((done) =>
      this.stream.end((error?: Error | null) => {
        this.#isFinished = !error;
        done(error);
      })
    );
  }

  /** A finished connection goes to `linger` while the peer has not ended. */
  protected release(): void {
    if (this.#isFinished && !this.stream.destroyed) this.#linger(this.stream);
    else this.stream.destroy();
  }

  protected settleEnd(): void {
    this.queue.settle("fin");
  }
}
