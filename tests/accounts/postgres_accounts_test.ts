import { assert, assertEquals, assertRejects } from "@std/assert";
import { AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { PasswordAuthorizer } from "../../lib/accounts/password_authorizer.ts";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { PostgresAccounts, type PostgresAccountsOptions } from "../../lib/accounts/postgres_accounts.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";

const { signal } = new AbortController();
const COST = { ln: 10 };

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

/** A node with an authorizer over its accounts. */
async function nodeOf(database: TestDatabase, options: PostgresAccountsOptions = {}, address = database.address) {
  const node = await database.join({ timeoutMs: 2_000 }, address);
  const accounts = new PostgresAccounts(node, options);
  const authorizer = new PasswordAuthorizer(accounts, { openHome: () => new MemoryFileSystem() });
  const login = (username: string, password: string) =>
    authorizer.authenticate({ username, password, remoteHost: "192.0.2.1" }, { signal });
  return { accounts, login };
}

test("PostgresAccounts finds what the table has, and a change holds on all nodes at once", async () => {
  await using database = await TestDatabase.open();
  const [one, two] = await Promise.all([nodeOf(database), nodeOf(database)]);
  assertEquals(await one.login("alice", "first"), undefined);
  await database.query(
    `INSERT INTO ftpsd.account (name, password, home, permissions, overrides, connections, upload_bytes_per_second, login_message)
      VALUES ('alice', $1, '/srv/alice', 'elrw', '[{"path": "/in", "permissions": "w"}]', 4, 1000, 'Hello.')`,
    [await hashPassword("first", COST)],
  );
  const account = await one.login("alice", "first");
  assertEquals([account?.permissions, account?.loginMessage, account?.limits], ["elrw", "Hello.", {
    connections: 4,
    bandwidth: { upload: 1000, download: 0 },
  }]);
  assert(await account?.hasPermission("w", "/in", { signal }) && await two.login("alice", "first"));
  await database.query("UPDATE ftpsd.account SET password = $1", [await hashPassword("second", COST)]);
  for (const { login } of [one, two]) assertEquals(await login("alice", "first"), undefined);
  assert(await two.login("alice", "second"));
  await database.query("UPDATE ftpsd.account SET enabled = false");
  assertEquals(await two.login("alice", "second"), undefined);
});

test("PostgresAccounts takes a statement of one's own, and names in it as values alone", async () => {
  await using database = await TestDatabase.open();
  await database.query("CREATE TABLE people (login text, hash text)");
  await database.query("INSERT INTO people VALUES ('Bob', $1)", [await hashPassword("secret", COST)]);
  const statement =
    "SELECT login AS name, hash AS password, '/srv/' || lower(login) AS home FROM people WHERE lower(login) = lower($1)";
  const { accounts, login } = await nodeOf(database, { statement });
  assertEquals((await login("bOB", "secret"))?.username, "Bob");
  assertEquals((await accounts.find("bob"))?.home, "/srv/bob");
  for (const name of ["' OR true --", "a\0b", "\ud800", "$1"]) {
    assertEquals(await login(name, "secret"), undefined, name);
  }
});

test("PostgresAccounts opens homes in stores, and takes no clear passwords", async () => {
  await using database = await TestDatabase.open();
  await assertRejects(
    () => database.query("INSERT INTO ftpsd.account (name, password, home) VALUES ('a', 'clear', '/a')"),
    Error,
    "account_password_check",
  );
  await database.query(
    "INSERT INTO ftpsd.account (name, password, home, store) VALUES ('a', '$2b$…', '/a', 'archive')",
  );
  const home = new MemoryFileSystem();
  const opened: unknown[] = [];
  const { accounts } = await nodeOf(database, {
    openStoreHome: (home_, account) => (opened.push([home_, account]), home),
  });
  assertEquals((await accounts.find("a"))?.home, home);
  assertEquals(opened, [[{ store: "archive", path: "/a" }, "a"]]);
  const clear = await nodeOf(database, { statement: "SELECT $1 AS name, 'clear' AS password, '/' AS home" });
  await assertRejects(() => clear.accounts.find("a"), TypeError, "its password is no hash");
});

test("PostgresAccounts.find() says that the database is out of reach, which is no failed login", async () => {
  await using database = await TestDatabase.open();
  await using proxy = new TcpProxy(database.address.port);
  const { login, accounts } = await nodeOf(database, {}, { ...database.address, port: proxy.port });
  proxy.hang();
  const error = await assertRejects(() => login("alice", "secret"), AuthorizerBusyError);
  assert(!error.countsAsFailure);
  proxy.cut();
  proxy.resume();
  let isBack = false;
  for (let tries = 0; tries < 20 && !isBack; tries++) {
    isBack = await accounts.find("alice").then(() => true, () => false);
  }
  assert(isBack);
});
