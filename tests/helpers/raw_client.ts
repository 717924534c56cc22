/**
 * A scripted FTP client that sends exact bytes and shows exact replies.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { opened, RawDataConnection, whenClosed } from "./raw_data_connection.ts";
import { type AnySocket, type SocketEnding, SocketReader, withDeadline } from "./socket_reader.ts";

/** Where and how to connect. */
export interface RawClientOptions {
  /** Numeric address. */
  readonly host: string;
  readonly port: number;
  /** `"implicit"`: TLS from the first byte on, and protected data connections. */
  readonly tls?: "implicit";
  /** PEM of what the server's certificate must chain to; absent: any certificate is accepted. */
  readonly caCert?: string;
  /** Further options of `node:tls`, such as `maxVersion`. */
  readonly tlsOptions?: ConnectionOptions;
  /** Whether data connections offer the TLS session of the control connection; default `true`. */
  readonly reuseSession?: boolean;
  /** Longest wait in milliseconds; default 10,000. */
  readonly deadlineMs?: number;
  /** Sent before all else on each connection, as a balancer does. */
  readonly preface?: Uint8Array;
}

/** One reply, as it was received. */
export interface RawReply {
  readonly code: number;
  /** Lines without their CR LF and, in the first and the last, without code and separator. */
  readonly lines: readonly string[];
  /** All lines as received, CR LF between them and not at the end. */
  readonly text: string;
}

/** The client's end of a control connection. Every wait has a deadline and rejects with what was waited for. */
export class RawClient implements AsyncDisposable {
  readonly #options: RawClientOptions;
  readonly #deadlineMs: number;
  readonly #tcp: Socket;
  #socket: AnySocket;
  #reader: SocketReader;
  #session: Uint8Array | undefined;
  #protected: boolean;

  private constructor(socket: Socket, options: RawClientOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 10_000;
    this.#protected = options.tls === "implicit";
    this.#tcp = socket;
    this.#socket = socket;
    this.#reader = new SocketReader(socket, this.#deadlineMs);
  }

  /** Connects, with TLS if it is implicit. Does not read the greeting. */
  static async connect(options: RawClientOptions): Promise<RawClient> {
    const { host, port, deadlineMs = 10_000 } = options;
    const socket = connect({ host, port });
    await opened(socket, "connect", `a control connection to port ${port}`, deadlineMs);
    if (options.preface !== undefined) socket.write(options.preface);
    const client = new RawClient(socket, options);
    if (options.tls === "implicit") await client.upgrade();
    return client;
  }

  /** The TLS socket, once there is one. */
  get tls(): TLSSocket | undefined {
    return "isSessionReused" in this.#socket ? this.#socket : undefined;
  }

  /** Our port of the control connection. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Sends bytes as they are; text in UTF-8. */
  async send(bytes: Uint8Array | string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.write(bytes, (error?: Error | null) => error ? reject(error) : resolve());
    await withDeadline(promise, "the server to take what was sent", this.#deadlineMs);
  }

  /** Sends bytes and ends our direction in the same write. */
  finish(bytes: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.end(bytes, () => resolve());
    return withDeadline(promise, "the server to take what was sent", this.#deadlineMs);
  }

  /** Sends a line with CR LF and returns the next reply. */
  async command(line: string): Promise<RawReply> {
    await this.send(`${line}\r\n`);
    const reply = await this.readReply(line.startsWith("PASS") ? "PASS" : line);
    const level = /^PROT ([CP])$/i.exec(line)?.[1];
    if (level !== undefined && reply.code === 200) this.#protected = level.toUpperCase() === "P";
    return reply;
  }

  /**
   * Sends a line and returns the reply, which must have the given code.
   *
   * @throws {Error} When it has another one.
   */
  async expect(code: number, line: string): Promise<RawReply> {
    const reply = await this.command(line);
    requireCode(reply, code, line);
    return reply;
  }

  /**
   * Waits for the next reply.
   *
   * @param after What was sent before, for the error's message.
   * @throws {Error} When the connection ends before, or a line is none of a reply or does not end with CR LF.
   */
  async readReply(after = "nothing"): Promise<RawReply> {
    const first = await this.#readLine(after);
    const [, code, separator] = /^(\d{3})([ -])/.exec(first) ?? [];
    if (code === undefined) throw new Error(`Received no reply but "${first}" after "${after}"`);
    const received = [first];
    let last = first;
    while (separator === "-" && !last.startsWith(`${code} `)) {
      last = await this.#readLine(after);
      received.push(last);
    }
    const lines = received.map((line, index) => index === 0 || index === received.length - 1 ? line.slice(4) : line);
    return { code: Number(code), lines, text: received.join("\r\n") };
  }

  /** Bytes that arrived and belong to no reply read so far. */
  get pending(): Uint8Array {
    return this.#reader.pending;
  }

  /** Sends `AUTH TLS`, and makes the handshake on the same connection if the reply is 234. */
  async startTls(): Promise<RawReply> {
    const reply = await this.command("AUTH TLS");
    if (reply.code === 234) await this.upgrade();
    return reply;
  }

  /** Makes the TLS handshake of the control connection without a command before. */
  async upgrade(): Promise<void> {
    this.#reader.detach();
    const socket = connectTls({ ...this.#tlsOptions(), socket: this.#socket });
    socket.on("session", (session: Uint8Array) => this.#session = session);
    this.#socket = socket;
    await opened(socket, "secureConnect", "the TLS handshake of the control connection", this.#deadlineMs);
    this.#reader = new SocketReader(socket, this.#deadlineMs);
  }

  /** Logs in with USER and PASS, and with `PBSZ 0` and `PROT P` before when the connection is protected. */
  async login(username = "anonymous", password = "guest@"): Promise<void> {
    if (this.tls !== undefined) {
      await this.expect(200, "PBSZ 0");
      await this.expect(200, "PROT P");
    }
    await this.expect(331, `USER ${username}`);
    await this.expect(230, `PASS ${password}`);
  }

  /**
   * Sends EPSV and makes the TCP part of the data connection.
   *
   * @param options.via Gives the port to connect to in place of the server's.
   */
  async passive(options: { readonly via?: (port: number) => number } = {}): Promise<RawDataConnection> {
    const { text } = await this.expect(229, "EPSV");
    const announced = Number(/\(\|\|\|(\d+)\|\)/.exec(text)?.[1]);
    return await this.dial(options.via?.(announced) ?? announced);
  }

  /** Makes the TCP part of a data connection to a port. */
  dial(port: number): Promise<RawDataConnection> {
    return RawDataConnection.connect({
      host: this.#options.host,
      port,
      tls: this.#protected ? this.#dataTlsOptions() : undefined,
      deadlineMs: this.#deadlineMs,
      preface: this.#options.preface,
    });
  }

  /** Fetches a file whole. */
  retrieve(path: string): Promise<Uint8Array> {
    return this.download(`RETR ${path}`);
  }

  /** Fetches a listing; `command` is the whole line. */
  async list(command = "LIST"): Promise<string> {
    return new TextDecoder().decode(await this.download(command));
  }

  /**
   * Sends a command that is answered by 150, data and 226, and returns the data.
   *
   * @throws {Error} When another reply comes; the data connection is closed then.
   */
  async download(line: string): Promise<Uint8Array> {
    await using data = await this.passive();
    await this.expect(150, line);
    await data.secure();
    const bytes = await data.readAll();
    requireCode(await this.readReply(line), 226, line);
    return bytes;
  }

  /** Sends a file whole; `verb` may be `APPE` or, with an empty path, `STOU`. Returns the final reply, 226. */
  async store(path: string, bytes: Uint8Array, verb = "STOR"): Promise<RawReply> {
    const line = path === "" ? verb : `${verb} ${path}`;
    await using data = await this.passive();
    await this.expect(150, line);
    await data.secure();
    await data.write(bytes);
    await data.finish();
    const reply = await this.readReply(line);
    requireCode(reply, 226, line);
    return reply;
  }

  /** Waits until the server has ended the connection. */
  closed(): Promise<SocketEnding> {
    return this.#reader.ended("the server to close the control connection");
  }

  /** Cuts the connection with an RST. */
  async reset(): Promise<void> {
    const closed = whenClosed(this.#tcp);
    this.#tcp.resetAndDestroy();
    await withDeadline(closed, "the control connection to close", this.#deadlineMs);
  }

  /** Closes the connection without QUIT. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = whenClosed(this.#socket);
    this.#socket.destroy();
    await withDeadline(closed, "the control connection to close", this.#deadlineMs);
  }

  async #readLine(after: string): Promise<string> {
    const line = new TextDecoder().decode(await this.#reader.line(`a reply to "${after}"`));
    if (!line.endsWith("\r\n")) throw new Error(`Received a line without CR LF after "${after}": "${line}"`);
    return line.slice(0, -2);
  }

  #tlsOptions(): ConnectionOptions {
    const { caCert, tlsOptions } = this.#options;
    // A name is not checked: servers under test are reached by number.
    const trust = caCert === undefined
      ? { rejectUnauthorized: false }
      : { ca: caCert, checkServerIdentity: () => undefined };
    return { ...trust, ...tlsOptions };
  }

  #dataTlsOptions(): ConnectionOptions {
    const session = this.#session ?? this.tls?.getSession();
    if (this.#options.reuseSession === false || session === undefined) return this.#tlsOptions();
    return { ...this.#tlsOptions(), session: session as NonNullable<ConnectionOptions["session"]> };
  }
}

function requireCode(reply: RawReply, code: number, line: string): void {
  if (reply.code !== code) throw new Error(`Expected ${code} to "${line}", but received "${reply.text}"`);
}
