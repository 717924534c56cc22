/**
 * A store that answers what a test says, for answers that no good store gives.
 *
 * @module
 */

/** Answers a request; its body has been read. */
export type StoreScript = (request: Request, body: Uint8Array<ArrayBuffer>) => Response | Promise<Response>;

/** Listens until it is disposed of. */
export class ScriptedStore implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** Method and URL without the origin of each request, in their order. */
  readonly requests: string[] = [];

  /** Starts to listen. */
  constructor(script: StoreScript, tls?: { readonly cert: string; readonly key: string }) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, signal: this.#stop.signal, onListen: () => undefined, ...tls },
      async (request) => {
        this.requests.push(`${request.method} ${request.url.slice(new URL(request.url).origin.length)}`);
        return await script(request, await request.bytes());
      },
    );
  }

  /** Port that it listens on. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** URL without a slash at the end. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Cuts all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }
}
