/**
 * Control connections on `node:net`, upgraded to TLS by AUTH (RFC 4217 §4) or at once (implicit TLS).
 *
 * @module
 */

import type net from "node:net";
import {
  ConnectionError,
  type ControlListener,
  type ControlTransport,
  type ProxyRoute,
  type SocketAddress,
} from "./connection.ts";
import { CLOSED_ERROR } from "./connection_failure.ts";
import { pushBack, type SocketEnds, SocketListener, type SocketListenOptions } from "./node_socket.ts";
import { TcpConnection } from "./tcp_connection.ts";
import { TlsReceiveConnection } from "./tls_receive_connection.ts";
import type { TlsContext } from "./tls_context.ts";

const ALPN_PROTOCOLS = ["ftp"];

// A client that sends commands faster than they are answered is stopped by TCP, one chunk ahead.
const READ_AHEAD_BYTES = 1;

// A NAT box forgets a connection that is silent during a long transfer.
const IS_PROBED = true;
const PROBE_AFTER_MS = 60_000;

const RENEW_AFTER_MS = 10_000;

const TLS_HANDSHAKE_RECORD = 22;

/**
 * Listens for control connections.
 *
 * @param options.renewAfterMs Default 10,000.
 * @param options.context Certificate for TLS; absent: `startTls()` throws.
 * @throws {ConnectionError} Kind `"addressInUse"` when the port is taken.
 */
export async function listenControl(
  address: SocketAddress,
  options: SocketListenOptions & { readonly context?: TlsContext } = {},
): Promise<ControlListener> {
  return new NodeControlListener(
    await SocketListener.listen(address, { renewAfterMs: RENEW_AFTER_MS, ...options }),
    options.context,
  );
}

class NodeControlListener implements ControlListener {
  readonly #listener: SocketListener;
  readonly #context: TlsContext | undefined;

  constructor(listener: SocketListener, context: TlsContext | undefined) {
    this.#listener = listener;
    this.#context = context;
  }

  get address(): SocketAddress {
    return this.#listener.address;
  }

  async accept(): Promise<ControlTransport> {
    const { socket, ends } = await this.#listener.accept();
    socket.setKeepAlive(IS_PROBED, PROBE_AFTER_MS);
    return new ClearControl(socket, ends, this.#context);
  }

  close(): void {
    this.#listener.close();
  }
}

/** A control connection without TLS. */
class ClearControl extends TcpConnection implements ControlTransport {
  readonly route: ProxyRoute | undefined;
  readonly #socket: net.Socket;
  readonly #context: TlsContext | undefined;
  #handshake: SecureControl | undefined;
  #isReleased = false;

  constructor(socket: net.Socket, ends: SocketEnds, context: TlsContext | undefined) {
    super(socket, ends, { readAheadBytes: READ_AHEAD_BYTES });
    this.route = ends.route;
    this.#socket = socket;
    this.#context = context;
  }

  override close(): void {
    if (this.#isReleased) this.#handshake?.close();
    else super.close();
  }

  async startTls(): Promise<ControlTransport> {
    if (this.#context === undefined) throw new TypeError("Cannot start TLS: the listener has no certificate");
    if (this.#isReleased || this.#socket.destroyed) throw CLOSED_ERROR;
    this.#isReleased = true;
    const unread = this.release();
    // A fast client's ClientHello may be here already; anything else would be commands sent in clear.
    if (unread[0] !== undefined && unread[0][0] !== TLS_HANDSHAKE_RECORD) {
      this.#socket.destroy();
      throw new ConnectionError("injected", "Bytes in clear came behind AUTH");
    }
    if (this.#socket.readableEnded) {
      this.#socket.destroy();
      throw new ConnectionError("handshake", "Peer left before the handshake");
    }
    pushBack(this.#socket, unread);
    this.#handshake = new SecureControl({
      socket: this.#socket,
      ends: this,
      context: this.#context,
      alpnProtocols: ALPN_PROTOCOLS,
      holdReplies: false,
      readAheadBytes: READ_AHEAD_BYTES,
    });
    await this.#handshake.secured;
    const secured = this.#handshake;
    this.#handshake = undefined;
    return secured;
  }
}

/** A control connection under TLS. */
class SecureControl extends TlsReceiveConnection implements ControlTransport {
  startTls(): Promise<ControlTransport> {
    return Promise.reject(new TypeError("Cannot start TLS: the connection is protected already"));
  }
}
