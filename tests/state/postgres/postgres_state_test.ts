import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import type { PostgresEngine } from "../../../lib/state/postgres/postgres_engine.ts";
import type { AccountSlot, ConnectionSlot } from "../../../lib/state/state.ts";
import { resolveSettings } from "../../../lib/settings/validate.ts";
import { IS_POSTGRES_ABSENT, NO_LIMITS, TestDatabase } from "../../helpers/postgres/test_database.ts";

const { signal: SIGNAL } = new AbortController();
const HOST = "192.0.2.1";

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

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

test("PostgresState lets in exactly as many as the limits say, of 500 logins at once over three nodes, 20 times", async () => {
  await using database = await TestDatabase.open();
  const limits = { ...NO_LIMITS, connectionsPerAddress: 10 };
  const nodes = await joinThree(database, { limits, timeoutMs: 30_000 });
  for (let run = 0; run < 20; run++) {
    // 10 addresses, 10 accounts: of each 50 that come
    const logins = await Promise.all(Array.from({ length: 500 }, async (_, index) => {
      const { state } = nodes[index % 3] as PostgresEngine;
      const slot = await state.acquireConnection(`192.0.2.${Math.floor(index / 3) % 10}`, SIGNAL);
      if (typeof slot === "string") return [];
      const account = await state.acquireAccount(`user${index % 10}`, { connections: 4 }, SIGNAL);
      return account === undefined ? [slot] : [slot, account];
    }));
    const held = await database.query(
      "SELECT kind, key, count(*) AS n FROM ftpsd.hold GROUP BY kind, key ORDER BY kind, key",
    );
    const most = (kind: string) => held.filter((row) => row.kind === kind).map(({ n }) => Number(n));
    assertEquals(most("address"), Array(10).fill(10), `run ${run}`);
    assert(most("account").every((n) => n <= 4) && most("account").length > 0, `run ${run}: ${most("account")}`);
    for (const slot of logins.flat()) slot[Symbol.dispose]();
    await until(async () => (await database.query("SELECT count(*) AS n FROM ftpsd.hold"))[0]?.n === "0", 10_000);
  }
});

test("PostgresState.acquireAccount() has exactly four of 500 that come at once for one account", async () => {
  await using database = await TestDatabase.open();
  const nodes = await joinThree(database, { timeoutMs: 30_000 });
  const slots = await Promise.all(
    Array.from(
      { length: 500 },
      (_, index) => nodes[index % 3]?.state.acquireAccount("alice", { connections: 4 }, SIGNAL),
    ),
  );
  assertEquals(slots.filter((slot) => slot !== undefined).length, 4);
});

test("PostgresState lets ten guesses over three nodes be ten, and bans on all of them within a second", async () => {
  await using database = await TestDatabase.open();
  const nodes = await joinThree(database, { ban: banAfter(10) });
  const begun = await Promise.all(Array.from({ length: 30 }, (_, index) => {
    const leaving = new AbortController();
    const timer = setTimeout(() => leaving.abort(new Error("left")), 1500);
    return nodes[index % 3]?.state.beginAttempt(HOST, leaving.signal).catch(() => undefined).finally(() =>
      clearTimeout(timer)
    );
  }));
  const attempts = begun.filter((attempt) => attempt !== undefined);
  assertEquals(attempts.length, 10);
  const outcomes = [];
  for (const attempt of attempts) outcomes.push(await attempt.fail());
  assertEquals(outcomes.filter(({ bannedForSeconds }) => bannedForSeconds !== undefined).length, 1);
  assertEquals(outcomes.at(-1), { isBanned: true, bannedForSeconds: 900 });
  for (const { state } of nodes) {
    assertEquals(await state.beginAttempt(HOST, SIGNAL), undefined);
    await until(async () => typeof await state.acquireConnection(HOST, SIGNAL) === "string", 1000);
  }
  assert(await nodes[0]?.unban(HOST));
  for (const { state } of nodes) {
    await until(async () => typeof await state.acquireConnection(HOST, SIGNAL) !== "string", 1000);
  }
});

test("PostgresState lets who waits begin when an attempt is given back on another node", async () => {
  await using database = await TestDatabase.open();
  const [one, two] = await joinThree(database, { ban: banAfter(1) });
  const first = await one?.state.beginAttempt(HOST, SIGNAL);
  const waiting = [1, 2, 3].map(() => two?.state.beginAttempt(HOST, SIGNAL));
  first?.giveBack();
  const second = await Promise.race(waiting);
  assertEquals(await second?.fail(), { isBanned: true, bannedForSeconds: 900 });
  assertEquals((await Promise.all(waiting)).filter((attempt) => attempt !== undefined).length, 1);
});

test("PostgresState counts an attempt that ends without a word as a failure, and once", async () => {
  await using database = await TestDatabase.open();
  const [one] = await joinThree(database, { ban: banAfter(2) });
  const first = await one?.state.beginAttempt(HOST, SIGNAL);
  first?.[Symbol.dispose]();
  first?.giveBack();
  await first?.fail();
  await until(async () => (await database.query("SELECT count(*) AS n FROM ftpsd.failure"))[0]?.n === "1", 2000);
  assertEquals(await (await one?.state.beginAttempt(HOST, SIGNAL))?.fail(), { isBanned: true, bannedForSeconds: 900 });
});

test("PostgresState offers a place again as soon as it was given back", async () => {
  await using database = await TestDatabase.open();
  const [one] = await joinThree(database);
  for (let times = 0; times < 50; times++) {
    const slot = await one?.state.acquireAccount("alice", { connections: 1 }, SIGNAL);
    assert(slot !== undefined, `${times}`);
    slot[Symbol.dispose]();
    slot[Symbol.dispose]();
  }
});

test("PostgresState counts connections in all by node, and gives back those that are refused", async () => {
  await using database = await TestDatabase.open();
  const limits = { connections: 2, connectionsPerAddress: 1, connectionsBeforeLogin: 0 };
  const [one, two] = await joinThree(database, { limits });
  const first = await one?.state.acquireConnection(HOST, SIGNAL) as ConnectionSlot;
  assertEquals(await two?.state.acquireConnection(HOST, SIGNAL), "Too many connections from the same IP address.");
  for (let times = 0; times < 5; times++) await one?.state.acquireConnection(HOST, SIGNAL);
  using _second = await one?.state.acquireConnection("192.0.2.2", SIGNAL) as ConnectionSlot;
  assertEquals(
    await one?.state.acquireConnection("192.0.2.3", SIGNAL),
    "Too many connections. Service temporarily unavailable.",
  );
  first[Symbol.dispose]();
  await until(async () => {
    const third = await two?.state.acquireConnection(HOST, SIGNAL);
    if (typeof third === "object") third[Symbol.dispose]();
    return typeof third === "object";
  }, 2000);
});

test("PostgresState divides the rate of an account among the nodes that have sessions of it", async () => {
  await using database = await TestDatabase.open();
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
  await using database = await TestDatabase.open();
  const [one, two] = await joinThree(database);
  const claim = await one?.claims.claim("store/file");
  const error = await assertRejects(async () => await two?.claims.claim("store/file"), FileSystemError);
  assertEquals(error.kind, "busy");
  claim?.[Symbol.dispose]();
  using _other = await two?.claims.claim("store/file");
});

test("PostgresDuties gives a duty to one node, and to another one when that leaves", async () => {
  await using database = await TestDatabase.open();
  const [one, two] = await joinThree(database);
  assertEquals([await one?.duties.take("sweep", 60_000), await two?.duties.take("sweep", 60_000)], [true, false]);
  assert(await one?.duties.take("sweep", 60_000));
  await one?.[Symbol.asyncDispose]();
  assert(await two?.duties.take("sweep", 60_000));
});
