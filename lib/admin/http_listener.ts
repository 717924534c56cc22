/**
 * The listeners of the admin part, on Deno's own HTTP server.
 *
 * @module
 */

import { describeThrown } from "../thrown.ts";

/** Where one listens. */
export type HttpAddress =
  | { readonly host: string; readonly port: number; readonly tls?: { readonly cert: string; readonly key: string } }
  | { readonly unix: string };

/** How one answers. */
export interface HttpListenerOptions {
  /** @param signal Aborts when the listener closes, or the client has gone. */
  readonly answer: (request: Request, client: HttpClient) => Response | Promise<Response>;
  /** Told of what `answer` throws; the client gets 500 without a word of it. Must not throw. */
  readonly onFailure: (message: string, cause: unknown) => void;
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

/** A listener, until it is disposed of. */
export class HttpListener implements AsyncDisposable {
  readonly #server: Deno.HttpServer;
  readonly #closing: AbortController;

  private constructor(server: Deno.HttpServer, closing: AbortController) {
    this.#server = server;
    this.#closing = closing;
  }

  /**
   * Listens.
   *
   * @throws {Deno.errors.AddrInUse | Deno.errors.NotCapable} As `Deno.serve`.
   */
  static listen(address: HttpAddress, { answer, onFailure }: HttpListenerOptions): HttpListener {
    const closing = new AbortController();
    const fail = (cause: unknown) => {
      onFailure(`The admin listener has failed: ${describeThrown(cause)}`, cause);
      return new Response("Internal error\n", { status: 500 });
    };
    const handler: Deno.ServeHandler = (request, { remoteAddr }) =>
      answer(request, { host: "hostname" in remoteAddr ? remoteAddr.hostname : "", signal: closing.signal });
    const quiet = { onListen: () => {}, onError: fail };
    const server = "unix" in address
      ? Deno.serve({ path: address.unix, ...quiet }, handler as unknown as Deno.ServeHandler<Deno.UnixAddr>)
      : Deno.serve({ hostname: address.host, port: address.port, ...address.tls, ...quiet }, handler);
    return new HttpListener(server as Deno.HttpServer, closing);
  }

  /** Port that it listens on; 0 for a Unix socket. */
  get port(): number {
    const { addr } = this.#server;
    return "port" in addr ? addr.port : 0;
  }

  /** Ends streams, and waits a moment for the other answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => late.resolve(), CLOSE_MS);
    await Promise.race([this.#server.shutdown(), late.promise]);
    clearTimeout(timer);
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
