import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

const PASSWORD = "correct horse";

/** The folder as the header wants it, with alice in the database. */
async function prepare(folder: TemporaryFolder): Promise<DatabaseSync> {
  await Deno.mkdir(`${folder.path}/homes/alice`, { recursive: true });
  const database = new DatabaseSync(`${folder.path}/users.db`);
  database.exec("CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT, home TEXT, permissions TEXT)");
  const hash = await hashPassword(PASSWORD, { ln: 10 });
  database.prepare("INSERT INTO users VALUES ('alice', ?, 'alice', 'elradfmw')").run(hash);
  return database;
}

async function loginReply(example: ExampleProgram, username: string, password: string): Promise<number> {
  await using client = await example.connect();
  await client.expect(331, `USER ${username}`);
  return (await client.command(`PASS ${password}`)).code;
}

Deno.test("users_from_sqlite.ts lets the users of the database in, with their homes and permissions", async () => {
  await using folder = await TemporaryFolder.create();
  using _database = await prepare(folder);
  await using example = await ExampleProgram.start("users_from_sqlite", { cwd: folder.path });
  await using alice = await example.login("alice", PASSWORD);
  await alice.store("a.txt", new TextEncoder().encode("hers"));
  assertEquals(await Deno.readTextFile(`${folder.path}/homes/alice/a.txt`), "hers");
  assertEquals(await loginReply(example, "alice", "wrong"), 530);
  assertEquals(await loginReply(example, "bob' OR 1=1 --", PASSWORD), 530);
  await example.stop();
});

Deno.test("users_from_sqlite.ts sees at the next login what has changed in the database", async () => {
  await using folder = await TemporaryFolder.create();
  using database = await prepare(folder);
  await using example = await ExampleProgram.start("users_from_sqlite", { cwd: folder.path });
  await using before = await example.login("alice", PASSWORD);
  database.exec("UPDATE users SET permissions = 'elr'");
  await using after = await example.login("alice", PASSWORD);
  assertEquals((await before.command("MKD before")).code, 257);
  assertEquals((await after.command("MKD after")).code, 550);
  database.prepare("UPDATE users SET password = ?").run(await hashPassword("battery staple", { ln: 10 }));
  assertEquals(await loginReply(example, "alice", PASSWORD), 530);
  assertEquals(await loginReply(example, "alice", "battery staple"), 230);
  database.exec("DELETE FROM users");
  assertEquals(await loginReply(example, "alice", "battery staple"), 530);
  await example.stop();
});

Deno.test("users_from_sqlite.ts tells of a row that it cannot use, but no client, and opens no folder beside the homes", async () => {
  await using folder = await TemporaryFolder.create();
  using database = await prepare(folder);
  await using example = await ExampleProgram.start("users_from_sqlite", { cwd: folder.path });
  database.exec("UPDATE users SET home = '../alice'");
  assertEquals(await loginReply(example, "alice", PASSWORD), 451);
  await example.line(/^TypeError: The home "\.\.\/alice" is not the name of a folder$/);
  database.exec("UPDATE users SET home = 'alice', permissions = 'every'");
  assertEquals(await loginReply(example, "alice", "wrong"), 530);
  assertEquals(await loginReply(example, "alice", PASSWORD), 451);
  await example.line(/^SyntaxError: Cannot use permissions "every"/);
  await example.stop();
});
