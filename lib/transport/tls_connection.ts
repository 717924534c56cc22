/**
 * Protected connections in the server role on `node:tls`, with their end told reliably: control connections and uploads.
 *
 * @module
 */

import type net from "node:net";
import { nextTick } from "node:process";
import { setImmediate } from "node:timers";
import tls from "node:tls";
import { type Connection, ConnectionError, type PeerEnding, type SocketAddress, type TlsInfo } from "./connection.ts";
import { closedError, toConnectionError } from "./connection_failure.ts";
import { guarded } from "./error_scope.ts";
import type { SocketEnds } from "./node_socket.ts";
import { type Done, PendingCall } from "./pending_call.ts";
import { ReceiveQueue } from "./receive_queue.ts";
import type { HandshakeSettings, TlsContext } from "./tls_context.ts";
import { TlsRecordStream } from "./tls_record_stream.ts";

/** What a protected connection is made of. */
export interface TlsConnectionOptions {
  /** Paused; what was read from it before is back in it: `giveBack()`. */
  readonly socket: net.Socket;
  readonly ends: SocketEnds;
  readonly context: TlsContext;
  /** Names of RFC 7301 that are spoken here. A client that offers only others is refused; one that offers none is not. */
  readonly alpnProtocols: readonly string[];
  /** Send nothing between the handshake and the peer's end. */
  readonly holdReplies: boolean;
  /** See {@linkcode ReceiveQueue}. */
  readonly readAheadBytes: number;
}

/** A TLS connection of this server. It owns the socket from its construction on. */
export class TlsConnection implements Connection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #socket: net.Socket;
  readonly #records: TlsRecordStream;
  readonly #stream: tls.TLSSocket;
  readonly #queue: ReceiveQueue;
  readonly #sending = new PendingCall();
  readonly #secured = Promise.withResolvers<void>();
  #tls: TlsInfo | undefined;
  #hasEnded = false;
  #hasFailed = false;
  #finishing: Done | undefined;
  #isFinished = false;
  #isClosed = false;
  /** Present on a connection that sends. */
  #linger: ((socket: net.Socket) => void) | undefined;

  /** Starts the handshake: await {@linkcode TlsConnection.secured} before anything else. */
  constructor(options: TlsConnectionOptions) {
    const { socket, ends, context, alpnProtocols, holdReplies, readAheadBytes } = options;
    this.local = ends.local;
    this.remote = ends.remote;
    this.#socket = socket;
    this.#queue = new ReceiveQueue(socket, readAheadBytes);
    this.#records = new TlsRecordStream(socket, { holdReplies, onFailure: (error) => this.#fail(error) });
    const { handshake } = context;
    this.#stream = serverSocket(this.#records, { handshake, alpnProtocols });
    this.#stream.once("secure", guarded(() => this.#takeHandshake(handshake)));
    this.#stream.on("data", guarded((bytes: Uint8Array) => this.#take(bytes)));
    this.#stream.once("end", guarded(() => this.#takeEnd()));
    onTlsError(this.#stream, guarded((error) => this.#fail(toConnectionError(error))));
    nextTick(guarded(() => this.#records.start())); // behind the engine, which starts in a tick of its own
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

  /**
   * Makes it one for sending, like `TlsSendConnection`: what the peer sends is read and dropped.
   *
   * @param linger Takes over the socket when it is closed behind {@linkcode TlsConnection.finish}, while the peer has not
   * ended. It is still being read from.
   */
  startSending(linger: (socket: net.Socket) => void): void {
    this.#linger = linger;
    this.#queue.drain();
    this.#socket.resume();
    this.#records.release();
  }

  read(): Promise<Uint8Array | null> {
    return this.#queue.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#sending.run((done) => this.#stream.write(bytes, done));
  }

  finish(): Promise<void> {
    if (this.#hasEnded && this.#hasFailed) return Promise.resolve();
    return this.#sending.run((done) => {
      this.#finishing = (error) => {
        this.#isFinished = !error;
        done(error);
      };
      this.#stream.end(guarded(() => this.#records.finish((error) => this.#finishing?.(error))));
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = closedError();
    this.#queue.close(error);
    this.#sending.fail(error);
    this.#secured.reject(error);
    if (this.#linger !== undefined && this.#isFinished && !this.#hasEnded && !this.#socket.destroyed) {
      this.#socket.once("close", guarded(() => void this.#stream.destroy()));
      this.#linger(this.#socket);
    } else {
      this.#stream.destroy();
      this.#socket.destroy();
    }
  }

  #take(bytes: Uint8Array): void {
    if (this.#linger === undefined) this.#queue.push(bytes);
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
    if (this.#tls === undefined) return this.#fail(new ConnectionError("handshake", "Peer left during the handshake"));
    if (this.#records.sawFin && this.#records.isInsideRecord) {
      return this.#fail(new ConnectionError("reset", "Connection ended inside a TLS record"));
    }
    this.#hasEnded = true;
    this.#queue.settle(this.#records.sawFin ? "fin" : "closeNotify");
  }

  #fail(error: ConnectionError): void {
    if (this.#tls === undefined) {
      this.#secured.reject(new ConnectionError("handshake", error.message, { cause: error.cause ?? error }));
      // A turn later the alert is written, which tells the client why.
      setImmediate(guarded(() => {
        this.#stream.destroy();
        this.#socket.destroySoon();
      }));
    }
    this.#hasFailed = true;
    // A peer that has ended may be gone: what it does not take of tickets and close_notify harms nothing.
    if (this.#hasEnded) this.#finishing?.();
    this.#queue.settle(error);
    this.#sending.fail(error);
  }
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

/** Listens for failures: after the handshake, `node:tls` tells those of the protocol by its inner event only. */
export function onTlsError(stream: tls.TLSSocket, listener: (error: Error) => void): void {
  stream.on("error", listener);
  stream.on("_tlsError", listener);
}

/**
 * Reads what the handshake has settled, and judges the client by its certificate.
 *
 * @throws {ConnectionError} Kind `"handshake"` when the client is not to be let in.
 */
export function tlsInfo(stream: tls.TLSSocket, { clientCertificates }: HandshakeSettings): TlsInfo {
  const peerCertificate = clientCertificates?.admit(stream);
  return {
    protocol: stream.getProtocol() ?? "unknown",
    cipher: stream.getCipher().name,
    resumed: stream.isSessionReused(),
    ...peerCertificate === undefined ? {} : { peerCertificate },
  };
}
