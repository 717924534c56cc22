/**
 * Protected connections whose end is known reliably: control connections and uploads.
 *
 * @module
 */

import type net from "node:net";
import { nextTick } from "node:process";
import { ConnectionError } from "./connection.ts";
import { guarded } from "./error_scope.ts";
import type { Done } from "./pending_call.ts";
import { TlsConnection, type TlsConnectionOptions } from "./tls_connection.ts";
import { TlsRecordStream } from "./tls_record_stream.ts";

/** What such a connection is made of. */
export interface TlsReceiveConnectionOptions extends TlsConnectionOptions {
  /** Send nothing between the handshake and the peer's end. */
  readonly holdReplies: boolean;
  /** See {@linkcode ReceiveQueue}. */
  readonly readAheadBytes: number;
}

/** A TLS connection over a {@linkcode TlsRecordStream}. */
export class TlsReceiveConnection extends TlsConnection<TlsRecordStream> {
  #hasEnded = false;
  #hasFailed = false;
  #finishing: Done | undefined;
  #isFinished = false;
  /** Present on a connection that sends. */
  #linger: ((socket: net.Socket) => void) | undefined;

  constructor(options: TlsReceiveConnectionOptions) {
    const { socket, holdReplies, readAheadBytes } = options;
    super(options, {
      readAheadBytes,
      carrier: (fail) => new TlsRecordStream(socket, { holdReplies, onFailure: fail }),
    });
    this.stream.on("data", guarded((bytes: Uint8Array) => this.#take(bytes)));
    nextTick(guarded(() => this.carrier.start())); // behind the engine, which starts in a tick of its own
  }

  /**
   * Makes it one for sending, like `TlsSendConnection`: what the peer sends is read and dropped.
   *
   * @param linger Takes over the socket when it is closed behind {@linkcode TlsReceiveConnection.finish}, while the peer has
   * not ended. It is still being read from.
   */
  startSending(linger: (socket: net.Socket) => void): void {
    this.#linger = linger;
    this.queue.drain();
    this.socket.resume();
    this.carrier.release();
  }

  finish(): Promise<void> {
    if (this.#hasEnded && this.#hasFailed) return Promise.resolve();
    return this.sending.run((done) => {
      this.#finishing = (error) => {
        this.#isFinished = !error;
        done(error);
      };
      this.stream.end(guarded(() => this.carrier.finish((error) => this.#finishing?.(error))));
    });
  }

  protected release(): void {
    if (this.#linger !== undefined && this.#isFinished && !this.#hasEnded && !this.socket.destroyed) {
      this.socket.once("close", guarded(() => void this.stream.destroy()));
      this.#linger(this.socket);
    } else {
      this.stream.destroy();
      this.socket.destroy();
    }
  }

  protected settleEnd(): void {
    const { sawFin, isInsideRecord } = this.carrier;
    if (sawFin && isInsideRecord) {
      return this.fail(new ConnectionError("reset", "Connection ended inside a TLS record"));
    }
    this.#hasEnded = true;
    this.queue.settle(sawFin ? "fin" : "closeNotify");
  }

  protected override abandon(): void {
    super.abandon();
    this.socket.destroySoon();
  }

  protected override fail(error: ConnectionError): void {
    this.#hasFailed = true;
    // A peer that has ended may be gone: what it does not take of tickets and close_notify harms nothing.
    if (this.#hasEnded) this.#finishing?.();
    super.fail(error);
  }

  #take(bytes: Uint8Array): void {
    if (this.#linger === undefined) this.queue.push(bytes);
  }
}
