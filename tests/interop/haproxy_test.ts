import { assert, assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { programTest } from "../helpers/client_program.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";
import { Balancer, BalancerError, randomRange } from "./balancer.ts";

const HOST = "127.0.0.1";
const CHECK_MS = 100;
const START_TRIES = 5;

/** Two nodes with the same files; the passive ports of the first one are behind the balancer. */
interface Cluster {
  readonly nodes: readonly [TestServer, TestServer];
  readonly balancer: Balancer;
}

async function startCluster(resources: AsyncDisposableStack): Promise<Cluster> {
  const home = MemoryFileSystem.of({ "/file.bin": "x".repeat(300_000) });
  const transfer = { bandwidth: { download: 300_000 } };
  for (let tries = 1;; tries++) {
    const [ports, passive] = [randomRange(), randomRange()];
    const node = (own: object) => TestServer.start({ home, proxyProtocol: [HOST], server: { transfer, passive: own } });
    const nodes = [await node({ ports: passive, announced: ports }), await node({})] as const;
    const controls = nodes.map(({ port }) => port);
    try {
      const options = { kind: "HAProxy, version 2", host: HOST, nodes: controls, passive, greets: true } as const;
      const balancer = await Balancer.start(ports, options);
      for (const each of [...nodes, balancer]) resources.use(each);
      return { nodes, balancer };
    } catch (error) {
      for (const each of nodes) await each[Symbol.asyncDispose]();
      if (!(error instanceof BalancerError) || tries === START_TRIES) throw error;
    }
  }
}

async function login(port: number): Promise<RawClient> {
  const client = await RawClient.connect({ host: HOST, port });
  await client.readReply("connecting");
  await client.startTls();
  await client.login(USER.name, USER.password);
  return client;
}

function countSessions({ events }: TestServer): number {
  return events.filter(({ event }) => event === "connected").length;
}

Deno.test(programTest({
  program: "haproxy",
  name: "HAProxy checks nodes by a greeting for itself, of which nothing is in the log",
  fn: async () => {
    await using resources = new AsyncDisposableStack();
    const { nodes, balancer } = await startCluster(resources);
    // One of them has seen whoever waited for the balancer to start.
    await Promise.race(nodes.map((node) => node.event("disconnected")));
    const before = nodes.map(({ events }) => events.length);
    await new Promise((resolve) => setTimeout(resolve, 10 * CHECK_MS));
    assertEquals(nodes.map(({ events }) => events.length), before);
    const sessions = nodes.map(countSessions);
    // Both are up, so both get clients in turn.
    for (let count = 0; count < 4; count++) await (await login(balancer.port))[Symbol.asyncDispose]();
    assertEquals(nodes.map(countSessions), sessions.map((count) => count + 2));
  },
}));

Deno.test(programTest({
  program: "haproxy",
  name: "HAProxy takes out a node that drains: no client fails, and the transfer that runs there comes to its end",
  fn: async () => {
    await using resources = new AsyncDisposableStack();
    const { nodes: [draining, other], balancer } = await startCluster(resources);
    let client = await login(balancer.port);
    if (draining.server.sessions.length === 0) {
      await client[Symbol.asyncDispose]();
      client = await login(balancer.port);
    }
    await using _client = client;
    assertEquals(draining.server.sessions.length, 1);
    await client.expect(200, "TYPE I");
    await using data = await client.passive();
    await client.expect(150, "RETR /file.bin");
    await data.secure();
    const stopped = draining.server.shutdown({ graceMs: 20_000 });
    const before = countSessions(other);
    for (let count = 0; count < 8; count++) await (await login(balancer.port))[Symbol.asyncDispose]();
    assertEquals(countSessions(other), before + 8);
    assertEquals((await data.readAll()).length, 300_000);
    assertEquals((await client.readReply()).code, 226);
    await stopped;
    assert(draining.events.some(({ event }) => event === "fileSent"));
  },
}));
