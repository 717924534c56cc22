import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { delay } from "../../../lib/deadline.ts";
import { createTableMemory, SharedTable } from "../../../lib/state/shared_table.ts";
import { SqliteDatabase } from "../../../lib/state/sqlite/sqlite_database.ts";
import { SqliteQuotas } from "../../../lib/state/sqlite/sqlite_quotas.ts";
import { SqliteState } from "../../../lib/state/sqlite/sqlite_state.ts";
import { TableQuotaCounts } from "../../../lib/state/table_quotas.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";
import { count, quotaOf, reserve, testQuotas } from "../quotas_conformance.ts";

/** Counts of a process that has the file. */
function open(path: string) {
  const database = SqliteDatabase.open(path);
  const memory = createTableMemory(16);
  const looker = new TableQuotaCounts(new SharedTable(memory));
  const store = new SqliteQuotas(database.db, (name) => looker.stored(name));
  const create = () => new TableQuotaCounts(new SharedTable(memory), store);
  return { counts: create(), others: create(), store, database };
}

testQuotas("TableQuotaCounts with SqliteQuotas", async () => {
  const folder = await TemporaryFolder.create();
  const made = open(`${folder.path}/state.db`);
  return {
    ...made,
    async [Symbol.asyncDispose]() {
      made.database[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
});

Deno.test("SqliteQuotas let what was committed outlive the process, and no reservation", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/state.db`;
  const quota = quotaOf("user alice", 0, 9);
  {
    const { counts, database } = open(path);
    using _open = database;
    await count(counts, "user alice", 2 ** 40, 1);
    const upload = await reserve(counts, [quota], 100, 1);
    await upload.commit({ bytes: 123, files: 1 });
    await reserve(counts, [quota], 1000, 1);
  }
  const { counts, database } = open(path);
  using _open = database;
  assertEquals(await counts.use("user alice"), {
    stored: { bytes: 2 ** 40 + 123, files: 2 },
    reserved: { bytes: 0, files: 0 },
  });
});

Deno.test("SqliteQuotas keep with the next commit what could not be kept before", async () => {
  await using folder = await TemporaryFolder.create();
  const { counts, store, database } = open(`${folder.path}/state.db`);
  using _open = database;
  await count(counts, "user alice");
  await count(counts, "user bob");
  database.db.exec("PRAGMA query_only = 1");
  const alice = await reserve(counts, [quotaOf("user alice", 100)], 10);
  await assertRejects(async () => await alice.commit({ bytes: 10, files: 1 }), Error, "readonly");
  alice[Symbol.dispose]();
  assertEquals(await counts.use("user alice"), { stored: { bytes: 10, files: 1 }, reserved: { bytes: 0, files: 0 } });
  assertEquals(store.load("user alice"), { bytes: 0, files: 0 });
  database.db.exec("PRAGMA query_only = 0");
  const bob = await reserve(counts, [quotaOf("user bob", 100)], 10);
  await bob.commit({ bytes: 7, files: 1 });
  assertEquals([store.load("user alice"), store.load("user bob")], [
    { bytes: 10, files: 1 },
    { bytes: 7, files: 1 },
  ]);
});

Deno.test("SqliteState keeps by itself what could not be kept while another process had the file", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/state.db`;
  using state = new SqliteState(path, { stored: () => ({ bytes: 10, files: 1 }), onRecount: () => {} });
  {
    using guest = SqliteDatabase.open(path, { mayShare: true });
    guest.db.exec("BEGIN IMMEDIATE");
    assertThrows(() => state.quotas.save(["user alice"]), Error, "locked");
    guest.db.exec("ROLLBACK");
  }
  assertEquals(state.quotas.load("user alice"), undefined);
  while (state.quotas.load("user alice") === undefined) await delay(50, UNABORTED.signal);
  assertEquals(state.quotas.load("user alice"), { bytes: 10, files: 1 });
});

Deno.test("SqliteQuotas take requests of another process once", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/state.db`;
  const { counts, store, database } = open(path);
  using _open = database;
  await count(counts, "user alice", 5, 5);
  {
    using guest = SqliteDatabase.open(path, { mayShare: true });
    new SqliteQuotas(guest.db, () => undefined).requestCounts(["user alice", "user alice", "user bob"]);
  }
  assertEquals(store.takeRequests().sort(), ["user alice", "user bob"]);
  assertEquals(store.takeRequests(), []);
  assertEquals(store.load("user alice"), undefined);
});
