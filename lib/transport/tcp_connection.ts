/**
 * Clear connections on `node:net`: control connections before TLS, and dialled data connections.
 *
 * @module
 */

import type net from "node:net";
import type { Connection, PeerEnding, SocketAddress } from "./connection.ts";
import { CLOSED_ERROR, SOCKET_CLOSED_ERROR, toConnectionError } from "./connection_failure.ts";
import { guarded } from "./error_scope.ts";
import type { SocketEnds } from "./node_socket.ts";
import { PendingCall } from "./pending_call.ts";
import { ReceiveQueue } from "./receive_queue.ts";

/** A connection without TLS that can be read from before it is handed over. */
export abstract class ClearConnection implements Connection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly tls = undefined;
  #ahead: Promise<Uint8Array | null> | undefined;

  constructor({ local, remote }: SocketEnds) {
    this.local = local;
    this.remote = remote;
  }

  abstract get ending(): PeerEnding | undefined;

  /** Starts the next call of {@linkcode ClearConnection.read}, which returns the same promise then. */
  readAhead(): Promise<Uint8Array | null> {
    return this.#ahead ??= this.receive();
  }

  read(): Promise<Uint8Array | null> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead ?? this.receive();
  }

  protected abstract receive(): Promise<Uint8Array | null>;

  abstract write(bytes: Uint8Array): Promise<void>;

  abstract finish(): Promise<void>;

  abstract close(): void;
}

/** A clear connection on `node:net`. It reads nothing from its socket before the first call of {@linkcode TcpConnection.read}. */
export class TcpConnection extends ClearConnection {
  readonly #socket: net.Socket;
  readonly #queue: ReceiveQueue;
  readonly #sending = new PendingCall();
  #isStarted = false;

  /** Takes over a paused socket. */
  constructor(socket: net.Socket, ends: SocketEnds, options: { readonly readAheadBytes: number }) {
    super(ends);
    this.#socket = socket;
    this.#queue = new ReceiveQueue(socket, options.readAheadBytes);
    socket.on("data", this.#take);
    socket.on("end", this.#takeEnd);
    socket.on("error", this.#fail);
    socket.on("close", this.#takeClose);
  }

  get ending(): PeerEnding | undefined {
    return this.#queue.ending;
  }

  protected receive(): Promise<Uint8Array | null> {
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#socket.resume();
    }
    return this.#queue.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#sending.run((done) => this.#socket.write(bytes, done));
  }

  finish(): Promise<void> {
    return this.#sending.run((done) => this.#socket.end(done));
  }

  close(): void {
    this.#queue.close(CLOSED_ERROR);
    this.#sending.fail(CLOSED_ERROR);
    this.#socket.destroy();
  }

  /**
   * Hands over the socket, paused; the connection cannot be used then.
   *
   * @returns What was read from the socket and not taken yet.
   */
  release(): Uint8Array[] {
    this.#socket.pause();
    this.#socket.off("data", this.#take);
    this.#socket.off("end", this.#takeEnd);
    this.#socket.off("error", this.#fail);
    this.#socket.off("close", this.#takeClose);
    const unread = this.#queue.drain();
    this.#queue.close(CLOSED_ERROR);
    this.#sending.fail(CLOSED_ERROR);
    return unread;
  }

  readonly #take = guarded((bytes: Uint8Array) => this.#queue.push(bytes));

  readonly #takeEnd = guarded(() => this.#queue.settle("fin"));

  readonly #takeClose = guarded(() => this.#fail(SOCKET_CLOSED_ERROR));

  readonly #fail = guarded((error: Error) => {
    const failure = toConnectionError(error);
    this.#queue.settle(failure);
    this.#sending.fail(failure);
  });
}
