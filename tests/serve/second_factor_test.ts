import { assertEquals } from "@std/assert";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { type RunningServer, serve } from "../../lib/serve/serve.ts";
import { CODE_SECRET, codeAt } from "../helpers/codes.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const HASH = await hashPassword("secret", { ln: 10 });

/** Settings of servers with one user, who needs a code. */
async function settingsIn(folder: string, settings: object) {
  await Deno.writeTextFile(`${folder}/alice.totp`, `${CODE_SECRET}\n`, { mode: 0o600 });
  await Deno.mkdir(`${folder}/home`, { recursive: true, mode: 0o755 });
  const configuration = {
    listen: [{ port: 0 }],
    workers: 2,
    users: [{ name: "alice", password: HASH, home: "home", totp: { secretFile: "alice.totp" } }],
    timeouts: { failedLogin: 0 },
    ban: { failures: 0 },
    ...settings,
  };
  return { configuration, folder };
}

/** A session, and the reply to its login. */
async function open(server: RunningServer, code: string, name = "alice") {
  const client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  await client.readReply();
  await client.startTls();
  await client.command(`USER ${name}`);
  return { client, code: (await client.command(`PASS secret${code}`)).code };
}

/** The reply to each of some logins, one after the other. */
async function replies(server: RunningServer, codes: readonly string[], name?: string): Promise<number[]> {
  const told = [];
  for (const code of codes) {
    const { client, code: reply } = await open(server, code, name);
    await client[Symbol.asyncDispose]();
    told.push(reply);
  }
  return told;
}

Deno.test("serve() takes no code again after a restart, with a file of SQLite", async () => {
  await using folder = await TemporaryFolder.create();
  const settings = await settingsIn(folder.path, { state: { type: "sqlite", file: "state.db" } });
  const [code, next] = [codeAt(), codeAt(Date.now(), 1)];
  {
    await using server = await serve(settings);
    assertEquals(await replies(server, ["", "000000", code, code]), [530, 530, 230, 230]);
  }
  await using server = await serve(settings);
  assertEquals(await replies(server, [code, next]), [530, 230]);
});

Deno.test("serve() takes no code of the time before its start, with all in memory", async () => {
  await using folder = await TemporaryFolder.create();
  const codes = [codeAt(), codeAt(Date.now(), 1)];
  await using server = await serve(await settingsIn(folder.path, {}));
  assertEquals(await replies(server, codes), [530, 530]);
});

Deno.test("serve() lets a client open several sessions with one code, in all event loops, until the account's sessions are ended", async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await serve(await settingsIn(folder.path, { state: { type: "sqlite", file: "state.db" } }));
  const code = codeAt();
  const opened = await Promise.all(Array.from({ length: 8 }, () => open(server, code)));
  assertEquals(opened.map(({ code }) => code), Array(8).fill(230));
  assertEquals(await server.disconnect({ account: "alice" }), 8);
  for (const { client } of opened) await client[Symbol.asyncDispose]();
  assertEquals(await replies(server, [code, codeAt(Date.now(), 1)]), [530, 230]);
});

Deno.test({
  name: "serve() takes a code once over all nodes, of users of the file and of the table",
  ignore: IS_POSTGRES_ABSENT,
  fn: async () => {
    await using database = await TestDatabase.open();
    await using folder = await TemporaryFolder.create();
    const { user, password, host, port, database: name } = database.address;
    await Deno.writeTextFile(`${folder.path}/db.url`, `postgres://${user}:${password}@${host}:${port}/${name}\n`, {
      mode: 0o600,
    });
    await Deno.writeTextFile(`${folder.path}/ca.pem`, database.authorities.join("\n"));
    const settings = await settingsIn(folder.path, {
      state: { type: "postgres", urlFile: "db.url", ca: "ca.pem", leaseSeconds: 3 },
      accounts: [{ type: "file" }, { type: "postgres", homes: "homes" }],
    });
    await database.query("INSERT INTO ftpsd.account (name, password, settings) VALUES ('tina', $1, $2)", [
      HASH,
      JSON.stringify({ home: "tina", totp: { secret: CODE_SECRET } }),
    ]);
    await Deno.mkdir(`${folder.path}/homes/tina`, { recursive: true, mode: 0o755 });
    await using one = await serve(settings);
    await using two = await serve(settings);
    for (const name of ["alice", "tina"]) {
      const [code, next] = [codeAt(), codeAt(Date.now(), 1)];
      assertEquals(await replies(one, ["", code, code], name), [530, 230, 230]);
      assertEquals(await replies(two, [code, next, next], name), [530, 230, 230]);
      assertEquals(await replies(one, [next, code], name), [530, 230]); // it remembers its own
    }
  },
});
