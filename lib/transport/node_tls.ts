/**
 * Protected data connections on `node:net` and `node:tls` (RFC 4217 §7): the server has the TLS server role in passive and
 * in active mode.
 *
 * @module
 */

import type net from "node:net";
import type { DataListener, DataTransport, IncomingConnection, SocketAddress } from "./connection.ts";
import { guarded, inCurrentScope } from "./error_scope.ts";
import { type ConnectedSocket, dialSocket, SocketListener } from "./node_socket.ts";
import type { ProxyGate } from "./proxy_gate.ts";
import { keepFreedMemory } from "./buffer_release.ts";
import type { TlsContext } from "./tls_context.ts";
import { TlsIncoming } from "./tls_incoming.ts";

const ALPN_PROTOCOLS = ["ftp-data", "ftp"];
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
  /** A listener may outlive the session that it is opened for. */
  readonly #inScope = inCurrentScope();
  readonly #lingering = new Set<Promise<void>>();
  readonly #proxyGate: ProxyGate | undefined;

  /**
   * @param context The one of the control connections, so that their sessions can be resumed.
   * @param proxyGate Reads what balancers say before the handshake; absent: clients connect by themselves.
   */
  constructor(context: TlsContext, proxyGate?: ProxyGate) {
    this.#context = context;
    this.#proxyGate = proxyGate;
    keepFreedMemory(); // of the ciphertext of large pieces
  }

  async listen(address: SocketAddress): Promise<DataListener> {
    const listener = await this.#inScope(() => SocketListener.listen(address, { proxyGate: this.#proxyGate }));
    return {
      address: listener.address,
      accept: async () => this.#incoming(await listener.accept()),
      refuse: () => listener.refuse(),
      get isClosed() {
        return listener.isClosed;
      },
      get hasRefused() {
        return listener.hasRefused;
      },
      close: () => listener.close(),
    };
  }

  async connect(
    options: { readonly remote: SocketAddress; readonly localHost: string; readonly signal: AbortSignal },
  ): Promise<IncomingConnection> {
    return this.#incoming(await dialSocket(options));
  }

  /** Waits until the last lingering connection is gone, at most 3 s after its `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#lingering);
  }

  #incoming(connected: ConnectedSocket): IncomingConnection {
    return new TlsIncoming({
      ...connected,
      context: this.#context,
      alpnProtocols: ALPN_PROTOCOLS,
      linger: (socket) => this.#linger(socket),
    });
  }

  #linger(socket: net.Socket): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = setTimeout(guarded(() => void socket.destroy()), LINGER_MS);
    this.#lingering.add(promise);
    socket.once(
      "close",
      guarded(() => {
        clearTimeout(deadline);
        this.#lingering.delete(promise);
        resolve();
      }),
    );
  }
}
