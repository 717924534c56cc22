/**
 * A receiver of hooks, for tests: it checks every signature, and answers as it is told.
 *
 * @module
 */

import { createHmac } from "node:crypto";
import { withDeadline } from "./socket_reader.ts";

/** Token of all tests. */
export const TOKEN = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
const KEY = "0123456789abcdef0123456789abcdef";

/** What was received. */
export interface ReceivedHook {
  readonly id: string;
  readonly event: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How a receiver answers. */
export type Answer = (hook: ReceivedHook) => Response | Promise<Response>;

/** Listens until it is disposed of. */
export class TestReceiver implements AsyncDisposable {
  /** All that came with a good signature, also what was refused. */
  readonly received: ReceivedHook[] = [];
  /** What was wrong with the rest. */
  readonly wrong: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #changed = Promise.withResolvers<void>();

  constructor(answer: Answer = () => new Response(null, { status: 204 }), options: Partial<Deno.ServeTcpOptions> = {}) {
    // A server that is killed leaves half a request.
    const quiet = { onListen: () => {}, onError: () => new Response(null, { status: 500 }) };
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, ...quiet, ...options }, async (request) => {
      const hook = await this.#check(request);
      if (hook === undefined) return new Response(null, { status: 401 });
      this.received.push(hook);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
      return await answer(hook);
    });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** Waits until something is true of what was received. */
  async until(isTrue: (received: readonly ReceivedHook[]) => boolean, deadlineMs = 20_000): Promise<void> {
    while (!isTrue(this.received)) {
      await withDeadline(this.#changed.promise, `more hooks after ${this.received.length}`, deadlineMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #check(request: Request): Promise<ReceivedHook | undefined> {
    const [id, timestamp, signature] = ["id", "timestamp", "signature"].map((name) =>
      request.headers.get(`webhook-${name}`) ?? ""
    );
    const text = await request.text();
    const expected = createHmac("sha256", KEY).update(`${id}.${timestamp}.${text}`).digest("base64");
    if (request.method !== "POST" || signature !== `v1,${expected}`) {
      this.wrong.push(`${request.method} ${signature}`);
      return undefined;
    }
    if (Math.abs(Number(timestamp) - Date.now() / 1000) > 60) this.wrong.push(`timestamp ${timestamp}`);
    const body = JSON.parse(text);
    if (body.id !== id) this.wrong.push(`id ${body.id} in ${id}`);
    return { id: body.id, event: body.event, path: body.path, body };
  }
}
