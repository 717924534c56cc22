/**
 * Uploads to a server that is killed again and again, while the receiver of its hook is away for a time.
 *
 * Each upload has a size of its own, by which the receiver knows it.
 *
 * @module
 */

import { delay } from "../../lib/deadline.ts";
import { Installation, PASSWORD, QUICK_HASH } from "../cli/installation.ts";
import { MAIN, SpawnedServer } from "../cli/spawned_server.ts";
import { type ReceivedHook, TestReceiver, TOKEN } from "../helpers/hook_receiver.ts";
import { RawClient } from "../helpers/raw_client.ts";

/** What is played. */
export interface ToldUploadsOptions {
  readonly uploads: number;
  readonly kills: number;
  /** How long the receiver is away. */
  readonly awayMs: number;
}

/** What came of it. */
export interface ToldUploadsResult {
  /** Uploads that got 226. */
  readonly acknowledged: number;
  /** Those of them that were never told. */
  readonly missing: readonly string[];
  /** Paths of which an upload was told after a later one. */
  readonly outOfOrder: readonly string[];
  /** Uploads that were told under more ids than they were sent times. */
  readonly excess: readonly string[];
  /** Attempts that came with an id that had been told already. */
  readonly duplicates: number;
  /** What was wrong with signatures and the like. */
  readonly wrong: readonly string[];
  readonly seconds: number;
}

const CLIENTS = 8;
/** Each tenth upload replaces a file of its client, of which there are so many. */
const SHARED_FILES = 3;
const MAX_WAIT_MS = 180_000;

/** An upload, and how often it was sent. */
interface Upload {
  readonly path: string;
  readonly bytes: number;
  sent: number;
}

/** Plays it. */
export async function playToldUploads(options: ToldUploadsOptions): Promise<ToldUploadsResult> {
  const startedAt = performance.now();
  await using receivers = new Receivers();
  await using installation = await Installation.create(configurationOf(receivers.port));
  await Deno.writeTextFile(`${installation.path}/hook.token`, TOKEN, { mode: 0o600 });
  await using servers = new Servers(installation);
  const uploads: Upload[] = [];
  let acknowledged = 0;
  let next = 0;
  const client = async (index: number) => {
    await using connection = new Reconnecting(servers);
    while (next < options.uploads) {
      const number = next++;
      const path = number % 10 === 0 ? `/c${index}-${number / 10 % SHARED_FILES}` : `/f${number}`;
      const upload = { path, bytes: number + 1, sent: 0 };
      uploads.push(upload);
      await connection.store(upload);
      acknowledged++;
    }
  };
  const kill = async () => {
    for (let kills = 1; kills <= options.kills; kills++) {
      while (acknowledged < kills * options.uploads / (options.kills + 1)) await delay(5, servers.signal);
      await servers.kill();
    }
  };
  const goAway = async () => {
    while (acknowledged < options.uploads / 2) await delay(5, servers.signal);
    await receivers.away(options.awayMs);
  };
  await servers.start();
  await Promise.all([kill(), goAway(), ...Array.from({ length: CLIENTS }, (_, index) => client(index))]);
  const deadline = performance.now() + MAX_WAIT_MS;
  // The receiver has the same event loop, and needs it.
  while (uploads.some((upload) => !receivers.told.has(keyOf(upload))) && performance.now() < deadline) {
    await delay(500, servers.signal);
  }
  return { acknowledged, ...judge(uploads, receivers), seconds: (performance.now() - startedAt) / 1000 };
}

function configurationOf(port: number): string {
  return [
    "listen: [{ port: 0 }]",
    "workers: 2",
    `hooks: { queue: hooks.db, fileReceived: { url: 'http://127.0.0.1:${port}/hook', tokenFile: hook.token, timeout: 5 } }`,
    `users: [{ name: user, password: '${QUICK_HASH}', home: home, permissions: elradfmwMT }]`,
    "acceptRisks: [{ risk: clear-text-hook, reason: a test }]",
    "",
  ].join("\n");
}

function keyOf({ path, bytes }: { readonly path: string; readonly bytes: unknown }): string {
  return `${path} ${bytes}`;
}

function judge(uploads: readonly Upload[], { received, wrong }: Receivers) {
  const ids = new Map<string, ToldUpload>();
  for (const { id, path, bytes } of received) if (!ids.has(id)) ids.set(id, { id, path, bytes });
  const firsts = [...ids.values()];
  const told = new Map<string, number>();
  for (const first of firsts) told.set(keyOf(first), (told.get(keyOf(first)) ?? 0) + 1);
  const last = new Map<string, number>();
  const outOfOrder: string[] = [];
  for (const { path, bytes } of firsts) {
    if (bytes < (last.get(path) ?? 0)) outOfOrder.push(path);
    last.set(path, Math.max(bytes, last.get(path) ?? 0));
  }
  return {
    missing: uploads.map(keyOf).filter((key) => !told.has(key)),
    outOfOrder,
    excess: uploads.filter((upload) => (told.get(keyOf(upload)) ?? 0) > upload.sent).map(keyOf),
    duplicates: received.length - firsts.length,
    wrong,
  };
}

/** An upload that was told. */
interface ToldUpload {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
}

/** One receiver after the other, on one port. */
class Receivers implements AsyncDisposable {
  readonly received: ToldUpload[] = [];
  readonly told = new Set<string>();
  readonly wrong: string[] = [];
  readonly port: number;
  #current: TestReceiver;

  constructor() {
    this.#current = this.#listen(0);
    this.port = this.#current.port;
  }

  async away(ms: number): Promise<void> {
    await this[Symbol.asyncDispose]();
    await delay(ms, new AbortController().signal);
    this.#current = this.#listen(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.wrong.push(...this.#current.wrong);
    await this.#current[Symbol.asyncDispose]();
  }

  #listen(port: number): TestReceiver {
    const take = ({ id, path, body }: ReceivedHook) => {
      const upload = { id, path, bytes: Number(body.bytes) };
      this.received.push(upload);
      this.told.add(keyOf(upload));
      return new Response(null, { status: 204 });
    };
    return new TestReceiver(take, { port });
  }
}

/** One server after the other. */
class Servers implements AsyncDisposable {
  readonly #installation: Installation;
  readonly #closed = new AbortController();
  #current: Promise<SpawnedServer> | undefined;

  constructor(installation: Installation) {
    this.#installation = installation;
  }

  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  async start(): Promise<void> {
    const { path, home, file } = this.#installation;
    const program = new URL(".", `file://${MAIN}`).pathname.replace(/\/$/, "");
    this.#current = SpawnedServer.start({
      flags: [
        "--allow-net=127.0.0.1",
        `--allow-read=${path},${program}`,
        `--allow-write=${home},${path}/hooks.db`,
      ],
      args: ["serve", "--config", file],
      hasOwnPorts: true,
    });
    await this.#current;
  }

  async port(): Promise<number> {
    return await (await this.#current)?.port() ?? 0;
  }

  async kill(): Promise<void> {
    const killed = await this.#current;
    killed?.kill("SIGKILL");
    await killed?.exited();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await (await this.#current)?.[Symbol.asyncDispose]();
  }
}

/** A client that connects anew, and sends again what it has got no 226 for. */
class Reconnecting implements AsyncDisposable {
  readonly #servers: Servers;
  #client: RawClient | undefined;

  constructor(servers: Servers) {
    this.#servers = servers;
  }

  async store(upload: Upload): Promise<void> {
    for (;;) {
      try {
        this.#client ??= await this.#connect();
        upload.sent++;
        await this.#client.store(upload.path, new Uint8Array(upload.bytes));
        return;
      } catch {
        // Killed: nobody knows whether the file has come.
        await this[Symbol.asyncDispose]();
        await delay(20, this.#servers.signal);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    this.#client = undefined;
  }

  async #connect(): Promise<RawClient> {
    const client = await RawClient.connect({ host: "127.0.0.1", port: await this.#servers.port() });
    try {
      await client.readReply();
      await client.startTls();
      await client.login("user", PASSWORD);
      await client.expect(200, "TYPE I");
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }
}
