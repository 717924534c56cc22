/**
 * Protected connections for sending, on `node:tls` directly over the socket: twice as fast as over a stream of ours.
 *
 * @module
 */

import type net from "node:net";
import { SOCKET_CLOSED_ERROR } from "./connection_failure.ts";
import { guarded } from "./error_scope.ts";
import { joinUnread } from "./node_socket.ts";
import { TlsConnection, type TlsConnectionOptions } from "./tls_connection.ts";

/** What a sending connection is made of. */
export interface TlsSendConnectionOptions extends TlsConnectionOptions {
  /** Takes over the finished socket of a peer that has not ended yet. It is still being read from. */
  readonly linger: (socket: net.Socket) => void;
}

/**
 * A TLS connection that sends; what the peer sends is read and dropped, so that it neither fills the memory nor makes the
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
