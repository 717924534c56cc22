/**
 * The data connection of the raw client.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { streamOf } from "./socket_stream.ts";
import { type AnySocket, type SocketEnding, SocketReader, withDeadline } from "./socket_reader.ts";

/** Where and how a data connection is made. */
export interface RawDataOptions {
  readonly host: string;
  readonly port: number;
  /** Present: {@linkcode RawDataConnection.secure} makes a TLS handshake with these options. */
  readonly tls?: ConnectionOptions | undefined;
  /** Longest wait in milliseconds. */
  readonly deadlineMs: number;
  /** Sent before all else, as a balancer does. */
  readonly preface?: Uint8Array | undefined;
}

/** The client's end of a data connection, dialled by the client. */
export class RawDataConnection implements AsyncDisposable {
  readonly #options: RawDataOptions;
  readonly #tcp: Socket;
  #socket: AnySocket;
  #reader: SocketReader | undefined;

  private constructor(socket: Socket, options: RawDataOptions) {
    this.#tcp = socket;
    this.#socket = socket;
    this.#options = options;
  }

  /** Makes the TCP connection. */
  static async connect(options: RawDataOptions): Promise<RawDataConnection> {
    const socket = connect({ host: options.host, port: options.port });
    await opened(socket, "connect", `a data connection to port ${options.port}`, options.deadlineMs);
    if (socket.localPort === options.port) {
      // Nobody listens there: the kernel gave us the same port, and so joined us to ourselves (RFC 793 §3.4).
      socket.destroy();
      await whenClosed(socket);
      throw new Error(`connect ECONNREFUSED ${options.host}:${options.port}`);
    }
    if (options.preface !== undefined) socket.write(options.preface);
    return new RawDataConnection(socket, options);
  }

  /** Makes the TLS handshake where the connection is protected; the server takes part once it has sent 150. */
  async secure(): Promise<void> {
    const { tls, deadlineMs } = this.#options;
    if (tls === undefined || this.tls !== undefined) return;
    this.#socket = connectTls({ ...tls, socket: streamOf(this.#tcp) });
    await opened(this.#socket, "secureConnect", "the TLS handshake of the data connection", deadlineMs);
  }

  /** The TLS socket, once {@linkcode RawDataConnection.secure} has made one. */
  get tls(): TLSSocket | undefined {
    return "isSessionReused" in this.#socket ? this.#socket : undefined;
  }

  /** Takes everything until the server ends. */
  readAll(): Promise<Uint8Array> {
    return this.#read().all("the end of the data connection");
  }

  /** Waits until the server has ended the connection. */
  ended(): Promise<SocketEnding> {
    return this.#read().ended("the end of the data connection");
  }

  /** Sends bytes; resolves when the kernel has taken them. */
  write(bytes: Uint8Array): Promise<void> {
    // A TLS socket fails to write nothing.
    if (bytes.length === 0) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    return withDeadline(promise, `the server to take ${bytes.length} bytes`, this.#options.deadlineMs);
  }

  /** Ends our direction: close_notify when protected, then FIN; resolves when the server has ended, too. */
  async finish(): Promise<void> {
    const reader = this.#read();
    this.#socket.end();
    await reader.ended("the end of the data connection");
  }

  /** Cuts the connection with an RST. */
  async reset(): Promise<void> {
    const closed = whenClosed(this.#tcp);
    this.#tcp.resetAndDestroy();
    await withDeadline(closed, "the data connection to close", this.#options.deadlineMs);
  }

  /** Closes the connection without an ending of TLS. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.all([whenClosed(this.#socket), whenClosed(this.#tcp)]);
    this.#socket.destroy();
    await withDeadline(closed, "the data connection to close", this.#options.deadlineMs);
  }

  #read(): SocketReader {
    return this.#reader ??= new SocketReader(this.#socket, this.#options.deadlineMs);
  }
}

/** Waits for the event that says that a connection stands; destroys the socket when it fails or the deadline passes. */
export async function opened(socket: AnySocket, event: string, what: string, deadlineMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once(event, () => resolve());
  socket.once("close", () => reject(new Error(`The connection was closed before ${what} stood`)));
  socket.on("error", reject); // Stays: an error after this one must not end the process.
  try {
    await withDeadline(promise, what, deadlineMs);
  } catch (error) {
    const closed = whenClosed(socket);
    socket.destroy();
    await closed;
    throw error;
  }
}

/** Resolves once a socket has released its resources. */
export async function whenClosed(socket: AnySocket): Promise<void> {
  if (socket.closed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("close", () => resolve());
  await promise;
}
