import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SqliteDatabase, StateFileError } from "../../../lib/state/sqlite/sqlite_database.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";

function reasonFor(path: string): string {
  return assertThrows(() => SqliteDatabase.open(path), StateFileError).message;
}

Deno.test("SqliteDatabase makes its file, and what SQLite puts beside it, for its owner alone", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/state.db`;
  const umask = Deno.umask(0);
  try {
    using _database = SqliteDatabase.open(path);
    const modes = [...Deno.readDirSync(folder.path)].map(({ name }) => [
      name,
      ((Deno.statSync(`${folder.path}/${name}`).mode ?? 0) & 0o777).toString(8),
    ]);
    assertEquals(modes.sort(), [["state.db", "600"], ["state.db-shm", "600"], ["state.db-wal", "600"]]);
  } finally {
    Deno.umask(umask);
  }
});

Deno.test("SqliteDatabase is for one server at a time", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/state.db`;
  {
    using first = SqliteDatabase.open(path);
    const error = assertThrows(() => SqliteDatabase.open(path), StateFileError);
    assert(error.isInUse);
    using guest = SqliteDatabase.open(path, { mayShare: true });
    assert(!guest.isAlone);
    guest.db.exec("INSERT INTO recounts (name) VALUES ('user alice')");
    assertEquals(first.db.prepare("SELECT name FROM recounts").get()?.name, "user alice");
  }
  using again = SqliteDatabase.open(path);
  assert(again.isAlone);
});

Deno.test("SqliteDatabase refuses what is no state, with the reason", async () => {
  await using folder = await TemporaryFolder.create();
  const at = (name: string) => `${folder.path}/${name}`;
  await Deno.writeTextFile(at("text"), "no database at all, ".repeat(100));
  await Deno.writeTextFile(at("short"), "short");
  await Deno.mkdir(at("folder"));
  await Deno.writeTextFile(at("other.db"), "");
  await Deno.symlink(at("other.db"), at("link"));
  const other = new DatabaseSync(at("other.db"));
  other.exec("CREATE TABLE bookmarks (url TEXT)");
  other.close();
  assertEquals(reasonFor(at("text")), "it is no database, or a damaged one");
  assertEquals(reasonFor(at("short")), "it is no database, or a damaged one");
  assertEquals(reasonFor(at("folder")), "it is no file");
  assertEquals(reasonFor(at("link")), "it is a symbolic link");
  assertEquals(reasonFor(at("other.db")), "it is a database, but no state of ftpsd");
  assertEquals(reasonFor(at("missing/state.db")), "its folder does not exist");
  // What was refused is as it was, and can be locked again.
  assertEquals(await Deno.readTextFile(at("short")), "short");
  assertEquals(reasonFor(at("text")), "it is no database, or a damaged one");
});

Deno.test("SqliteDatabase refuses the file of a newer program, and a damaged one", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/state.db`;
  {
    using database = SqliteDatabase.open(path);
    const insert = database.db.prepare("INSERT INTO records VALUES ('s', CAST(? AS BLOB), CAST(? AS BLOB), 1e300)");
    for (let index = 0; index < 2000; index++) insert.run(`key ${index}`, "x".repeat(100));
  }
  const whole = await Deno.readFile(path);
  const damaged = whole.slice();
  damaged.fill(0x55, 8192, 40_000);
  await Deno.writeFile(path, damaged);
  assert(/^it is (damaged: |no database, or a damaged one)/.test(reasonFor(path)), reasonFor(path));
  await Deno.writeFile(path, whole);
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 2");
  newer.close();
  assertEquals(reasonFor(path), "a newer ftpsd has written it (schema 2, this one knows 1)");
});

Deno.test("SqliteDatabase can be closed twice", async () => {
  await using folder = await TemporaryFolder.create();
  const database = SqliteDatabase.open(`${folder.path}/state.db`);
  database[Symbol.dispose]();
  database[Symbol.dispose]();
});
