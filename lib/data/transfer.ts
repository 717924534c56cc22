/**
 * One transfer over a data connection, from the wait for the connection to its orderly end (RFC 959 §3.2, RFC 4217 §9).
 *
 * @module
 */

import { delay, Watchdog } from "../deadline.ts";
import {
  type Connection,
  ConnectionError,
  type Direction,
  type IncomingConnection,
  type PeerEnding,
} from "../transport/connection.ts";
import type { DataPort } from "./data_port.ts";
import { SendBuffer, type Throttle } from "./pacing.ts";

/** Why a transfer has failed. Each kind has one reply in `control/error_reply.ts`. */
export type TransferErrorKind =
  | "aborted" // ABOR, or the end of the session
  | "handshake" // TLS could not be established on the data connection
  | "notResumed" // a TLS session was to be resumed and was not
  | "reset" // cut by the peer or the network
  | "stalled" // no byte moved in time
  | "stopped" // the server stops
  | "truncated"; // an upload ended without close_notify

/** A transfer that did not come to its end. The message is a short reason for the log. */
export class TransferError extends Error {
  override readonly name = "TransferError";
  /** Why. */
  readonly kind: TransferErrorKind;

  constructor(kind: TransferErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What a transfer obeys. */
export interface TransferOptions {
  readonly direction: Direction;
  /** Longest wait for a port that is opened after the command, in milliseconds; 0: no limit. */
  readonly openMs: number;
  /** Longest time without a byte moving, in milliseconds; 0: no limit. */
  readonly stallMs: number;
  /** Longest time for the TLS handshake, in milliseconds; 0: no limit. */
  readonly handshakeMs: number;
  readonly requireSessionReuse: boolean;
  /** Rates that the transfer keeps to; others may share them. */
  readonly throttles: readonly Throttle[];
  /** Whether a received stream without close_notify is incomplete. Only streams in TLS can have one. */
  readonly requireCloseNotify: boolean;
}

/** Moves the bytes of a transfer; calls {@linkcode Transfer.moved} for each piece. */
export type TransferBody = (connection: Connection, transfer: Transfer) => Promise<void>;

/**
 * A transfer, from its command on. `abort()` makes {@linkcode Transfer.run} reject soon, whatever it waits for, or at once
 * if it was not called yet.
 */
export class Transfer {
  readonly #startedAt = performance.now();
  #bytes = 0;
  #ending: PeerEnding | undefined;
  #watchdog: Watchdog | undefined;
  readonly #sendBuffer = new SendBuffer();
  #movedAt = 0;
  #throttles: readonly Throttle[] = [];
  #failure: TransferError | undefined;
  readonly #aborted = new AbortController();
  #direction: Direction | undefined;
  /** The stream that moves, once it is open. */
  #connection: Connection | undefined;
  #hasClientLeft = false;
  #onMoved: ((bytes: number) => void) | undefined;
  /** Interrupts what the transfer waits for now. */
  #interrupt: () => void = () => {};

  /** Bytes moved on the data connection until now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Time since the transfer was made, in seconds. */
  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** How the peer ended a stream that was received whole; `undefined` before. */
  get ending(): PeerEnding | undefined {
    return this.#ending;
  }

  /** Which way the bytes go; `undefined` before {@linkcode Transfer.run}. */
  get direction(): Direction | undefined {
    return this.#direction;
  }

  /** Aborts with {@linkcode Transfer.failure}. */
  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  /** Why the transfer was aborted, if it was. */
  get failure(): TransferError | undefined {
    return this.#failure;
  }

  /** Tells of each piece from now on. */
  set onMoved(onMoved: (bytes: number) => void) {
    this.#onMoved = onMoved;
  }

  /**
   * Counts bytes that went over the data connection.
   *
   * @returns For how many milliseconds no more should be moved: {@linkcode Transfer.rest}.
   */
  moved(bytes: number): number {
    this.#bytes += bytes;
    this.#onMoved?.(bytes);
    this.#touch();
    let restMs = 0;
    for (const throttle of this.#throttles) restMs = Math.max(restMs, throttle.count(bytes));
    return restMs;
  }

  /**
   * Waits; a transfer that keeps to its rate does not stall.
   *
   * @throws {TransferError} As soon as the transfer is aborted.
   */
  async rest(restMs: number): Promise<void> {
    if (restMs <= 0) return;
    this.#watchdog?.pause();
    await delay(restMs, this.#aborted.signal);
    this.#watchdog?.resume();
    this.#touch();
  }

  /**
   * Sends bytes and counts them.
   *
   * @returns See {@linkcode Transfer.moved}.
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  async send(connection: Connection, bytes: Uint8Array): Promise<number> {
    this.#sendBuffer.begin(bytes.length);
    await connection.write(bytes);
    this.#sendBuffer.end();
    return this.moved(bytes.length);
  }

  #touch(): void {
    this.#movedAt = performance.now();
    this.#watchdog?.touch();
  }

  /** Whether a peer for which nothing was seen to move may be reading all the same. */
  #mayBeReading({ direction, stallMs }: TransferOptions): boolean {
    const elapsedMs = performance.now() - this.#movedAt;
    return direction === "send" && elapsedMs >= stallMs && elapsedMs < this.#sendBuffer.patienceMs(stallMs);
  }

  /**
   * Aborts the transfer when it makes no progress for a time, until the watch is disposed of. The wait for a data connection
   * does not count, which has its own deadlines.
   *
   * @param stallMs In milliseconds; 0: no limit.
   */
  watch(stallMs: number): Disposable {
    return this.#watchdog = new Watchdog(stallMs, () => this.abort("stalled", "the transfer made no progress in time"));
  }

  /** Says that the transfer makes progress, though no byte has moved. */
  touch(): void {
    this.#watchdog?.touch();
  }

  /** Ends the transfer early. Does nothing after its end. */
  abort(kind: TransferErrorKind, reason: string): void {
    this.#failure ??= new TransferError(kind, reason);
    this.#aborted.abort(this.#failure);
    this.#interrupt();
  }

  /**
   * Says that the client has ended its control connection in order. A download goes on. An upload that only FIN ends is
   * aborted: a client that was killed leaves nothing else.
   */
  clientLeft(): void {
    this.#hasClientLeft = true;
    const endsByFin = this.#connection?.tls === undefined || this.#ending === "fin";
    if (this.#direction === "receive" && this.#connection !== undefined && endsByFin) {
      this.abort("aborted", "the control connection was closed");
    }
  }

  /**
   * Takes the data connection out of the port, lets `body` move the bytes, and closes the connection: in order (flush,
   * close_notify, FIN) after success, at once otherwise.
   *
   * @throws {TransferError} When the transfer was aborted or cut.
   * @throws {DataConnectTimeoutError} When the client did not connect.
   * @throws What `body` throws.
   */
  async run(port: DataPort, options: TransferOptions, body: TransferBody): Promise<void> {
    this.#direction = options.direction;
    this.#interrupt = () => port.close();
    const around = this.#watchdog;
    around?.pause();
    try {
      this.#throwIfAborted();
      await port.opened(options.openMs);
      const connection = await this.#open(await port.take(), options);
      try {
        await this.#move(connection, options, body);
      } finally {
        connection.close();
      }
    } catch (error) {
      throw this.#failure ?? asTransferError(error);
    } finally {
      this.#interrupt = () => {};
      this.#watchdog = around;
      around?.resume();
    }
  }

  async #open(incoming: IncomingConnection, options: TransferOptions): Promise<Connection> {
    this.#interrupt = () => incoming.close();
    using _watchdog = new Watchdog(
      options.handshakeMs,
      () => this.abort("handshake", "no TLS handshake on the data connection in time"),
    );
    try {
      this.#throwIfAborted();
      const connection = await incoming.open(options.direction);
      if (options.requireSessionReuse && connection.tls?.resumed === false) {
        connection.close();
        throw new TransferError("notResumed", "the data connection did not resume a TLS session");
      }
      return connection;
    } catch (error) {
      incoming.close();
      throw error;
    }
  }

  async #move(connection: Connection, options: TransferOptions, body: TransferBody): Promise<void> {
    this.#interrupt = () => connection.close();
    using watchdog = new Watchdog(options.stallMs, () => this.abort("stalled", "no byte moved in time"), {
      isSuspended: () => this.#mayBeReading(options),
    });
    this.#watchdog = watchdog;
    this.#touch();
    this.#throttles = options.throttles;
    this.#connection = connection;
    if (this.#hasClientLeft) this.clientLeft();
    this.#throwIfAborted();
    await body(connection, this);
    checkEnding(connection, options);
    this.#ending = connection.ending;
    if (this.#hasClientLeft) this.clientLeft();
    await connection.finish();
    this.#throwIfAborted();
  }

  #throwIfAborted(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** A stream in TLS that ends by a bare FIN may have been cut by anybody on the way (RFC 8446 §6.1). */
function checkEnding(connection: Connection, options: TransferOptions): void {
  const received = options.direction === "receive" && connection.tls !== undefined;
  if (received && options.requireCloseNotify && connection.ending !== "closeNotify") {
    throw new TransferError("truncated", "the upload ended without TLS close_notify");
  }
}

function asTransferError(error: unknown): unknown {
  if (!(error instanceof ConnectionError)) return error;
  switch (error.kind) {
    case "handshake":
      return new TransferError("handshake", "the TLS handshake on the data connection failed", { cause: error });
    case "reset":
      return new TransferError("reset", "the data connection was reset", { cause: error });
    default:
      return error;
  }
}
