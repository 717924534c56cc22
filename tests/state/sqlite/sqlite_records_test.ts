import { assertEquals } from "@std/assert";
import { SqliteDatabase } from "../../../lib/state/sqlite/sqlite_database.ts";
import { SqliteRecords } from "../../../lib/state/sqlite/sqlite_records.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { createClock, testRecords } from "../records_conformance.ts";

testRecords("SqliteRecords", async () => {
  const folder = await TemporaryFolder.create();
  const database = SqliteDatabase.open(`${folder.path}/state.db`);
  const clock = createClock();
  return {
    records: new SqliteRecords(database.db, { now: clock.now }),
    clock,
    [Symbol.asyncDispose]() {
      database[Symbol.dispose]();
      return folder[Symbol.asyncDispose]();
    },
  };
});

Deno.test("SqliteRecords are there after the file was closed, but for those that have expired", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/state.db`;
  {
    using database = SqliteDatabase.open(path);
    const records = new SqliteRecords(database.db, { now: () => 1000 });
    records.set("s", "a", "1");
    records.set("s", "b", "1", { expiresAt: 2000 });
  }
  using database = SqliteDatabase.open(path);
  const records = new SqliteRecords(database.db, { now: () => 2000 });
  assertEquals(records.list("s"), [{ key: "a", value: "1" }]);
  assertEquals(database.db.prepare("SELECT count(*) AS count FROM records").get()?.count, 1);
});

Deno.test("SqliteRecords sweep what has expired while they are written", async () => {
  await using folder = await TemporaryFolder.create();
  using database = SqliteDatabase.open(`${folder.path}/state.db`);
  const clock = { now: 1000 };
  const records = new SqliteRecords(database.db, { now: () => clock.now });
  for (let index = 0; index < 1500; index++) {
    clock.now += 10;
    records.set("s", `key ${index}`, "x", { expiresAt: clock.now + 10 });
  }
  assertEquals(database.db.prepare("SELECT count(*) AS count FROM records").get()?.count, 501);
});
