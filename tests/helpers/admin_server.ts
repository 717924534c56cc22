/**
 * A server with an admin listener.
 *
 * @module
 */

import type { ServerEvent } from "../../lib/events.ts";
import { type RunningServer, serve } from "../../lib/serve/serve.ts";
import { RawClient } from "./raw_client.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

/** What its listener wants to hear. */
export const TOKEN = "0123456789abcdef0123456789abcdef";
/** The user that it has. */
export const ALICE = { name: "alice", password: "correct horse" };

/** What the API has answered. */
export interface ApiAnswer {
  readonly status: number;
  /** As JSON, where there is one. */
  // deno-lint-ignore no-explicit-any -- tests look into it
  readonly body: any;
}

/** It owns its folder. */
export class AdminServer implements AsyncDisposable {
  readonly server: RunningServer;
  readonly events: ServerEvent[];
  readonly folder: string;
  readonly #owned: AsyncDisposableStack;

  private constructor(server: RunningServer, events: ServerEvent[], folder: string, owned: AsyncDisposableStack) {
    this.server = server;
    this.events = events;
    this.folder = folder;
    this.#owned = owned;
  }

  /** Starts it with two event loops. */
  static async start(
    changes: Readonly<Record<string, unknown>> = {},
    admin: Readonly<Record<string, unknown>> = { port: 0 },
  ): Promise<AdminServer> {
    await using owned = new AsyncDisposableStack();
    const { path } = owned.use(await TemporaryFolder.create());
    await Deno.mkdir(`${path}/home`);
    await Deno.writeTextFile(`${path}/admin.token`, TOKEN, { mode: 0o600 });
    const configuration = {
      listen: [{ port: 0 }],
      workers: 2,
      admin: { tokenFile: "admin.token", ...admin },
      users: [{ ...ALICE, home: "home", permissions: "elradfmwMT", quota: { bytes: 1_000_000, files: 10 } }],
      acceptRisks: [{ risk: "plaintext-password", reason: "a test" }],
      ...changes,
    };
    const events: ServerEvent[] = [];
    const server = owned.use(
      await serve({ configuration, folder: path }, { onEvent: (event) => void events.push(event) }),
    );
    return new AdminServer(server, events, path, owned.move());
  }

  /** Where its listener is. */
  get url(): string {
    return `http://127.0.0.1:${this.server.admin?.port}`;
  }

  /** Asks the API. */
  async ask(
    path: string,
    { method = "GET", body, headers = {}, token = TOKEN }: {
      readonly method?: string;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly token?: string;
    } = {},
  ): Promise<ApiAnswer> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...token !== "" && { authorization: `Bearer ${token}` },
        ...body !== undefined && { "content-type": "application/json" },
        ...headers,
      },
      ...body !== undefined && { body: JSON.stringify(body) },
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }

  /** A client that has logged in. */
  async login(): Promise<RawClient> {
    const client = await this.connect();
    await client.startTls();
    await client.login(ALICE.name, ALICE.password);
    await client.expect(200, "TYPE I");
    return client;
  }

  /** A client that was greeted. */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect({ host: "127.0.0.1", port: this.server.addresses[0]?.port ?? 0 });
    await client.readReply("connecting");
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
