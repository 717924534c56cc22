import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { StartError } from "../../lib/check/exit_error.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { type RunningServer, serve } from "../../lib/serve/serve.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const COST = { ln: 10 };
const WAIT_MS = 10_000;
/** How soon all nodes have to know of a change. */
const SOON_MS = 1_000;
const FILE_HASH = await hashPassword("of the file", COST);
const HASH = await hashPassword("of the table", COST);

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

/** Where a test's servers are. */
interface Scene extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly folder: string;
  /** What the servers have said in their logs. */
  readonly log: string[];
  /** Starts a server with these settings beside the common ones. */
  start(settings?: object, port?: number): Promise<RunningServer>;
  /** Puts an account into the table, in the place of another of its name. */
  put(name: string, settings: object, password?: string): Promise<void>;
}

async function setUp(): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const scene = new AsyncDisposableStack();
  const database = opened.use(await TestDatabase.open());
  const { path: folder } = opened.use(await TemporaryFolder.create());
  for (const name of ["homes", "homes/alice", "homes/bob", "homes/shared", "other"]) {
    await Deno.mkdir(`${folder}/${name}`, { mode: 0o755 });
  }
  const log: string[] = [];
  const start = async (settings: object = {}, port = database.address.port) => {
    const { user, password, host, database: name } = database.address;
    const url = `postgres://${user}:${password}@${host}:${port}/${name}\n`;
    await Deno.writeTextFile(`${folder}/${port}.url`, url, { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/ca.pem`, database.authorities.join("\n"));
    const configuration = {
      listen: [{ port: 0 }],
      workers: 2,
      state: { type: "postgres", urlFile: `${port}.url`, ca: "ca.pem", leaseSeconds: 3 },
      accounts: [{ type: "file" }, { type: "postgres", homes: "homes" }],
      users: [{ name: "filip", password: FILE_HASH, home: "other" }],
      groups: { partners: { permissions: "elrw" } },
      timeouts: { failedLogin: 0 },
      limits: { loginAttempts: 0 },
      ban: { failures: 0 },
      ...settings,
    };
    return scene.use(
      await serve({ configuration, folder }, {
        onRemark: ({ text }) => void (text.includes("should be made anew") || log.push(text)),
        onEvent: (event: ServerEvent) => void (event.event === "internalError" && log.push(event.message)),
      }),
    );
  };
  const put = async (name: string, settings: object, password = HASH) => {
    await database.query(
      `INSERT INTO ftpsd.account (name, password, settings) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET password = excluded.password, settings = excluded.settings`,
      [name, password, JSON.stringify(settings)],
    );
  };
  const parts = opened.move();
  const end = async () => {
    await scene.disposeAsync();
    await parts.disposeAsync();
  };
  return { database, folder, log, start, put, [Symbol.asyncDispose]: end };
}

async function connect(server: RunningServer): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  await client.readReply();
  await client.startTls();
  return client;
}

/** The reply to a login. */
async function tryLogin(server: RunningServer, name: string, password: string): Promise<string> {
  await using client = await connect(server);
  await client.command(`USER ${name}`);
  return (await client.command(`PASS ${password}`)).text;
}

/** Sessions of each event loop of each server, so that all have one. */
async function sessionsOf(servers: readonly RunningServer[], name: string, opened: AsyncDisposableStack) {
  const clients: RawClient[] = [];
  for (const server of servers) {
    // The system deals connections to the event loops.
    for (let count = 0; count < 4; count++) {
      const client = opened.use(await connect(server));
      await client.login(name, "of the table");
      clients.push(client);
    }
  }
  return clients;
}

async function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<number> {
  const start = performance.now();
  while (!await isSo()) {
    if (performance.now() - start > WAIT_MS) throw new Error(`Not within ${WAIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - start;
}

test("serve() finds accounts in the file and the table, each with all that an entry of the file can have", async () => {
  await using scene = await setUp();
  const server = await scene.start();
  await scene.put("alice", {
    home: "alice",
    groups: ["partners"],
    mounts: [{ path: "/shared", home: `${scene.folder}/homes/shared`, permissions: "elr" }],
    hide: [".*"],
    deny: ["*.exe"],
    messages: { login: "Hello.\nAlice.", quit: "Bye." },
    limits: { connections: 1 },
  });
  await Deno.writeTextFile(`${scene.folder}/homes/shared/note`, "all");
  await Deno.writeTextFile(`${scene.folder}/homes/alice/.hidden`, "");
  assertMatch(await tryLogin(server, "filip", "of the file"), /^230/);
  assertMatch(await tryLogin(server, "filip", "of the table"), /^530/);
  await using client = await connect(server);
  await client.command("USER alice");
  assertEquals((await client.command("PASS of the table")).text, "230-Hello.\r\n230 Alice.");
  await client.expect(200, "PBSZ 0");
  await client.expect(200, "PROT P");
  await client.store("/file", new TextEncoder().encode("whole"));
  assertEquals(await Deno.readTextFile(`${scene.folder}/homes/alice/file`), "whole");
  await client.expect(200, "TYPE I");
  await client.expect(213, "SIZE /shared/note");
  await client.expect(550, "SIZE /.hidden");
  await client.expect(550, "DELE /file");
  await client.expect(550, "MKD /virus.exe");
  assertMatch(await tryLogin(server, "alice", "of the table"), /^(421|530)/);
  assertEquals((await client.command("QUIT")).text, "221 Bye.");
  assertEquals(scene.log, []);
});

test("serve() refuses an account of the table that cannot be used, says why once its password was right, and serves the rest", async () => {
  await using scene = await setUp();
  const { folder, put, log } = scene;
  const server = await scene.start({
    state: { type: "memory" }, // over nodes there are no quotas
    accounts: [{ type: "postgres", urlFile: `${scene.database.address.port}.url`, ca: "ca.pem", homes: "homes" }],
    groups: { partners: {}, counted: { quota: { files: 3 } } },
    users: [],
  });
  await Deno.symlink(`${folder}/other`, `${folder}/homes/link`);
  await Deno.mkdir(`${folder}/homes/open`);
  await Deno.chmod(`${folder}/homes/open`, 0o777);
  await Deno.writeTextFile(`${folder}/homes/plain`, "");
  const home = `${folder}/homes`;
  for (
    const [settings, reason] of [
      [{ home: "/" }, `/ is not below ${home}`],
      [{ home }, `${home} is not below ${home}`],
      [{ home: "." }, `${home} is not below ${home}`],
      [{ home: "../other" }, `${folder}/other is not below ${home}`],
      [{ home: "/etc" }, `/etc is not below ${home}`],
      [{ home: "link" }, `${home}/link leads to ${folder}/other, which is not below ${home}`],
      [{ home: "none" }, `${home}/none cannot be opened: it does not exist`],
      [{ home: "plain" }, `${home}/plain is not a folder`],
      [{ home: "open" }, `others on this host may write in ${home}/open; chmod o-w it (risk home-writable-by-others)`],
      [{ home: "alice", mounts: [{ path: "/up", home: "../other" }] }, `${folder}/other is not below ${home}`],
      [{ home: { store: "none", path: "/a" } }, 'home.store: "none" is not one of stores; there are none'],
      [{ home: "alice", permissions: "elx" }, 'permissions: unknown letter "x"; use letters of elradfmwMT'],
      [{ home: "alice", hme: "x" }, "hme: unknown key; did you mean home?"],
      [{ home: "alice", groups: ["none"] }, 'groups[0]: "none" is not one of groups; known are partners, counted'],
      [
        { home: "alice", groups: ["counted"] },
        'groups[0]: "counted" has a quota, which holds for users of the file alone',
      ],
      [
        { home: "alice", dropBox: true, permissions: "el" },
        "permissions: is given, but dropBox decides what the account may do",
      ],
    ] as const
  ) {
    log.length = 0;
    await put("mallory", settings);
    assertMatch(await tryLogin(server, "mallory", "wrong"), /^530 Authentication failed/);
    assertEquals(log, []); // nobody learns it by guessing
    assertMatch(await tryLogin(server, "mallory", "of the table"), /^530 Authentication failed/);
    await eventually(reason, () => log.length > 0);
    assertEquals(log, [`The account "mallory" cannot log in: ${reason}`]);
  }
  log.length = 0;
  for (const name of ["anonymous", "ANONYMOUS"]) {
    await put(name, { home: "alice" });
    assertMatch(await tryLogin(server, name, "of the table"), /^530/);
  }
  await put("eve", { home: "alice" }, "$argon2id$nonsense");
  assertMatch(await tryLogin(server, "eve", "x"), /^530/);
  await eventually("the log", () => log.length === 3);
  assertMatch(log[0] ?? "", /^The account "anonymous" cannot log in: "anonymous" is for everybody/);
  assertMatch(log[2] ?? "", /^The account "eve" cannot log in: /);
  await put("bob", { home: `${home}/bob` });
  assertMatch(await tryLogin(server, "bob", "of the table"), /^230/);
});

test("serve() ends the sessions of an account that is removed or disabled, on all nodes and event loops, and of no other", async () => {
  await using scene = await setUp();
  const { database, put } = scene;
  const nodes = [await scene.start(), await scene.start()];
  await put("alice", { home: "alice" });
  await put("bob", { home: "bob" });
  await using opened = new AsyncDisposableStack();
  const [bob] = await sessionsOf(nodes.slice(0, 1), "bob", opened);
  for (
    const end of [
      "UPDATE ftpsd.account SET enabled = false WHERE name = 'alice'",
      "DELETE FROM ftpsd.account WHERE name = 'alice'",
    ]
  ) {
    const clients = await sessionsOf(nodes, "alice", opened);
    await put("alice", { home: "alice", messages: { login: "Other." } }); // ends nothing
    await database.query("UPDATE ftpsd.account SET password = $1 WHERE name = 'alice'", [
      await hashPassword("another", COST),
    ]);
    for (const node of nodes) {
      assertMatch(await tryLogin(node, "alice", "of the table"), /^530/);
      assertMatch(await tryLogin(node, "alice", "another"), /^230/);
    }
    for (const client of clients) await client.expect(200, "NOOP");
    await database.query(end);
    const start = performance.now();
    for (const client of clients) assertMatch((await client.readReply()).text, /^421 Disconnected by the server/);
    assert(performance.now() - start < SOON_MS);
    for (const node of nodes) assertMatch(await tryLogin(node, "alice", "another"), /^530/);
    await database.query("DELETE FROM ftpsd.account WHERE name = 'alice'");
    await put("alice", { home: "alice" });
  }
  await bob?.expect(200, "NOOP");
});

test("PostgresEngine.kick() ends the sessions that it names on all nodes, and a ban ends none", async () => {
  await using scene = await setUp();
  const { database, put } = scene;
  const nodes = [await scene.start(), await scene.start()];
  const engine = await database.join();
  await put("alice", { home: "alice" });
  await put("bob", { home: "bob" });
  await using opened = new AsyncDisposableStack();
  const clients = await sessionsOf(nodes, "alice", opened);
  const [bob, other] = await sessionsOf(nodes.slice(1), "bob", opened);
  await engine.bans.ban("127.0.0.1", 60);
  await engine.bans.lift("127.0.0.1");
  await engine.kick({ account: "alice" });
  const start = performance.now();
  for (const client of clients) assertMatch((await client.readReply()).text, /^421 Disconnected by the server/);
  assert(performance.now() - start < SOON_MS);
  await bob?.expect(200, "NOOP");
  const [first] = (await nodes[1]?.sessions() ?? []).filter(({ username }) => username === "bob");
  await engine.kick({ session: first?.session ?? "" });
  await eventually("one is gone", async () => (await nodes[1]?.sessions())?.length === 3);
  await engine.kick({ address: "192.0.2.1" });
  await engine.kick({ address: "127.0.0.1" });
  await eventually("all are gone", async () => (await nodes[1]?.sessions())?.length === 0);
  await assertRejects(async () => void await other?.command("NOOP").then(({ text }) => assertMatch(text, /^200/)));
});

test("serve() says 421 while the database of the accounts is away, and lets users of the file in", async () => {
  await using scene = await setUp();
  await using proxy = new TcpProxy(scene.database.address.port);
  await scene.put("alice", { home: "alice" });
  const server = await scene.start({
    workers: 1,
    state: { type: "memory" },
    accounts: [{ type: "file" }, { type: "postgres", urlFile: `${proxy.port}.url`, ca: "ca.pem", homes: "homes" }],
    ban: { failures: 2 },
  }, proxy.port);
  await using client = await connect(server);
  await client.login("alice", "of the table");
  proxy.hang();
  for (let times = 0; times < 2; times++) assertMatch(await tryLogin(server, "alice", "of the table"), /^421/);
  assertMatch(await tryLogin(server, "filip", "of the file"), /^230/);
  assertEquals(scene.log.length, 1);
  assertMatch(scene.log[0] ?? "", /^accounts\[1\]: The database with the accounts cannot be asked: /);
  await client.expect(200, "NOOP");
  // It goes while nobody hears of it.
  await scene.database.query("DELETE FROM ftpsd.account");
  proxy.cut();
  proxy.resume();
  assertMatch((await client.readReply()).text, /^421 Disconnected by the server/);
  assertMatch(await tryLogin(server, "alice", "of the table"), /^530/);
});

test("serve() asks a query of one's own in a database of its own, and hears what its triggers tell", async () => {
  await using scene = await setUp();
  const { database } = scene;
  await database.query("CREATE TABLE people (login text, hash text, gone boolean DEFAULT false)");
  await database.query("INSERT INTO people VALUES ('Bob', $1)", [HASH]);
  const { port } = database.address;
  const query = `SELECT login AS name, hash AS password, jsonb_build_object('home', lower(login)) AS settings
    FROM people WHERE lower(login) = lower($1) AND NOT gone`;
  const server = await scene.start({
    workers: 1,
    state: { type: "memory" },
    accounts: [{ type: "postgres", urlFile: `${port}.url`, ca: "ca.pem", homes: "homes", query }],
    users: [],
  });
  await using client = await connect(server);
  await client.login("bOB", "of the table");
  assertEquals((await server.sessions()).map(({ username }) => username), ["Bob"]);
  await database.query("UPDATE people SET gone = true");
  await database.query(`SELECT pg_notify('ftpsd', '{"kind": "account", "subject": "Bob"}')`);
  assertMatch((await client.readReply()).text, /^421 Disconnected by the server/);
});

test("serve() does not start with a query that cannot be run, nor without the table", async () => {
  await using scene = await setUp();
  const { port } = scene.database.address;
  const query = "SELECT hash FROM nowhere WHERE name = $1";
  const source = { type: "postgres", urlFile: `${port}.url`, ca: "ca.pem", homes: "homes" };
  const error = await assertRejects(() => scene.start({ accounts: [{ ...source, query }], users: [] }), StartError);
  assertMatch(error.message, /^cannot ask the database of accounts\[0\]: .*nowhere/);
  await scene.database.query("DROP TABLE ftpsd.account");
  const missing = await assertRejects(() => scene.start({ accounts: [source], users: [] }), StartError);
  assertEquals(missing.hint, "ftpsd state init --config FILE makes the table");
});
