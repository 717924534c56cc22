/**
 * Configured servers on several event loops, with accounts that have quotas.
 *
 * @module
 */

import { ConfiguredServer } from "../../lib/serve/configured_server.ts";
import { openStateEngine } from "../../lib/serve/state_engine.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { startTransfer } from "./dialogue.ts";
import { RawClient, type RawReply } from "./raw_client.ts";
import { withDeadline } from "./socket_reader.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

const CLEAR = "tls: { policy: off }\nacceptRisks:\n" +
  ["clear-text-control", "clear-text-data", "plaintext-password"].map((risk) => `  - { risk: ${risk}, reason: test }\n`)
    .join("");

/** What a server is made of. */
export interface QuotaServerOptions {
  /** Users, as YAML in flow style without name, password and home, by name. The home of each is a folder of its name. */
  readonly users: Readonly<Record<string, string>>;
  /** Other lines of the configuration. */
  readonly more?: string;
  /** Event loops. @default {2} */
  readonly workers?: number;
}

/** A server without TLS whose users have the password `secret` and all rights. */
export class QuotaServer implements AsyncDisposable {
  readonly folder: string;
  readonly events: ServerEvent[];
  readonly #waiting: Set<() => void>;
  readonly #server: ConfiguredServer;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    folder: string,
    parts: {
      readonly server: ConfiguredServer;
      readonly events: ServerEvent[];
      readonly waiting: Set<() => void>;
      readonly resources: AsyncDisposableStack;
    },
  ) {
    this.folder = folder;
    this.events = parts.events;
    this.#waiting = parts.waiting;
    this.#server = parts.server;
    this.#resources = parts.resources;
  }

  /** Starts a server. */
  static async start({ users, more = "", workers = 2 }: QuotaServerOptions): Promise<QuotaServer> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await TemporaryFolder.create());
    const rows = Object.entries(users).map(([name, row]) => {
      const home = /\bhome:/.test(row) ? "" : `home: ${name}, `;
      return `  - { name: ${name}, password: secret, ${home}permissions: elradfmwMT, ${row} }\n`;
    });
    const resolve = (path: string) => path.startsWith("/") ? path : `${folder.path}/${path}`;
    const text = `listen: [{ port: 0 }]\n${CLEAR}${more}users:\n${rows.join("")}`;
    const configuration = readConfiguration(text, { file: "ftpsd.yaml", resolve });
    for (const { home } of configuration.users) {
      if (typeof home === "string") await Deno.mkdir(home, { recursive: true });
    }
    const engine = resources.use(await openStateEngine(configuration.state));
    const events: ServerEvent[] = [];
    const waiting = new Set<() => void>();
    const server = await ConfiguredServer.create({ configuration, files: {} }, {
      ...{ workers, dialogue: false, engine },
      onEvent: (event) => {
        events.push(event);
        for (const wake of [...waiting]) wake();
      },
    });
    resources.defer(async () => {
      await server.shutdown();
      await server.finished;
    });
    await server.listen();
    return new QuotaServer(folder.path, { server, events, waiting, resources: resources.move() });
  }

  /** Waits for the first event of a name, also one of the past: other event loops tell theirs a little later. */
  async event<Name extends ServerEvent["event"]>(name: Name): Promise<Extract<ServerEvent, { readonly event: Name }>> {
    const found = Promise.withResolvers<Extract<ServerEvent, { readonly event: Name }>>();
    const look = () => {
      const event = this.events.find(({ event }) => event === name);
      if (event !== undefined) found.resolve(event as Extract<ServerEvent, { readonly event: Name }>);
    };
    this.#waiting.add(look);
    try {
      look();
      return await withDeadline(found.promise, `the event "${name}"`, 10_000);
    } finally {
      this.#waiting.delete(look);
    }
  }

  /** Port of the server. */
  get port(): number {
    return this.#server.addresses[0]?.port ?? 0;
  }

  /** Connects and logs in. */
  async login(username: string): Promise<RawClient> {
    const client = await RawClient.connect({ host: "127.0.0.1", port: this.port });
    await client.readReply("connecting");
    await client.expect(331, `USER ${username}`);
    await client.expect(230, "PASS secret");
    await client.expect(200, "TYPE I");
    return client;
  }

  /** Bytes and files in a folder, however deep. */
  async stored(folder: string): Promise<{ bytes: number; files: number }> {
    let [bytes, files] = [0, 0];
    for await (const { name, isDirectory } of Deno.readDir(`${this.folder}/${folder}`)) {
      const path = `${folder}/${name}`;
      const below = isDirectory ? await this.stored(path) : undefined;
      bytes += below?.bytes ?? (await Deno.stat(`${this.folder}/${path}`)).size;
      files += below?.files ?? 1;
    }
    return { bytes, files };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
    const errors = this.events.filter(({ event }) => event === "internalError");
    if (errors.length > 0) throw new Error(`The server had internal errors: ${Deno.inspect(errors)}`);
  }
}

/** Sends a file piece by piece; returns the final reply. */
export async function upload(client: RawClient, line: string, sizes: readonly number[]): Promise<RawReply> {
  await client.send("");
  const data = await startTransfer(client, line).catch((error) => error as Error);
  if (data instanceof Error) return { code: 0, lines: [], text: data.message };
  await using open = data;
  for (const size of sizes) await open.write(new Uint8Array(size)).catch(() => {}); // the server may have had enough
  await open.finish().catch(() => {});
  return await client.readReply(line);
}

/** The figures of SITE QUOTA. */
export async function quotasOf(client: RawClient): Promise<string[]> {
  const reply = await client.expect(200, "SITE QUOTA");
  return reply.lines.slice(1, -1).map((line) => line.trim());
}
