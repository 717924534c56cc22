import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import type { PostgresEngine } from "../../../lib/state/postgres/postgres_engine.ts";
import { AllowedQuotaCounts } from "../../../lib/state/quota_allowances.ts";
import { isTermHeld } from "../../../lib/state/postgres/node_term.ts";
import { isLost } from "../../../lib/shared_port.ts";
import { IS_POSTGRES_ABSENT, type TestDatabase } from "../../helpers/postgres/test_database.ts";
import { shareDatabase } from "../../helpers/postgres/shared_database.ts";
import { TcpProxy } from "../../helpers/tcp_proxy.ts";
import { count, quotaOf, reserve, testQuotas } from "../quotas_conformance.ts";

const MIB = 1024 * 1024;

const openEmpty = shareDatabase(["quota", "quota_change"]);

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

/** Counts of a node, as its event loops have them. */
function countsOf({ quotas, termCell }: PostgresEngine): AllowedQuotaCounts {
  return new AllowedQuotaCounts(quotas, (term) => isTermHeld(termCell, term));
}

async function joinTwo(database: TestDatabase) {
  const engines = await Promise.all([database.join(), database.join()]);
  const [one, two] = engines.map(countsOf) as [AllowedQuotaCounts, AllowedQuotaCounts];
  return { engines: engines as [PostgresEngine, PostgresEngine], one, two };
}

testQuotas("PostgresQuotas", async () => {
  const database = await openEmpty();
  const { one, two } = await joinTwo(database);
  return { counts: one, others: two, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}, { ignore: IS_POSTGRES_ABSENT });

const ALICE = quotaOf("user alice", 25 * MIB);
const PIECE = 64 * 1024;

async function stateOf(database: TestDatabase): Promise<string> {
  const rows = await database.query("SELECT * FROM ftpsd.quota ORDER BY name");
  return rows.map(({ bytes, files, reserved_bytes, reserved_files, changes, counted, stale }) =>
    `${bytes}/${files} + ${reserved_bytes}/${reserved_files} of ${changes} ${
      counted === "t" ? "counted" : "uncounted"
    }` +
    (stale === "t" ? ", stale" : "")
  ).join("; ");
}

async function until(isTrue: () => Promise<boolean>, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!await isTrue()) {
    if (performance.now() > end) throw new Error(`It did not become true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("PostgresQuotas never has a byte too many of 50 uploads at once over three nodes", async () => {
  await using database = await openEmpty();
  const engines = await Promise.all([1, 2, 3].map(() => database.join({ timeoutMs: 20_000 })));
  const nodes = engines.map(countsOf);
  await count(nodes[0] as AllowedQuotaCounts, "user alice");
  let [written, most, whole] = [0, 0, 0];
  const upload = async (counts: AllowedQuotaCounts) => {
    using change = await reserve(counts, [ALICE], 0, 1);
    let own = 0;
    while (own < MIB && await change.grow(PIECE)) {
      own += PIECE;
      written += PIECE;
      most = Math.max(most, written);
    }
    if (own === MIB) whole++;
    else written -= own;
    await change.commit(own === MIB ? { bytes: MIB, files: 1 } : { bytes: 0, files: 0 });
  };
  await Promise.all(Array.from({ length: 50 }, (_, index) => upload(nodes[index % 3] as AllowedQuotaCounts)));
  assert(most <= 25 * MIB, `${most}`);
  assertEquals(await stateOf(database), `${whole * MIB}/${whole} + 0/0 of 0 counted`);
  // One after the other, to the last byte.
  for (let index = 0; index < 50; index++) await upload(nodes[index % 3] as AllowedQuotaCounts);
  assertEquals(whole, 25);
  assertEquals((await nodes[1]?.use("user alice"))?.stored, { bytes: 25 * MIB, files: 25 });
});

test("PostgresQuotas takes back what another node has reserved ahead, and asks for no write in between", async () => {
  await using database = await openEmpty();
  const { one, two } = await joinTwo(database);
  await count(one, "user alice");
  using first = await reserve(one, [ALICE], 0, 1);
  for (let written = 0; written < 3 * PIECE; written += PIECE) assert(await first.grow(PIECE));
  const ahead = (await two.use("user alice"))?.reserved.bytes ?? 0;
  assertGreater(ahead, 3 * PIECE);
  using second = await reserve(two, [ALICE], 25 * MIB - 3 * PIECE);
  assert(!await first.grow(1));
  second[Symbol.dispose]();
  await until(() => Promise.resolve(first.grow(PIECE)));
});

test("PostgresQuotas counts what a lost node had reserved until somebody counts, and a late end of it is not forgotten", async () => {
  await using database = await openEmpty();
  const { engines, one, two } = await joinTwo(database);
  await count(one, "user alice", 100, 1);
  const late = await reserve(one, [ALICE], 1000, 1);
  await reserve(two, [ALICE], 0);
  for (const { quotas } of engines) await quotas.giveBack("user alice"); // what was reserved ahead
  await database.query("UPDATE ftpsd.quota_change SET node = gen_random_uuid() WHERE files > 0"); // of a node that is gone
  await engines[1].quotas.beat();
  assertEquals(await stateOf(database), "1100/2 + 0/0 of 1 counted, stale");
  await database.query("DELETE FROM ftpsd.quota_change WHERE lost_at IS NULL");
  await database.query("UPDATE ftpsd.quota SET changes = 0");
  assertEquals(await two.reserve([ALICE], { bytes: 1, files: 1 }), { refusal: "uncounted", name: "user alice" });
  await count(two, "user alice", 150, 1);
  await late.commit({ bytes: 500, files: 1 });
  assertEquals(await stateOf(database), "650/2 + 0/0 of 0 counted, stale");
  await late.commit({ bytes: 500, files: 1 });
  late[Symbol.dispose]();
  assertEquals(await stateOf(database), "650/2 + 0/0 of 0 counted, stale");
  // Also while somebody counts: the count may not have seen it.
  using counting = await two.beginCount("user alice");
  await database.query("SELECT ftpsd.quota_recount('{user alice}')");
  await counting?.end({ bytes: 1, files: 1 });
  assertEquals(await stateOf(database), "1/1 + 0/0 of 0 counted, stale");
});

test("PostgresQuotas lets somebody else count where the node that did is gone, whose count then is nothing", async () => {
  await using database = await openEmpty();
  const { one, two } = await joinTwo(database);
  using lost = await one.beginCount("user alice");
  assertEquals(await two.beginCount("user alice"), undefined);
  await database.query("UPDATE ftpsd.quota SET counter = gen_random_uuid()");
  await count(two, "user alice", 7, 7);
  await lost?.end({ bytes: 1, files: 1 });
  assertEquals((await two.use("user alice"))?.stored, { bytes: 7, files: 7 });
});

test("PostgresQuotas lets a change use what it has while the database is away, and tells its end once it is back", async () => {
  await using database = await openEmpty();
  await using proxy = new TcpProxy(database.address.port);
  const engine = await database.join({ leaseMs: 30_000, timeoutMs: 500 }, { ...database.address, port: proxy.port });
  const counts = countsOf(engine);
  await count(counts, "user alice");
  const change = await reserve(counts, [ALICE], 0, 1);
  assert(await change.grow(PIECE));
  proxy.hang();
  assert(await change.grow(PIECE)); // reserved ahead
  await assertRejects(async () => await change.grow(MIB), Error);
  assert(await change.grow(PIECE));
  await change.commit({ bytes: 3 * PIECE, files: 1 });
  await assertRejects(() => counts.reserve([ALICE], { bytes: 0, files: 1 }), Error);
  assertEquals((await database.query("SELECT bytes, changes FROM ftpsd.quota"))[0], { bytes: "0", changes: "1" });
  proxy.cut();
  proxy.resume();
  await until(async () => await stateOf(database) === `${3 * PIECE}/1 + 0/0 of 0 counted`, 20_000);
});

test("PostgresQuotas ends a change of which nobody knows whether it has begun, whenever it does", async () => {
  await using database = await openEmpty();
  const engine = await database.join({ timeoutMs: 700, leaseMs: 1500 });
  const counts = countsOf(engine);
  await count(counts, "user alice");
  const written = async () => (await database.query("SELECT xmin FROM ftpsd.quota"))[0]?.xmin;
  const before = await written();
  using locking = await database.connect();
  await locking.script("BEGIN; SELECT FROM ftpsd.quota FOR UPDATE", 1000);
  await assertRejects(() => counts.reserve([ALICE], { bytes: 10, files: 1 }), Error, "in time");
  await locking.script("COMMIT", 1000);
  await until(async () => await written() !== before); // it has begun after all
  await until(async () => await stateOf(database) === "0/0 + 0/0 of 0 counted");
});

test("PostgresQuotas ends what it has in order when it leaves, and begins nothing for who has no lease", async () => {
  await using database = await openEmpty();
  const { engines, one, two } = await joinTwo(database);
  await count(one, "user alice");
  const change = await reserve(one, [ALICE], 10, 1);
  const ended = change.commit({ bytes: 10, files: 1 });
  await engines[0][Symbol.asyncDispose]();
  await ended;
  assert(isLost(change));
  await assertRejects(() => one.reserve([ALICE], { bytes: 0, files: 0 }), Error, "no lease");
  assertEquals((await two.use("user alice"))?.stored, { bytes: 10, files: 1 });
});

test("PostgresQuotas takes names of any kind", async () => {
  await using database = await openEmpty();
  const { one, two } = await joinTwo(database);
  for (const name of ["user a\0b", `user ${"x".repeat(10_000)}`, "user \ud800", `group "},{\\"`]) {
    const quota = quotaOf(name, 1000);
    await count(one, name);
    using change = await reserve(one, [quota], 990, 1);
    assertEquals(await two.reserve([quota], { bytes: 11, files: 0 }), { refusal: "bytes", name });
    await change.commit({ bytes: 990, files: 1 });
    assertEquals((await two.use(name))?.stored, { bytes: 990, files: 1 });
  }
});
