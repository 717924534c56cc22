/**
 * What all protected connections of this server have in common: its role in the handshake, and how they end.
 *
 * @module
 */

import type net from "node:net";
import { setImmediate } from "node:timers";
import tls from "node:tls";
import {
  CertificateRefusedError,
  type Connection,
  ConnectionError,
  type PeerEnding,
  type SocketAddress,
  type TlsInfo,
} from "./connection.ts";
import { CLOSED_ERROR, toConnectionError } from "./connection_failure.ts";
import { guarded } from "./error_scope.ts";
import type { SocketEnds } from "./node_socket.ts";
import { PendingCall } from "./pending_call.ts";
import { ReceiveQueue } from "./receive_queue.ts";
import type { HandshakeSettings, TlsContext } from "./tls_context.ts";
import type { TlsRecordStream } from "./tls_record_stream.ts";

/** What a protected connection is made of. */
export interface TlsConnectionOptions {
  /** Paused; what was read from it before is back in it: `pushBack()`. */
  readonly socket: net.Socket;
  readonly ends: SocketEnds;
  readonly context: TlsContext;
  /** Names of RFC 7301 that are spoken here. A client that offers only others is refused; one that offers none is not. */
  readonly alpnProtocols: readonly string[];
}

/** Where a variant has its engine read from. */
export interface TlsSource<Carrier extends net.Socket | TlsRecordStream> {
  /** See {@linkcode ReceiveQueue}. */
  readonly readAheadBytes: number;
  /** Makes what the engine reads from and writes to. */
  readonly carrier: (fail: (error: ConnectionError) => void) => Carrier;
}

/** A TLS connection in the server role. It owns the socket from its construction on. */
export abstract class TlsConnection<Carrier extends net.Socket | TlsRecordStream = net.Socket | TlsRecordStream>
  implements Connection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  protected readonly socket: net.Socket;
  /** Carries the records: the socket, or a stream above it. */
  protected readonly carrier: Carrier;
  protected readonly stream: tls.TLSSocket;
  protected readonly queue: ReceiveQueue;
  protected readonly sending: PendingCall = new PendingCall();
  readonly #secured = Promise.withResolvers<void>();
  #tls: TlsInfo | undefined;
  #isClosed = false;

  /** Starts the handshake: await {@linkcode TlsConnection.secured} before anything else. */
  constructor(options: TlsConnectionOptions, { readAheadBytes, carrier }: TlsSource<Carrier>) {
    const { socket, ends, context: { handshake }, alpnProtocols } = options;
    this.local = ends.local;
    this.remote = ends.remote;
    this.socket = socket;
    this.queue = new ReceiveQueue(socket, readAheadBytes);
    this.carrier = carrier((error) => this.fail(error));
    this.stream = serverSocket(this.carrier, { handshake, alpnProtocols });
    this.stream.once("secure", guarded(() => this.#takeHandshake(handshake)));
    this.stream.once("end", guarded(() => this.takeEnd()));
    onTlsError(this.stream, guarded((error) => this.fail(toConnectionError(error))));
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  get ending(): PeerEnding | undefined {
    return this.queue.ending;
  }

  /**
   * Waits for the end of the handshake. When it fails the connection is closed.
   *
   * @throws {ConnectionError} Kind `"handshake"`, or `"closed"` when it was closed meanwhile.
   */
  get secured(): Promise<void> {
    return this.#secured.promise;
  }

  read(): Promise<Uint8Array | null> {
    return this.queue.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.sending.run((done) => this.stream.write(bytes, done));
  }

  abstract finish(): Promise<void>;

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.queue.close(CLOSED_ERROR);
    this.sending.fail(CLOSED_ERROR);
    this.#secured.reject(CLOSED_ERROR);
    this.release();
  }

  /** Closes the socket, or hands it over. */
  protected abstract release(): void;

  /** Takes an end of the peer that came after the handshake. */
  protected abstract settleEnd(): void;

  /** Closes the socket behind the alert, which tells the client why. */
  protected abandon(): void {
    this.stream.destroy();
  }

  protected takeEnd(): void {
    if (this.#tls === undefined) this.fail(new ConnectionError("handshake", "Peer left during the handshake"));
    else this.settleEnd();
  }

  protected fail(error: ConnectionError): void {
    if (this.#tls === undefined) {
      this.#secured.reject(asHandshakeError(error));
      // A turn later the alert is written.
      setImmediate(guarded(() => this.abandon()));
    }
    this.queue.settle(error);
    this.sending.fail(error);
  }

  #takeHandshake(handshake: HandshakeSettings): void {
    try {
      this.#tls = tlsInfo(this.stream, handshake);
      this.#secured.resolve();
    } catch (error) {
      this.fail(toConnectionError(error, "handshake"));
    }
  }
}

function asHandshakeError(error: ConnectionError): ConnectionError {
  if (error instanceof CertificateRefusedError) return error;
  return new ConnectionError("handshake", error.message, { cause: error.cause ?? error });
}

/** Makes a TLS socket in the server role over a socket or a stream; it starts by itself. */
export function serverSocket(
  stream: net.Socket | TlsRecordStream,
  options: { readonly handshake: HandshakeSettings; readonly alpnProtocols: readonly string[] },
): tls.TLSSocket {
  const { secureContext, clientCertificates } = options.handshake;
  return new tls.TLSSocket(stream as net.Socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: [...options.alpnProtocols],
    requestCert: clientCertificates !== undefined,
    rejectUnauthorized: clientCertificates?.mode === "require",
  });
}

/** Listens for failures: after the handshake, `node:tls` reports those of the protocol by its inner event only. */
export function onTlsError(stream: tls.TLSSocket, listener: (error: Error) => void): void {
  stream.on("error", listener);
  stream.on("_tlsError", listener);
}

/**
 * Reads what the handshake has settled, and judges the client by its certificate.
 *
 * @throws {ConnectionError} Kind `"handshake"` when the client is not to be let in.
 */
function tlsInfo(stream: tls.TLSSocket, { clientCertificates }: HandshakeSettings): TlsInfo {
  const peerCertificate = clientCertificates?.admit(stream);
  return {
    protocol: stream.getProtocol() ?? "unknown",
    cipher: stream.getCipher().name,
    resumed: stream.isSessionReused(),
    ...peerCertificate === undefined ? {} : { peerCertificate },
  };
}
