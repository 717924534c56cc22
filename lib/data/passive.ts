/**
 * The passive side of a data connection: RFC 959 §4.1.2 PASV, RFC 2428 §3 EPSV, RFC 2577 §3 on stolen ports.
 *
 * @module
 */

import { Watchdog } from "../deadline.ts";
import type { DataListener, IncomingConnection, SocketAddress } from "../transport/connection.ts";

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
export interface PassiveOptions {
  /** Only a connection from this address is taken; `undefined`: from any. */
  readonly peerHost: string | undefined;
  /** From now to the connection, in milliseconds; 0: no limit. */
  readonly timeoutMs: number;
  /** Told of each connection that was dropped because it came from elsewhere. */
  readonly onForeignPeer: (peer: SocketAddress) => void;
}

/**
 * Waits for the one connection from the right peer, dropping others without giving up, then closes the listener.
 *
 * @param listener Closed when this settles, in whatever way; closing it from outside ends the wait.
 * @throws {DataConnectTimeoutError} When the time is over.
 * @throws {ConnectionError} Kind `"closed"` when the listener was closed.
 */
export async function acceptPeer(listener: DataListener, options: PassiveOptions): Promise<IncomingConnection> {
  let expired = false;
  using _watchdog = new Watchdog(options.timeoutMs, () => {
    expired = true;
    listener.close();
  });
  try {
    for (;;) {
      const incoming = await listener.accept();
      if (options.peerHost === undefined || incoming.remote.host === options.peerHost) return incoming;
      incoming.close();
      options.onForeignPeer(incoming.remote);
    }
  } catch (error) {
    throw expired ? new DataConnectTimeoutError("passive", { cause: error }) : error;
  } finally {
    listener.close();
  }
}
