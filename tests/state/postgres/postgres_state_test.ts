import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import type { AccountSlot, LoginAttempt } from "../../../lib/state/state.ts";
import { resolveSettings } from "../../../lib/settings/validate.ts";
import { shareDatabase } from "../../helpers/postgres/shared_database.ts";
import { IS_POSTGRES_ABSENT, type TestDatabase } from "../../helpers/postgres/test_database.ts";
import { testState } from "../state_conformance.ts";

const { signal: SIGNAL } = new AbortController();
const HOST = "192.0.2.1";

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

const openEmpty = shareDatabase(["failure", "ban", "event", "duty"]);

testState("PostgresState", async (options) => {
  const database = await openEmpty();
  const [one, two] = await Promise.all([database.join(options), database.join(options)]);
  return { state: one.state, others: two.state, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}, { ignore: IS_POSTGRES_ABSENT });

function banAfter(failures: number) {
  return resolveSettings({ ban: { failures, window: 600, duration: 900 } }).ban;
}

function joinThree(database: TestDatabase, options: Parameters<TestDatabase["join"]>[0] = {}) {
  return Promise.all([1, 2, 3].map((number) => database.join({ name: `n${number}`, ...options })));
}

async function until(isTrue: () => boolean | Promise<boolean>, withinMs: number): Promise<number> {
  const start = performance.now();
  while (!await isTrue()) {
    if (performance.now() - start > withinMs) throw new Error(`It did not become true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - start;
}

test("PostgresState.acquireAccount() has exactly four of 500 that come at once for one account", async () => {
  await using database = await openEmpty();
  const nodes = await joinThree(database, { timeoutMs: 30_000 });
  const slots = await Promise.all(
    Array.from(
      { length: 500 },
      (_, index) => nodes[index % 3]?.state.acquireAccount("alice", { connections: 4 }, SIGNAL),
    ),
  );
  assertEquals(slots.filter((slot) => slot !== undefined).length, 4);
});

test("PostgresState takes limits as large as settings may have", async () => {
  await using database = await openEmpty();
  const most = Number.MAX_SAFE_INTEGER;
  const seconds = 2_147_482; // the most that a time may have
  const { ban } = resolveSettings({ ban: { failures: 1_000, window: seconds, duration: seconds } });
  const limits = { connections: 0, connectionsPerAddress: most, connectionsBeforeLogin: 0 };
  const { state, bans } = await database.join({ limits, ban });
  using _connection = asSlot(await state.acquireConnection(HOST, SIGNAL));
  using slot = await state.acquireAccount("alice", { connections: most }, SIGNAL);
  assert(slot !== undefined);
  const attempt = await state.beginAttempt(HOST, SIGNAL);
  assert(attempt !== undefined && !(await attempt.fail()).isBanned);
  await bans.ban(HOST, seconds);
  assertEquals((await bans.list()).map(({ address }) => address), [HOST]);
});

test("PostgresState lets ten guesses over three nodes be ten, and bans on all of them within a second", async () => {
  await using database = await openEmpty();
  const nodes = await joinThree(database, { ban: banAfter(10) });
  const leaving = new AbortController();
  const attempts: LoginAttempt[] = [];
  const asked = Array.from({ length: 30 }, async (_, index) => {
    const attempt = await nodes[index % 3]?.state.beginAttempt(HOST, leaving.signal).catch(() => undefined);
    if (attempt !== undefined) attempts.push(attempt);
  });
  await until(() => attempts.length >= 10, 10_000);
  await new Promise((resolve) => setTimeout(resolve, 300)); // no more of them
  leaving.abort(new Error("left"));
  await Promise.all(asked);
  assertEquals(attempts.length, 10);
  const outcomes = [];
  for (const attempt of attempts) outcomes.push(await attempt.fail());
  assertEquals(outcomes.filter(({ bannedForSeconds }) => bannedForSeconds !== undefined).length, 1);
  assertEquals(outcomes.at(-1), { isBanned: true, bannedForSeconds: 900 });
  for (const { state } of nodes) {
    assertEquals(await state.beginAttempt(HOST, SIGNAL), undefined);
    await until(async () => typeof await state.acquireConnection(HOST, SIGNAL) === "string", 1000);
  }
  assert(await nodes[0]?.bans.lift(HOST));
  for (const { state } of nodes) {
    await until(async () => typeof await state.acquireConnection(HOST, SIGNAL) !== "string", 1000);
  }
});

test("PostgresState divides the rate of an account among the nodes that have sessions of it", async () => {
  await using database = await openEmpty();
  const [one, two] = await joinThree(database, { leaseMs: 1500 });
  const limits = { bandwidth: { upload: 1000, download: 2000 } };
  const first = await one?.state.acquireAccount("alice", limits, SIGNAL) as AccountSlot;
  assertEquals([first.send?.bytesPerSecond, first.receive?.parts?.[0]], [2000, 1]);
  const second = await two?.state.acquireAccount("alice", limits, SIGNAL) as AccountSlot;
  assertEquals(second.send?.parts?.[0], 2);
  await until(() => first.send?.parts?.[0] === 2, 2000);
  second[Symbol.dispose]();
  await until(() => first.send?.parts?.[0] === 1, 2000);
});

test("PostgresFileClaims gives a file to one of two nodes, and to the other one afterwards", async () => {
  await using database = await openEmpty();
  const [one, two] = await joinThree(database);
  const claim = await one?.claims.claim("store/file");
  const error = await assertRejects(async () => await two?.claims.claim("store/file"), FileSystemError);
  assertEquals(error.kind, "busy");
  claim?.[Symbol.dispose]();
  using _other = await two?.claims.claim("store/file");
});

test("PostgresDuties gives a duty to one node, and to another one when that leaves", async () => {
  await using database = await openEmpty();
  const [one, two] = await joinThree(database);
  assertEquals([await one?.duties.take("sweep", 60_000), await two?.duties.take("sweep", 60_000)], [true, false]);
  assert(await one?.duties.take("sweep", 60_000));
  await one?.[Symbol.asyncDispose]();
  assert(await two?.duties.take("sweep", 60_000));
});

function asSlot<Slot>(answer: Slot | string): Slot {
  if (typeof answer === "string") throw new Error(answer);
  return answer;
}
