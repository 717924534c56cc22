import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import type { PostgresEngine } from "../../../lib/state/postgres/postgres_engine.ts";
import { isLost } from "../../../lib/shared_port.ts";
import { IS_POSTGRES_ABSENT, TestCluster, TestDatabase } from "../../helpers/postgres/test_database.ts";
import { TcpProxy } from "../../helpers/tcp_proxy.ts";

const { signal: SIGNAL } = new AbortController();
const LEASE_MS = 3_000;
/** On a busy machine a poll of these tests comes late. */
const POLL_MS = 20;

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

/** Asks until there is an answer that is one; returns it with the time that took. */
async function poll<Answer>(ask: () => Promise<Answer | undefined>, withinMs: number): Promise<[Answer, number]> {
  const start = performance.now();
  for (;;) {
    const answer = await ask().catch(() => undefined);
    const ms = performance.now() - start;
    if (answer !== undefined) return [answer, ms];
    if (ms > withinMs) throw new Error(`There was no answer within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** A node in a process of its own, and the lines that it prints. */
class NodeProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #reading: Promise<void>;

  constructor({ address, authorities }: TestDatabase) {
    const program = new URL("node_program.ts", import.meta.url).pathname;
    const net = `--allow-net=${address.host}:${address.port}`;
    const args = [JSON.stringify(address), JSON.stringify(authorities), String(LEASE_MS)];
    // No other permission: the client reads no variables of the environment.
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", net, program, ...args],
      stdout: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  /** What it has said after a moment, each with when it did. */
  linesSince(time: number): (readonly [string, number])[] {
    const lines = this.#lines.map((line) => line.split(" ")).map(([word = "", at]) => [word, Number(at)] as const);
    return lines.filter(([, at]) => at > time);
  }

  async untilHeld(): Promise<void> {
    await poll(() => Promise.resolve(this.#lines.at(-1)), 30_000);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async #read(): Promise<void> {
    const text = this.#child.stdout.pipeThrough(new TextDecoderStream());
    let rest = "";
    for await (const chunk of text) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      this.#lines.push(...lines);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the test has killed it
    }
    await this.#child.status;
    await this.#reading;
  }
}

test("a node that is killed gives back its places and claims within its lease and a second", async () => {
  await using database = await TestDatabase.open();
  const other = await database.join();
  await using program = new NodeProgram(database);
  await program.untilHeld();
  assertEquals(await other.state.acquireAccount("alice", { connections: 4 }, SIGNAL), undefined);
  program.kill("SIGKILL");
  const [, ms] = await poll(
    () => Promise.resolve(other.state.acquireAccount("alice", { connections: 4 }, SIGNAL)),
    LEASE_MS + 1000,
  );
  using _claim = await other.claims.claim("store/file");
  assertLess(ms, LEASE_MS + 1000);
});

test("a node that was stopped finds out before anything else that it has lost what others have by now", async () => {
  await using database = await TestDatabase.open();
  const other = await database.join();
  await using program = new NodeProgram(database);
  await program.untilHeld();
  program.kill("SIGSTOP");
  const [claim] = await poll(() => other.claims.claim("store/file"), LEASE_MS + 2000);
  const takenAt = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 500));
  program.kill("SIGCONT");
  await poll(() => Promise.resolve(program.linesSince(takenAt).at(20)), 5_000);
  const words = new Set(program.linesSince(takenAt).map(([word]) => word));
  assertEquals([...words], ["lost"]);
  claim[Symbol.dispose]();
});

test("a node that the network has cut off gives up its claims before others have them, and counts its places again later", async () => {
  await using database = await TestDatabase.open();
  await using proxy = new TcpProxy(database.address.port);
  const failures: unknown[] = [];
  const cutOff = await database.join({ leaseMs: LEASE_MS, onFailure: (cause) => failures.push(cause) }, {
    ...database.address,
    port: proxy.port,
  });
  const other = await database.join({ leaseMs: LEASE_MS });
  const slots = await Promise.all([1, 2].map(() => cutOff.state.acquireAccount("alice", { connections: 2 }, SIGNAL)));
  const claim = await cutOff.claims.claim("store/file");
  let lostAt = 0;
  claim.lost?.addEventListener("abort", () => lostAt = performance.now());
  proxy.hang();
  const [taken] = await poll(() => other.claims.claim("store/file"), LEASE_MS + 2000);
  assertGreater(performance.now(), lostAt);
  assert(lostAt > 0 && isLost(claim) && failures.length === 1);
  await assertRejects(() => cutOff.state.acquireAccount("bob", {}, SIGNAL), Error, "This node has no lease");
  proxy.cut();
  proxy.resume();
  await poll(async () => (await cutOff.state.acquireAccount("bob", {}, SIGNAL)), 5_000);
  assertEquals(await other.state.acquireAccount("alice", { connections: 2 }, SIGNAL), undefined);
  for (const slot of slots) slot?.[Symbol.dispose]();
  await poll(async () => await other.state.acquireAccount("alice", { connections: 1 }, SIGNAL), 5_000);
  taken[Symbol.dispose]();
});

test("a database that is killed and started again has forgotten nothing that nodes hold, and gives nothing twice", async () => {
  await using cluster = await TestCluster.start();
  await using database = await cluster.open();
  const leaseMs = 30_000;
  const nodes = await Promise.all([1, 2, 3].map((number) => database.join({ name: `n${number}`, leaseMs })));
  const [one, two] = nodes as [PostgresEngine, PostgresEngine, PostgresEngine];
  for (const node of nodes) await node.state.acquireAccount("alice", { connections: 3 }, SIGNAL);
  const claim = await one.claims.claim("store/file");
  const attempt = await one.state.beginAttempt("192.0.2.1", SIGNAL);
  await cluster.cluster.stop("immediate");
  await assertRejects(async () => await attempt?.fail());
  await assertRejects(() => two.state.acquireAccount("bob", {}, SIGNAL));
  await cluster.cluster.start();
  const others = await Promise.all(nodes.map(async (node) => {
    let isOver = false;
    await poll(async () => {
      isOver ||= (await node.state.acquireAccount("alice", { connections: 3 }, SIGNAL)) !== undefined;
      return await node.state.acquireAccount("bob", {}, SIGNAL);
    }, 20_000);
    return isOver;
  }));
  assertEquals(others, [false, false, false]);
  assert(!isLost(claim));
  await assertRejects(() => two.claims.claim("store/file"), Error, "being written");
  const [[failure]] = await poll(async () => {
    const rows = await database.query("SELECT count(*) AS n FROM ftpsd.failure");
    return rows[0]?.n === "0" ? undefined : rows;
  }, 5_000);
  assertEquals(failure?.n, "1");
  assertEquals(await database.query("SELECT count(*) AS n FROM ftpsd.hold WHERE key = 'alice'"), [{ n: "3" }]);
});
