/**
 * Byte connections as the rest of the server sees them: the port that the adapters of this folder implement.
 *
 * A connection is owned by whoever received it; the owner calls {@linkcode Connection.close} exactly when done, on every
 * path. No method takes a signal: closing a connection makes each pending call on it reject, so a deadline or an abort is
 * one `close()`.
 *
 * @module
 */

/** One end of a TCP connection. */
export interface SocketAddress {
  /** Numeric IPv4 or IPv6 address. An IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`) is given in its IPv4 form. */
  readonly host: string;
  /** TCP port, 1 to 65535. */
  readonly port: number;
}

/** The way of a connection that has come through a balancer, which has told the ends that its client sees. */
export interface ProxyRoute {
  /** The balancer's end of the TCP connection. */
  readonly remote: SocketAddress;
  /** Our end of it. */
  readonly local: SocketAddress;
  /** What the balancer calls the connection, where it does. */
  readonly uniqueId: string | undefined;
}

/** A certificate that a client has shown and that was found good. */
export interface PeerCertificate {
  /**
   * Its subject on one line, such as `C=DE, CN=alice`. What has a meaning in such a text is escaped in names (RFC 4514 §2.4), so
   * that different subjects have different texts.
   */
  readonly subject: string;
  /** SHA-256 of the certificate, `"AB:CD:…"`. */
  readonly fingerprint: string;
  /**
   * Its alternative names, each with its kind before it: `dns:`, `email:`, `uri:`, or `upn:`, the user name of Active Directory. Those
   * of other kinds are left out.
   */
  readonly alternativeNames: readonly string[];
}

/** What was negotiated on a protected connection. */
export interface TlsInfo {
  /** `"TLSv1.2"` or `"TLSv1.3"`. */
  readonly protocol: string;
  /** Cipher suite name. */
  readonly cipher: string;
  /** Whether the handshake resumed an earlier TLS session. */
  readonly resumed: boolean;
  /** What the client has shown of itself; absent when it was not asked, or had none. */
  readonly peerCertificate?: PeerCertificate;
}

/**
 * How the peer ended its direction of the stream: by TLS close_notify (RFC 5246 §7.2.1, RFC 8446 §6.1), or by a bare TCP
 * FIN. On a clear connection FIN is the only way, and says nothing about completeness beyond what TCP does.
 */
export type PeerEnding = "closeNotify" | "fin";

/** A connected byte stream, clear or protected. */
export interface Connection {
  /** Our end. */
  readonly local: SocketAddress;
  /** The peer's end. */
  readonly remote: SocketAddress;
  /** Present when the stream is protected by TLS. */
  readonly tls: TlsInfo | undefined;
  /** How the peer ended; `undefined` until {@linkcode Connection.read} has returned `null`. */
  readonly ending: PeerEnding | undefined;
  /**
   * Waits for bytes. The returned array is valid until the next call. At most one call at a time.
   *
   * @returns The bytes received next, at least one, or `null` after the peer ended its direction.
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  read(): Promise<Uint8Array | null>;
  /**
   * Sends bytes; resolves once the transport accepts more, which is the back-pressure. The caller may reuse the array
   * after that. At most one call at a time.
   *
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends our direction: flushes, sends close_notify when protected, then FIN. Resolves when the kernel has taken it all.
   *
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  finish(): Promise<void>;
  /** Releases the connection at once; pending calls reject with kind `"closed"`. May be called twice. */
  close(): void;
}

/** A control connection before and after its upgrade to TLS (RFC 4217 §4). */
export interface ControlTransport extends Connection {
  /** Present where a balancer has told `local` and `remote`. */
  readonly route?: ProxyRoute | undefined;
  /**
   * Starts TLS as the server. The receiver of this call is spent afterwards: use, and close, only the returned one.
   * Closing the receiver while this runs makes it reject.
   *
   * @throws {ConnectionError} Kind `"injected"` when bytes have already arrived behind the AUTH command in clear, kind
   * `"handshake"` when the handshake fails. The connection is closed in both cases.
   */
  startTls(): Promise<ControlTransport>;
}

/** Which way the file bytes go on a data connection, seen from the server. */
export type Direction = "send" | "receive";

/** A data connection whose TCP part is established, before its direction is known and its handshake was made. */
export interface IncomingConnection {
  /** Our end. */
  readonly local: SocketAddress;
  /** The peer's end. */
  readonly remote: SocketAddress;
  /**
   * Makes the connection usable for one direction, with the TLS handshake where the transport is protected. The receiver
   * is spent afterwards. Closing the receiver while this runs makes it reject.
   *
   * @throws {ConnectionError} Kind `"handshake"` when the handshake fails or the peer leaves during it.
   */
  open(direction: Direction): Promise<Connection>;
  /**
   * Looks for the peer's end until the connection is opened or closed. Call it once.
   *
   * @param onEnd Called at most once: the peer has ended its direction without a byte before, or reset the connection.
   */
  watch(onEnd: () => void): void;
  /** Releases the connection if it was not opened, or interrupts opening it. May be called twice. */
  close(): void;
}

/** A listening socket for data connections. */
export interface DataListener {
  /** Where it listens. */
  readonly address: SocketAddress;
  /**
   * Waits for the next connection, whoever it comes from: checking the peer is the caller's work.
   *
   * @throws {ConnectionError} Kind `"closed"` after {@linkcode DataListener.close}.
   */
  accept(): Promise<IncomingConnection>;
  /** Whether it does not listen any more: it was closed, or has closed itself, since it could not refuse what connects. */
  readonly isClosed: boolean;
  /** Whether it has refused a connection since the last call of {@linkcode DataListener.accept}. */
  readonly hasRefused: boolean;
  /**
   * Closes what has not been accepted, and what connects from now on, until the next call of {@linkcode DataListener.accept}.
   * Not while one is pending.
   */
  refuse(): void;
  /** Stops listening and releases connections that were not accepted. May be called twice. */
  close(): void;
}

/** Opens data connections of one kind, clear or protected (RFC 959 §3.2, RFC 4217 §7). */
export interface DataTransport {
  /**
   * Listens on an address; port 0 means any.
   *
   * @throws {ConnectionError} Kind `"addressInUse"` when the port is taken.
   */
  listen(address: SocketAddress): Promise<DataListener>;
  /**
   * Dials out for the active mode, from the given local address and any local port. In TLS the server keeps the server
   * role (RFC 4217 §7).
   *
   * @throws {ConnectionError} Kind `"refused"` when nobody listens there, `"closed"` when `signal` aborts.
   */
  connect(
    options: { readonly remote: SocketAddress; readonly localHost: string; readonly signal: AbortSignal },
  ): Promise<IncomingConnection>;
}

/** A listening socket for control connections. */
export interface ControlListener {
  /** Where it listens. */
  readonly address: SocketAddress;
  /**
   * Waits for the next control connection, still without TLS.
   *
   * @throws {ConnectionError} Kind `"closed"` after {@linkcode ControlListener.close}.
   */
  accept(): Promise<ControlTransport>;
  /** Stops listening and releases connections that were not accepted. May be called twice. */
  close(): void;
}

/** What went wrong with a connection. */
export type ConnectionErrorKind =
  | "addressInUse" // the local port is taken
  | "closed" // closed from our side
  | "handshake" // TLS could not be established
  | "injected" // clear bytes behind AUTH
  | "refused" // nobody accepts there
  | "reset"; // cut by the peer or the network

/** A failed connection; `cause` holds the runtime's own error. Its texts are for logs, never for clients. */
export class ConnectionError extends Error {
  /** Name of the class. */
  override readonly name = "ConnectionError";
  /** What went wrong. */
  readonly kind: ConnectionErrorKind;

  /** Makes an error of the given kind; `options.cause` may hold the runtime's own error. */
  constructor(kind: ConnectionErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** A client that is not let in for its certificate, or for having none. The message is the reason, for logs. */
export class CertificateRefusedError extends ConnectionError {
  /** Makes an error of kind `"handshake"`. */
  constructor(message: string, options?: ErrorOptions) {
    super("handshake", message, options);
  }
}
