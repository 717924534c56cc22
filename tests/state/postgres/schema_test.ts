import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { assertUsable, readSchemaStatus, SchemaError, upgradeSchema } from "../../../lib/state/postgres/schema.ts";
import { SCHEMA_VERSIONS } from "../../../lib/state/postgres/schema_sql.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../../helpers/postgres/test_database.ts";

const NEXT = [...SCHEMA_VERSIONS, { usableFrom: 1, sql: "ALTER TABLE ftpsd.node ADD COLUMN region text" }];
const AFTER_NEXT = [...NEXT, { usableFrom: 2, sql: "ALTER TABLE ftpsd.node DROP COLUMN name" }];

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

test("upgradeSchema() makes the schema once, also when two do it at once", async () => {
  await using database = await TestDatabase.open({ hasSchema: false });
  using one = await database.connect();
  using two = await database.connect();
  assertThrowsSchema(await readSchemaStatus(one), "the database has no schema of ftpsd");
  await assertRejects(() => database.join(), SchemaError, "the database has no schema of ftpsd");
  const own = SCHEMA_VERSIONS.length;
  const results = await Promise.all([upgradeSchema(one), upgradeSchema(two)]);
  assertEquals(results.map(({ now }) => now), [own, own]);
  assertEquals(results.filter(({ before }) => before === 0).length, 1);
  assertEquals(await readSchemaStatus(one), { version: own, usableFrom: 1, own });
});

test("upgradeSchema() leaves nodes of the version before running, and refuses those that are older", async () => {
  await using database = await TestDatabase.open();
  const node = await database.join();
  using connection = await database.connect();
  await upgradeSchema(connection, NEXT);
  assertUsable(await readSchemaStatus(connection));
  const slot = await node.state.acquireAccount("alice", { connections: 1 }, new AbortController().signal);
  slot?.[Symbol.dispose]();
  await upgradeSchema(connection, AFTER_NEXT);
  assertThrowsSchema(await readSchemaStatus(connection), "a newer ftpsd has made the schema (3), which needs 2");
  const error = await assertRejects(() => upgradeSchema(connection), SchemaError, "a newer ftpsd has made the schema");
  assertEquals(error.command, undefined);
});

test("upgradeSchema() leaves everything as it was when a step fails", async () => {
  await using database = await TestDatabase.open();
  using connection = await database.connect();
  const broken = [...SCHEMA_VERSIONS, { usableFrom: 1, sql: "CREATE TABLE ftpsd.half (); SELECT 1 / 0" }];
  await assertRejects(() => upgradeSchema(connection, broken), Error, "division by zero");
  assertEquals((await readSchemaStatus(connection)).version, SCHEMA_VERSIONS.length);
  assertEquals(await database.query("SELECT to_regclass('ftpsd.half') AS name"), [{ name: null }]);
});

test("upgradeSchema() lets a step take its time", async () => {
  await using database = await TestDatabase.open();
  using connection = await database.connect();
  const sql = "CREATE TABLE ftpsd.seen AS SELECT current_setting('statement_timeout') AS timeout";
  await upgradeSchema(connection, [...SCHEMA_VERSIONS, { usableFrom: 1, sql }]);
  assertEquals(await database.query("SELECT timeout FROM ftpsd.seen"), [{ timeout: "10min" }]);
});

function assertThrowsSchema(status: Awaited<ReturnType<typeof readSchemaStatus>>, message: string): void {
  assertThrows(() => assertUsable(status), SchemaError, message);
}
