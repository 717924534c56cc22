import { assertEquals, assertRejects } from "@std/assert";
import { AccountTable, AccountTableError } from "../../lib/serve/maintain_accounts.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";

const HASH = "$2b$10$abcdefghijklmnopqrstuuwRKPqk4mAhGSTXTVVxFDq5cZsHhAZ0a";
const WITHIN_MS = 10_000;

Deno.test({
  name: "AccountTable.put() adds no account over one that somebody else adds at the same time",
  ignore: IS_POSTGRES_ABSENT,
  fn: async () => {
    await using database = await TestDatabase.open();
    const configuration = readConfiguration("anonymous: { home: / }", { file: "f", resolve: (path) => path });
    using table = await AccountTable.open(database, configuration, "/srv/homes");
    using other = await database.connect();
    const insert =
      "INSERT INTO ftpsd.account (name, password, settings) VALUES ('alice', '$theirs', '{\"home\": \"a\"}')";
    await other.script(`BEGIN; ${insert}`, WITHIN_MS);
    const adding = table.put("add", "alice", { password: HASH, settings: { home: "alice" } });
    const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while ((await other.query(waiting, [], WITHIN_MS)).length === 0);
    await other.script("COMMIT", WITHIN_MS);
    await assertRejects(() => adding, AccountTableError, 'there is an account "alice" already');
    assertEquals(await database.query("SELECT password FROM ftpsd.account"), [{ password: "$theirs" }]);
  },
});
