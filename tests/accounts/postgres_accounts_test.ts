import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccountRowError } from "../../lib/accounts/account_entries.ts";
import { AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { PostgresAccounts, type StatementRunner } from "../../lib/accounts/postgres_accounts.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";

const { signal } = new AbortController();
const HASH = "$scrypt$ln=10,r=8,p=1$…";

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

/** A database that answers each statement with a row. */
function answering(...rows: Readonly<Record<string, string | null>>[]): StatementRunner {
  return { query: () => Promise.resolve(rows) };
}

test("PostgresAccounts finds what the table has, and a change from the next login on", async () => {
  await using database = await TestDatabase.open();
  const accounts = new PostgresAccounts(await database.join());
  const find = (name: string) => accounts.find(name, { signal });
  assertEquals(await find("alice"), undefined);
  await database.query(
    `INSERT INTO ftpsd.account (name, password, settings) VALUES ('alice', $1, '{"home": "alice", "permissions": "elrw"}')`,
    [HASH],
  );
  assertEquals(await find("alice"), { name: "alice", password: HASH, home: "alice", permissions: "elrw" });
  assertEquals(await find("Alice"), undefined);
  await database.query("UPDATE ftpsd.account SET password = '$2b$'");
  assertEquals((await find("alice"))?.password, "$2b$");
  await database.query("UPDATE ftpsd.account SET enabled = false");
  assertEquals(await find("alice"), { name: "alice", enabled: false });
});

test("PostgresAccounts takes a statement of one's own, and names in it as values alone", async () => {
  await using database = await TestDatabase.open();
  await database.query("CREATE TABLE people (login text, hash text)");
  await database.query("INSERT INTO people VALUES ('Bob', $1)", [HASH]);
  const statement =
    `SELECT login AS name, hash AS password, jsonb_build_object('home', '/srv/' || lower(login)) AS settings
      FROM people WHERE lower(login) = lower($1)`;
  const accounts = new PostgresAccounts(await database.join(), { statement });
  assertEquals(await accounts.find("bOB", { signal }), { name: "Bob", password: HASH, home: "/srv/bob" });
  for (
    const name of ["' OR true --", "'; DROP TABLE people; --", "a\0b", "\ud800", "$1", '"', "\\", "x".repeat(10_000)]
  ) {
    assertEquals(await accounts.find(name, { signal }), undefined, name.slice(0, 30));
  }
  assertEquals((await database.query("SELECT count(*) FROM people"))[0]?.count, "1");
});

test("ftpsd.account refuses what is no account", async () => {
  await using database = await TestDatabase.open();
  for (
    const [name, password, settings] of [
      ["", HASH, '{"home": "a"}'],
      ["a\nb", HASH, '{"home": "a"}'],
      ["x".repeat(1001), HASH, '{"home": "a"}'],
      ["a", "clear", '{"home": "a"}'],
      ["a", HASH, "{}"],
      ["a", HASH, "[]"],
      ["a", HASH, '{"home": "a", "password": "$2b$"}'],
      ["a", HASH, '{"home": "a", "name": "b"}'],
    ] as const
  ) {
    const insert = "INSERT INTO ftpsd.account (name, password, settings) VALUES ($1, $2, $3)";
    await assertRejects(() => database.query(insert, [name, password, settings]), Error, "violates check constraint");
  }
});

Deno.test("PostgresAccounts.find() says what is wrong with a row, without what it holds", async () => {
  const row = { name: "a", password: HASH };
  for (
    const [rows, message] of [
      [[row, row], "the statement gives 2 rows for the name"],
      [[{ ...row, hom: "/a" }], 'the column "hom" is unknown; known are name, password, enabled, settings'],
      [[{ ...row, settings: '{"secret' }], "settings is not JSON"],
      [[{ ...row, settings: "[1]" }], "settings is not a mapping"],
      [[{ ...row, settings: '"x"' }], "settings is not a mapping"],
      [[{ ...row, settings: '{"name": "b"}' }], "settings has a name, which is a column of its own"],
      [[{ ...row, settings: `{"a": ${"[".repeat(9)}${"]".repeat(9)}}` }], "settings is nested more than 8 deep"],
      [
        [{ ...row, settings: JSON.stringify({ a: "x".repeat(1 << 16) }) }],
        "settings has 65544 characters, more than 65536",
      ],
    ] as const
  ) {
    const accounts = new PostgresAccounts(answering(...rows));
    const error = await assertRejects(() => accounts.find("a", { signal }), AccountRowError);
    assertEquals(error.message, message);
  }
});

Deno.test("PostgresAccounts.find() takes a row without settings, and nothing of one that is not enabled", async () => {
  const row = { name: null, password: null, settings: null };
  assertEquals(await new PostgresAccounts(answering(row)).find("a", { signal }), { name: "a", password: "" });
  for (const enabled of ["f", null]) {
    const found = await new PostgresAccounts(answering({ ...row, password: HASH, enabled })).find("a", { signal });
    assertEquals(found, { name: "a", enabled: false });
  }
});

test("PostgresAccounts.find() says that the database cannot be asked, which is no failed login", async () => {
  await using database = await TestDatabase.open();
  await using proxy = new TcpProxy(database.address.port);
  const node = await database.join({ timeoutMs: 1_000 }, { ...database.address, port: proxy.port });
  const accounts = new PostgresAccounts(node);
  const wrong = new PostgresAccounts(node, { statement: "SELECT FROM nowhere WHERE $1 = ''" });
  await assertRejects(() => wrong.find("alice", { signal }), AuthorizerBusyError);
  proxy.hang();
  const error = await assertRejects(() => accounts.find("alice", { signal }), AuthorizerBusyError);
  assert(!error.countsAsFailure);
  proxy.cut();
  proxy.resume();
  let isBack = false;
  for (let tries = 0; tries < 20 && !isBack; tries++) {
    isBack = await accounts.find("alice", { signal }).then(() => true, () => false);
  }
  assert(isBack);
});
