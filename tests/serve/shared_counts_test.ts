import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ServerEvent, ServerEventName } from "../../lib/events.ts";
import { ConfiguredServer, type ConfiguredServerOptions } from "../../lib/serve/configured_server.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import { resolveSettings } from "../../lib/settings/validate.ts";
import { MemoryState } from "../../lib/state/memory_state.ts";
import type { SharedState } from "../../lib/state/state.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const FULL = "421 Too many connections. Service temporarily unavailable.";

/**
 * Starts a server of several event loops on a folder that everybody may read.
 *
 * @param options.isEarly Whether not to wait for the others.
 */
async function start(
  folder: TemporaryFolder,
  options: Partial<ConfiguredServerOptions> & { readonly connections?: number; readonly isEarly?: boolean } = {},
): Promise<ConfiguredServer & AsyncDisposable> {
  const { connections = 512, isEarly = false, ...others } = options;
  const text = [
    `listen: [{ port: 0 }]\nanonymous: { home: '${folder.path}' }\nlimits: { connections: ${connections}, connectionsBeforeLogin: 0 }\n`,
    "tls: { policy: off }\nacceptRisks: [{ risk: clear-text-control, reason: test }, { risk: clear-text-data, reason: test }]\n",
  ].join("");
  const configuration = readConfiguration(text, { file: "ftpsd.yaml", resolve: (path) => path });
  const server = await ConfiguredServer.create({ configuration, files: {} }, {
    ...{ workers: 2, dialogue: false, onEvent: () => {} },
    ...others,
  });
  const listening = server.listen();
  if (!isEarly) await listening;
  while (server.addresses.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      await listening;
      await server.shutdown();
      await server.finished;
    },
  });
}

class Clients implements AsyncDisposable {
  readonly all: RawClient[] = [];
  readonly #port: number;

  constructor(server: ConfiguredServer) {
    this.#port = server.addresses[0]?.port ?? 0;
  }

  /** Greetings of more clients, which stay. */
  async connect(count: number): Promise<string[]> {
    return await Promise.all(Array.from({ length: count }, async () => {
      const client = await RawClient.connect({ host: "127.0.0.1", port: this.#port });
      this.all.push(client);
      return (await client.readReply()).text;
    }));
  }

  async logIn(): Promise<void> {
    await Promise.all(this.all.map((client) => client.login("anonymous", "me@example.org")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.splice(0).map((client) => client[Symbol.asyncDispose]()));
  }
}

/** The state of a server with limits of its own. */
function createState(connections: number): MemoryState {
  const { limits, ban } = resolveSettings({ limits: { connections, connectionsBeforeLogin: 0 } });
  return new MemoryState({ limits, ban });
}

/** How often each kind of event was reported of sessions of each event loop, which their ids begin with. */
function countByLoop(events: readonly ServerEvent[], name: ServerEventName): number[] {
  const ids = events.filter(({ event }) => event === name).map((event) =>
    "session" in event ? event.session : undefined
  );
  return [...Map.groupBy(ids, (id) => id?.split("-")[0]).values()].map(({ length }) => length);
}

Deno.test("Event loops that are stopped have given back all that was counted", async () => {
  await using folder = await TemporaryFolder.create();
  const state = createState(30);
  await using server = await start(folder, { state });
  await using clients = new Clients(server);
  assertEquals(new Set(await clients.connect(24)).size, 1);
  await clients.logIn();
  assertEquals(await clients.connect(8).then((greetings) => greetings.filter((text) => text === FULL).length), 2);
  await server.shutdown();
  await server.finished;
  assertEquals(state.table.locked((records) => records.count), 1); // of the server itself
});

Deno.test("Event loops count in a state that is not in memory by messages", async () => {
  await using folder = await TemporaryFolder.create();
  const memory = createState(10);
  const calls: string[] = [];
  const state: SharedState = {
    acquireConnection: (host) => (calls.push("connection"), memory.acquireConnection(host)),
    beginAttempt: (host, signal) => (calls.push("attempt"), memory.beginAttempt(host, signal)),
    acquireAccount: (username, limits) => (calls.push("account"), memory.acquireAccount(username, limits)),
  };
  const events: ServerEvent[] = [];
  await using server = await start(folder, { state, onEvent: (event) => events.push(event) });
  await using clients = new Clients(server);
  await clients.connect(10);
  await clients.logIn();
  assertEquals(await clients.connect(2), [FULL, FULL]);
  await server.shutdown();
  await server.finished;
  assertEquals([calls.length, calls.filter((call) => call === "account").length], [32, 10]);
  assertEquals(memory.table.locked((records) => records.count), 1);
  assertEquals(events.filter(({ event }) => event === "internalError"), []);
});

Deno.test("Another event loop reports what somebody wants, all of it before the end", async () => {
  await using folder = await TemporaryFolder.create();
  const events: ServerEvent[] = [];
  const server = await start(folder, { events: ["disconnected"], onEvent: (event) => events.push(event) });
  await using clients = new Clients(server);
  await clients.connect(24);
  await server.shutdown();
  await server.finished;
  assertEquals(countByLoop(events, "connected").length, 1); // of the main one, which reports all
  const disconnected = countByLoop(events, "disconnected");
  assertEquals([disconnected.length, disconnected.reduce((sum, count) => sum + count)], [2, 24]);
  assertEquals(events.at(-1)?.event, "stopped");
});

Deno.test("An event loop whose clients are sent away, as another one cannot start, gives back what they count", async () => {
  await using folder = await TemporaryFolder.create();
  const clientCount = 24;
  const state = createState(clientCount);
  const events: ServerEvent[] = [];
  const workerProgram = new URL("./late_failure_worker.ts", import.meta.url);
  await using server = await start(folder, {
    ...{ workers: 3, workerProgram, state, connections: clientCount, isEarly: true },
    onEvent: (event) => events.push(event),
  });
  await using clients = new Clients(server);
  while (clients.all.length < clientCount) {
    // The worker that will serve may not listen yet: of those who come later, some are its own.
    await clients.connect(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  while (server.workers > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  const told = events.find(({ event }) => event === "internalError");
  assertMatch(told?.event === "internalError" ? told.message : "", /^Only one event loop serves\. .*no descriptor/);
  const left = (await server.sessions()).length;
  assert(left > 0 && left < clientCount, `${left} sessions are left`);
  const greetings = await clients.connect(clientCount - left + 1);
  assertEquals(greetings.filter((text) => text === FULL).length, 1);
});
