import { assert, assertEquals, assertRejects } from "@std/assert";
import { ClusterNode, type ClusterNodeOptions } from "../../../lib/state/postgres/cluster_node.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../../helpers/postgres/test_database.ts";

const LEASE_MS = 3_000;
const POLL_MS = 20;
const WITHIN_MS = 10_000;

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

function open(
  { address, authorities }: TestDatabase,
  options: Partial<ClusterNodeOptions> = {},
): Promise<ClusterNode> {
  return ClusterNode.open(address, { name: "test", leaseMs: LEASE_MS, authorities, ...options });
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + WITHIN_MS; !await isSo();) {
    if (performance.now() > end) throw new Error(`It was not so within ${WITHIN_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

test("a node beats on while the work of a beat waits for statements that take long", async () => {
  await using database = await TestDatabase.open();
  const stall = Promise.withResolvers<void>();
  await using _node = await open(database, { onBeat: () => stall.promise });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => stall.resolve());
  const ends = new Set<string>();
  await until(async () => {
    const [row] = await database.query("SELECT expires_at FROM ftpsd.node");
    return ends.add(row?.expires_at ?? "").size === 4;
  });
});

test("a place that is given back while a node joins anew does not come back with that", async () => {
  await using database = await TestDatabase.open();
  await using node = await open(database, { maxConnections: 1 });
  const hold = await node.take("account", "alice", 0);
  const { id } = node.term;
  using locker = await database.connect();
  // The last that joining needs.
  await locker.script("BEGIN; LOCK TABLE ftpsd.quota_change IN EXCLUSIVE MODE", WITHIN_MS);
  await database.query("DELETE FROM ftpsd.node");
  await until(async () => {
    const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    return (await database.query(waiting)).length > 0;
  });
  hold?.[Symbol.dispose]();
  await node.query("SELECT pg_sleep(0.05)"); // behind what is given back
  await locker.script("COMMIT", WITHIN_MS);
  await until(() => Promise.resolve(node.isHeld && node.term.id !== id));
  await until(async () => (await database.query("SELECT FROM ftpsd.hold WHERE key = 'alice'")).length === 0);
});

test("a node whose tidying is too slow tries that again later, and keeps its connection", async () => {
  await using database = await TestDatabase.open();
  await database.query(`CREATE OR REPLACE FUNCTION ftpsd.tidy(p_window_s double precision) RETURNS boolean
    LANGUAGE sql AS 'SELECT pg_sleep(60) IS NULL'`);
  let connected = 0;
  let beats = 0;
  await using _node = await open(database, {
    onConnected: () => Promise.resolve(void connected++),
    onBeat: () => Promise.resolve(void beats++),
  });
  await until(() => Promise.resolve(beats === 4));
  assertEquals(connected, 2); // at first, and once it was too slow
});

test("ClusterNode.open() refuses a database whose statements see what was there before they had their locks", async () => {
  await using database = await TestDatabase.open();
  await database.query(
    `ALTER DATABASE ${database.address.database} SET default_transaction_isolation = 'repeatable read'`,
  );
  const error = await assertRejects(() => open(database), Error, "default_transaction_isolation");
  assert(error.message.includes("repeatable read"), error.message);
  assertEquals(await database.query("SELECT FROM ftpsd.node"), []);
});

test("ClusterNode.open() leaves nothing running where it fails behind its joining", async () => {
  await using database = await TestDatabase.open();
  await assertRejects(
    () => open(database, { onConnected: () => Promise.reject(new Error("no bans")) }),
    Error,
    "no bans",
  );
});
