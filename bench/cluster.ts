// deno-lint-ignore-file no-console -- what it prints is what it is for
/**
 * Measures what a state in PostgreSQL costs beside one in memory, and how much of it one database carries: what a login and an
 * upload into a store wait for, sessions a second of three nodes beside one, and nodes without servers around them that beat
 * and log in. The database is one of its own on this machine, with `fsync`; the store is a stand-in in this process.
 *
 * ```sh
 * deno run -A bench/cluster.ts                           # two minutes
 * deno run -A bench/cluster.ts --sessions=0 --seconds=10 --nodes=30,100    # the nodes alone
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import type { PostgresEngine } from "../lib/state/postgres/postgres_engine.ts";
import type { PostgresCluster } from "../tests/services/postgres.ts";
import { CLUSTER_USER, FtpCluster } from "../tests/helpers/cluster/ftp_cluster.ts";
import { TestCluster, type TestDatabase } from "../tests/helpers/postgres/test_database.ts";
import { requireProgram } from "../tests/helpers/run_program.ts";

const parsed = parseArgs(Deno.args, { string: ["sessions", "seconds", "nodes"] });
const options = {
  sessions: Number(parsed.sessions ?? 200),
  seconds: Number(parsed.seconds ?? 6),
  nodes: String(parsed.nodes ?? "30,100").split(",").map(Number),
};
const ROUNDS = 4;
const WARM_UP = 20;
const CLIENTS = 12;
const LOGINS_AT_ONCE = 20;
/** After which the database has counted what its backends have done. */
const COUNTED_MS = 2_000;
const STEPS = ["greeting", "password", "upload"] as const;
const { signal: SIGNAL } = new AbortController();

/** Waiting times in milliseconds, by step. */
type Times = Record<typeof STEPS[number], number[]>;

function quantile(times: readonly number[], part: number): string {
  const sorted = times.toSorted((one, other) => one - other);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN).toFixed(1);
}

async function timed<Result>(times: number[], run: () => Promise<Result>): Promise<void> {
  const start = performance.now();
  await run();
  times.push(performance.now() - start);
}

/** One client at one node, session after session with an upload each. */
async function walk({ nodes: [node] }: FtpCluster, count: number, times: Times): Promise<void> {
  if (node === undefined) throw new TypeError("There is no node");
  for (let index = 0; index < count; index++) {
    await using client = await node.connect();
    await timed(times.greeting, () => client.readReply());
    await client.startTls();
    for (const line of ["PBSZ 0", "PROT P"]) await client.expect(200, line);
    await client.expect(331, `USER ${CLUSTER_USER.name}`);
    await timed(times.password, () => client.expect(230, `PASS ${CLUSTER_USER.password}`));
    await client.expect(200, "TYPE I");
    await using data = await client.passive({ via: node.localPort });
    await timed(times.upload, () => client.expect(150, `STOR ${index % 10}`));
    await data.secure();
    await data.write(new Uint8Array(1000));
    await data.finish();
    await client.readReply();
    await client.expect(221, "QUIT");
  }
}

/** What a database has done until now: statements, each of which is a transaction here, and processor seconds of PostgreSQL. */
async function workOf(
  postgres: PostgresCluster,
  { address }: TestDatabase,
): Promise<{ statements: number; cpu: number }> {
  await new Promise((resolve) => setTimeout(resolve, COUNTED_MS));
  const sql = `SELECT xact_commit FROM pg_stat_database WHERE datname = '${address.database}'`;
  const pids = await postgres.sql("SELECT string_agg(format('/proc/%s/stat', pid), ' ') FROM pg_stat_activity");
  const script = `cat ${pids.trim()} 2>/dev/null | awk '{ s += $14 + $15 } END { print s }'`;
  return { statements: Number(await postgres.sql(sql)), cpu: Number(await requireProgram("sh", ["-c", script])) / 100 };
}

async function useFsync(postgres: PostgresCluster): Promise<void> {
  await postgres.sql("ALTER SYSTEM SET fsync = on", "postgres");
  await postgres.sql("SELECT pg_reload_conf()", "postgres");
}

async function compareStates(): Promise<void> {
  await using memory = await FtpCluster.start({ nodes: 1, settings: { state: { type: "memory" } } });
  await using shared = await FtpCluster.start({ nodes: 1, hasOwnPostgres: true });
  const { postgres, database } = shared;
  if (postgres === undefined) throw new TypeError("There is no database");
  await useFsync(postgres);
  const none = (): Times => ({ greeting: [], password: [], upload: [] });
  for (const cluster of [memory, shared]) await walk(cluster, WARM_UP, none());
  const idle = [await workOf(postgres, database), await workOf(postgres, database)];
  const beats = ((idle[1]?.statements ?? 0) - (idle[0]?.statements ?? 0)) / COUNTED_MS;
  const [inMemory, inPostgres] = [none(), none()];
  const start = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    await walk(memory, options.sessions / ROUNDS, inMemory);
    await walk(shared, options.sessions / ROUNDS, inPostgres);
  }
  const { statements } = await workOf(postgres, database);
  const own = statements - (idle[1]?.statements ?? 0) - beats * (performance.now() - start);
  console.log("| one client, ms | memory p50 | p99 | PostgreSQL p50 | p99 |\n| --- | --- | --- | --- | --- |");
  for (const step of STEPS) {
    const cells = [inMemory[step], inPostgres[step]].flatMap((it) => [quantile(it, 0.5), quantile(it, 0.99)]);
    console.log(`| ${step} | ${cells.join(" | ")} |`);
  }
  console.log(`statements of a session with one upload: ${(own / options.sessions).toFixed(1)}`);
}

async function sessionsPerSecond(nodes: number): Promise<number> {
  await using cluster = await FtpCluster.start({ nodes, hasOwnPostgres: true });
  let sessions = 0;
  const end = performance.now() + options.seconds * 1000;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (performance.now() < end) {
      await using client = await cluster.login();
      await client.expect(221, "QUIT");
      sessions++;
    }
  }));
  return sessions / options.seconds;
}

/** What a login asks of the state, from connection to QUIT. */
async function login({ state }: PostgresEngine, index: number): Promise<void> {
  const host = `10.${index >> 16 & 255}.${index >> 8 & 255}.${index & 255}`;
  const connection = await state.acquireConnection(host, SIGNAL);
  const attempt = await state.beginAttempt(host, SIGNAL);
  const account = await state.acquireAccount(`user${index % 10_000}`, { connections: 4 }, SIGNAL);
  if (typeof connection === "string" || attempt === undefined || account === undefined) throw new Error("refused");
  attempt.giveBack();
  account[Symbol.dispose]();
  connection[Symbol.dispose]();
}

async function carry(count: number): Promise<void> {
  await using cluster = await TestCluster.start();
  await useFsync(cluster.cluster);
  await using database = await cluster.open();
  const engines: PostgresEngine[] = [];
  for (let index = 0; index < count; index++) engines.push(await database.join({ name: `n${index}`, leaseMs: 6_000 }));
  const before = await workOf(cluster.cluster, database);
  await new Promise((resolve) => setTimeout(resolve, options.seconds * 1000));
  const idle = await workOf(cluster.cluster, database);
  const seconds = options.seconds + COUNTED_MS / 1000;
  const connections = engines.reduce((sum, engine) => sum + engine.connections, 0);
  const times: number[] = [];
  let [index, failed] = [0, 0];
  const end = performance.now() + options.seconds * 1000;
  await Promise.all(Array.from({ length: LOGINS_AT_ONCE }, async (_, which) => {
    const engine = engines[which % engines.length];
    while (engine !== undefined && performance.now() < end) {
      await timed(times, () => login(engine, index++)).catch(() => void failed++); // the processor was too slow for it
    }
  }));
  const busy = await workOf(cluster.cluster, database);
  const cells = [
    count,
    connections,
    ((idle.statements - before.statements) / seconds).toFixed(0),
    `${((idle.cpu - before.cpu) / seconds * 100).toFixed(1)} %`,
    `${(times.length / options.seconds).toFixed(0)}${failed === 0 ? "" : `, ${failed} failed`}`,
    `${quantile(times, 0.5)} / ${quantile(times, 0.99)} ms`,
    ((busy.statements - idle.statements) / times.length).toFixed(1),
    `${((busy.cpu - idle.cpu) / times.length * 1000).toFixed(2)} ms`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

if (options.sessions > 0) await compareStates();
for (const nodes of options.sessions > 0 ? [1, 3] : []) {
  console.log(`${nodes} nodes: ${(await sessionsPerSecond(nodes)).toFixed(0)} sessions a second`);
}
console.log(
  "| nodes | connections | statements/s at rest | processor | logins/s | p50 / p99 | statements a login | processor a login |",
);
console.log(`|${" --- |".repeat(8)}`);
for (const count of options.nodes) await carry(count);
