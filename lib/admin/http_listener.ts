/**
 * The listeners of the admin part. `node:http` reads requests and writes answers; connections are accepted, bounded and timed
 * here. `Deno.serve()` of Deno 2.9 takes any number of connections for any time, so that whoever reaches a port could leave
 * the server without descriptors, and once it has found none itself, it never accepts again; nor does `node:net`.
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { delay } from "../deadline.ts";
import { describeThrown } from "../thrown.ts";
import { HttpConnection, type HttpConnectionOptions } from "./http_connection.ts";
import { hasBody, toRequest, writeResponse } from "./http_messages.ts";

/** Where one listens. */
export type HttpAddress =
  | { readonly host: string; readonly port: number; readonly tls?: { readonly cert: string; readonly key: string } }
  | { readonly unix: string };

/** How one answers. */
export interface HttpListenerOptions extends HttpConnectionOptions {
  /** @param signal Aborts when the listener closes, or the client has gone. */
  readonly answer: (request: Request, client: HttpClient) => Response | Promise<Response>;
  /** Told of what `answer` throws; the client gets 500 without a word of it. Must not throw. */
  readonly onFailure: (message: string, cause: unknown) => void;
  /** Connections at once; one more takes the place of that which has asked for nothing for the longest. Default 100. */
  readonly maxConnections?: number | undefined;
}

/** Who asks. */
export interface HttpClient {
  /** Numeric address; `""` for a Unix socket. */
  readonly host: string;
  /** Aborts when the listener closes. */
  readonly signal: AbortSignal;
}

/** How long running answers may take when a listener closes. */
const CLOSE_MS = 2_000;
/** Pause after a failed accept, which is tried again: descriptors may be short for a moment. */
const ACCEPT_RETRY_MS = 500;
const MAX_CONNECTIONS = 100;
const MAX_HEADER_BYTES = 16 * 1024;

/** A listener, until it is disposed of. */
export class HttpListener implements AsyncDisposable {
  readonly #listener: Deno.Listener;
  readonly #options: HttpListenerOptions;
  readonly #scheme: "http" | "https";
  /** Listens to nothing: connections are given to it. */
  readonly #server: Server;
  readonly #connections = new Set<HttpConnection>();
  readonly #closing = new AbortController();
  readonly #accepting: Promise<void>;

  private constructor(listener: Deno.Listener, scheme: "http" | "https", options: HttpListenerOptions) {
    this.#listener = listener;
    this.#scheme = scheme;
    this.#options = options;
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: 0 }, (request, response) => {
      const connection = request.socket as unknown as HttpConnection;
      if (hasBody(request)) request.once("end", () => connection.requestArrived());
      else connection.requestArrived();
      connection.enqueue(() => this.#answer(request, response, connection));
    });
    this.#server.on("clientError", (_error, socket) => {
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    });
    for (const name of ["connect", "upgrade"]) this.#server.on(name, (_request, socket) => socket.destroy());
    this.#accepting = this.#accept();
  }

  /**
   * Listens.
   *
   * @throws {Deno.errors.AddrInUse | Deno.errors.NotCapable} As `Deno.listen`.
   */
  static listen(address: HttpAddress, options: HttpListenerOptions): HttpListener {
    if ("unix" in address) {
      return new HttpListener(Deno.listen({ transport: "unix", path: address.unix }), "http", options);
    }
    const { host: hostname, port, tls } = address;
    return tls === undefined
      ? new HttpListener(Deno.listen({ hostname, port }), "http", options)
      : new HttpListener(Deno.listenTls({ hostname, port, ...tls }), "https", options);
  }

  /** Port that it listens on; 0 for a Unix socket. */
  get port(): number {
    const { addr } = this.#listener;
    return "port" in addr ? addr.port : 0;
  }

  /** Ends streams, and waits a moment for the other answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closing.signal.aborted) this.#listener.close();
    this.#closing.abort();
    await this.#accepting;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => late.resolve(), CLOSE_MS);
    await Promise.race([Promise.all([...this.#connections].map(({ answered }) => answered)), late.promise]);
    clearTimeout(timer);
    const closed = [...this.#connections].map((connection) => connection.closeSoon());
    await Promise.all(closed);
  }

  /** Never rejects. */
  async #accept(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#take(await this.#listener.accept());
      } catch (cause) {
        if (signal.aborted) return;
        this.#options.onFailure(`The admin listener cannot accept a connection: ${describeThrown(cause)}`, cause);
        await delay(ACCEPT_RETRY_MS, signal).catch(() => {}); // closing ends the loop
      }
    }
  }

  #take(conn: Deno.Conn): void {
    const { maxConnections = MAX_CONNECTIONS } = this.#options;
    if (this.#connections.size >= maxConnections) {
      const idle = [...this.#connections].find(({ isAnswering }) => !isAnswering);
      if (idle === undefined) return conn.close();
      this.#connections.delete(idle);
      idle.destroy();
    }
    const connection = new HttpConnection(conn, this.#options);
    this.#connections.add(connection);
    connection.once("close", () => this.#connections.delete(connection));
    this.#server.emit("connection", connection);
  }

  /** Never rejects. */
  async #answer(asked: IncomingMessage, response: ServerResponse, { host }: HttpConnection): Promise<void> {
    try {
      const request = toRequest(asked, this.#scheme);
      const answer = request === undefined
        ? new Response("Bad request\n", { status: 400 })
        : await this.#options.answer(request, { host, signal: this.#closing.signal });
      await writeResponse(answer, response);
    } catch (cause) {
      this.#options.onFailure(`The admin listener has failed: ${describeThrown(cause)}`, cause);
      await writeResponse(new Response("Internal error\n", { status: 500 }), response).catch(() => {}); // it has begun
      if (!response.writableEnded) response.destroy();
    }
  }
}

/** A listener that can be opened anew on its port, as for another certificate. */
export class RenewableListener implements AsyncDisposable {
  readonly port: number;
  readonly #open: (port: number) => HttpListener;
  /** Absent where it could not be opened anew. */
  #listener: HttpListener | undefined;
  /** What is under way; never rejects. */
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  /**
   * Opens it.
   *
   * @param open Opens a listener on a port, 0 for any.
   * @throws What `open` throws.
   */
  constructor(port: number, open: (port: number) => HttpListener) {
    this.#open = open;
    this.#listener = open(port);
    this.port = this.#listener.port;
  }

  /**
   * Closes it and opens it anew; for a moment nobody is let in. One call follows the other.
   *
   * @throws What `open` throws; nobody is let in then until the next call has succeeded.
   */
  async renew(): Promise<void> {
    const renewed = this.#last.then(async () => {
      await this.#close();
      if (!this.#isClosed) this.#listener = this.#open(this.port);
    });
    this.#last = renewed.catch(() => {}); // reported to the caller
    await renewed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#last;
    await this.#close();
  }

  async #close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.[Symbol.asyncDispose]();
  }
}
