import { assert, assertEquals, assertMatch } from "@std/assert";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { verifyPassword } from "../../lib/accounts/password_verifier.ts";
import { delay } from "../../lib/deadline.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { ConfiguredServer } from "../../lib/serve/configured_server.ts";
import { serve } from "../../lib/serve/serve.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const OLD = "old secret";
const NEW = "Tr0ub4dor & 3 times";
const HASH = await hashPassword(OLD, { ln: 10 });
const TODAY = () => new Date().toISOString().slice(0, 10);

interface Scene extends AsyncDisposable {
  readonly server: ConfiguredServer;
  readonly file: string;
  readonly events: ServerEvent[];
  readonly changed: string[];
}

/** A server of two event loops, and its file. */
async function setUp(settings = "passwords: { change: true }", text = ""): Promise<Scene> {
  await using made = new AsyncDisposableStack();
  const folder = made.use(await TemporaryFolder.create());
  const file = `${folder.path}/ftpsd.yaml`;
  const given = text || `# mine
listen: [{ port: 0 }]
timeouts: { failedLogin: 0 }
ban: { failures: 4 }
limits: { loginAttempts: 0 }
${settings}
users:
  - name: alice # the first
    password: "${HASH}"
    home: ${folder.path}
anonymous: { home: ${folder.path} }
`;
  await Deno.writeTextFile(file, given, { mode: 0o600 });
  const configuration = readConfiguration(given, { file, resolve: (path) => path });
  const events: ServerEvent[] = [];
  const changed: string[] = [];
  const server = await ConfiguredServer.create({ configuration, files: {} }, {
    workers: 2,
    dialogue: true,
    configurationFile: file,
    onPasswordChanged: (name) => void changed.push(name),
    onEvent: (event) => void events.push(event),
  });
  await server.listen();
  const kept = made.move();
  const end = async () => {
    await server.shutdown();
    await server.finished;
    await kept.disposeAsync();
  };
  return { server, file, events, changed, [Symbol.asyncDispose]: end };
}

async function connect(addresses: ConfiguredServer["addresses"], name: string, password: string): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port: addresses[0]?.port ?? 0 });
  await client.readReply();
  await client.startTls();
  await client.command(`USER ${name}`);
  assertEquals((await client.command(`PASS ${password}`)).code, 230);
  return client;
}

/** Waits for an event, which other event loops tell a moment later. */
async function told(events: readonly ServerEvent[], isMeant: (event: ServerEvent) => boolean): Promise<ServerEvent> {
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    const event = events.find(isMeant);
    if (event !== undefined) return event;
    await delay(5, new AbortController().signal);
  }
  throw new Error("No such event came");
}

/** The codes of logins, in all event loops. */
async function logins(addresses: ConfiguredServer["addresses"], password: string, name = "alice"): Promise<number[]> {
  const codes = new Set<number>();
  for (let times = 0; times < 4; times++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port: addresses[0]?.port ?? 0 });
    await client.readReply();
    await client.startTls();
    await client.command(`USER ${name}`);
    codes.add((await client.command(`PASS ${password}`)).code);
  }
  return [...codes];
}

Deno.test("SITE PSWD changes the password in the file and in all event loops, and nothing else; no event has either", async () => {
  await using scene = await setUp();
  const { server, file, events, changed } = scene;
  const before = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, before.replace("failures: 4", "failures: 9")); // waits for a reload
  await using client = await connect(server.addresses, "alice", OLD);
  assertEquals((await client.command(`SITE PSWD "${OLD}" "${NEW}"`)).text, "200 Password changed.");
  assertEquals(await logins(server.addresses, NEW), [230]);
  const after = await Deno.readTextFile(file);
  const [user] = readConfiguration(after, { file, resolve: (path) => path }).users;
  assert(await verifyPassword(NEW, user?.password ?? ""));
  assertEquals(
    after,
    before.replace("failures: 4", "failures: 9").replace(HASH, user?.password ?? "")
      .replace(/(home: .*)\n(anonymous)/, `$1\n    passwordChanged: "${TODAY()}"\n$2`),
  );
  assertEquals([server.plan.configuration.ban.failures, changed], [4, ["alice"]]);
  assertEquals((await client.command("PWD")).code, 257);
  await told(events, (event) => event.event === "dialogue" && event.line === "SITE PSWD ******");
  const shown = Deno.inspect(events, { depth: 9, strAbbreviateSize: 10_000 });
  for (const secret of [OLD, NEW, "Tr0ub4dor"]) assert(!shown.includes(secret), secret);
  assertEquals((await logins(server.addresses, OLD)).at(0), 530);
});

Deno.test("SITE PSWD wants the old password, a sound new one, TLS, and an account of its own", async () => {
  await using scene = await setUp();
  const { server, file } = scene;
  const before = await Deno.readTextFile(file);
  await using client = await connect(server.addresses, "alice", OLD);
  const site = async (rest: string) => (await client.command(`SITE PSWD ${rest}`)).text;
  for (const rest of ["one", `${OLD} "${NEW}"`, `"${OLD}"  "${NEW}"`, '"a" ""', `"${OLD}" ${NEW}`]) {
    assertEquals(await site(rest), "501 Give the old and the new password, in double quotes where they have blanks.");
  }
  for (
    const [password, problem] of [
      ["short", "it has fewer than 12 characters"],
      ["I-am-Alice-since-2026", "it has the user name in it"],
      ["aaaaaaaaaaaaaaaa", "it has fewer than four different characters"],
      ["$scrypt$aaaaabcdefgh", "it begins like a hash"],
      ["x".repeat(300) + "ä".repeat(200) + "yz", "it is too long"],
    ] as const
  ) assertEquals(await site(`"${OLD}" "${password}"`), `553 The new password is not taken: ${problem}.`);
  await using guest = await connect(server.addresses, "anonymous", "guest@");
  assertMatch((await guest.command(`SITE PSWD guest@ "${NEW}"`)).text, /^502 The password of this account cannot/);
  for (let times = 0; times < 3; times++) {
    assertEquals(await site(`wrong "${NEW}"`), "530 Authentication failed.");
  }
  assertEquals(await site(`wrong "${NEW}"`), "421 Too many failed logins, try again later.");
  await client.closed();
  assertEquals(await Deno.readTextFile(file), before);
});

Deno.test("SITE PSWD is refused where it is off, and where the file is not what the server knows nothing changes", async () => {
  {
    await using scene = await setUp("");
    await using client = await connect(scene.server.addresses, "alice", OLD);
    assertMatch((await client.command(`SITE PSWD "${OLD}" "${NEW}"`)).text, /^502 /);
  }
  await using scene = await setUp();
  const { server, file, events } = scene;
  await using client = await connect(server.addresses, "alice", OLD);
  const other = (await Deno.readTextFile(file)).replace(HASH, await hashPassword("another", { ln: 10 }));
  await Deno.writeTextFile(file, other);
  assertMatch((await client.command(`SITE PSWD "${OLD}" "${NEW}"`)).text, /^451 /);
  assertEquals(await Deno.readTextFile(file), other);
  assertEquals(await logins(server.addresses, OLD), [230]);
  const failure = await told(events, ({ event }) => event === "internalError");
  assertMatch(
    failure.event === "internalError" ? failure.message : "",
    /has another password of "alice" than the server; reload it/,
  );
});

Deno.test("SITE PSWD is refused on a clear connection", async () => {
  const risks = ["clear-text-control", "clear-text-data"].map((risk) => `{ risk: ${risk}, reason: a test }`);
  await using scene = await setUp(
    `passwords: { change: true }\ntls: { policy: optional }\nacceptRisks: [${risks.join(", ")}]`,
  );
  await using client = await RawClient.connect({ host: "127.0.0.1", port: scene.server.addresses[0]?.port ?? 0 });
  await client.readReply();
  await client.command("USER alice");
  assertEquals((await client.command(`PASS ${OLD}`)).code, 230);
  assertEquals(
    (await client.command(`SITE PSWD "${OLD}" "${NEW}"`)).text,
    "550 SSL/TLS required on the control channel.",
  );
});

Deno.test("a login tells of a password that is older than passwords.changeEvery, and so does the log", async () => {
  const day = new Date(Date.now() - 100 * 86_400_000).toISOString().slice(0, 10);
  for (const [every, isTold] of [[0, false], [90, true], [200, false]] as const) {
    await using scene = await setUp(`passwords: { changeEvery: ${every} }`);
    const { server, events } = scene;
    const { configuration, files } = server.plan;
    const users = configuration.users.map((user) => ({ ...user, passwordChanged: new Date(`${day}T00:00Z`) }));
    await server.reconfigure({ configuration: { ...configuration, users }, files });
    await using client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
    await client.readReply();
    await client.startTls();
    await client.command("USER alice");
    const { text } = await client.command(`PASS ${OLD}`);
    const notice = "Your password is 100 days old; please change it.";
    assertEquals(text, isTold ? `230-${notice}\r\n230 Login successful.` : "230 Login successful.");
    await client.expect(221, "QUIT");
    const event = await told(events, ({ event }) => event === "loginSucceeded");
    assertEquals(event.event === "loginSucceeded" && event.notice, isTold ? notice : undefined);
  }
});

Deno.test({
  name: "SITE PSWD changes the password of an account in the table, on all nodes",
  ignore: IS_POSTGRES_ABSENT,
  fn: async () => {
    await using database = await TestDatabase.open();
    await using folder = await TemporaryFolder.create();
    const { user, password, host, port, database: name } = database.address;
    await Deno.writeTextFile(`${folder.path}/db.url`, `postgres://${user}:${password}@${host}:${port}/${name}\n`, {
      mode: 0o600,
    });
    await Deno.writeTextFile(`${folder.path}/ca.pem`, database.authorities.join("\n"));
    await Deno.mkdir(`${folder.path}/homes/tina`, { recursive: true, mode: 0o755 });
    const configuration = {
      listen: [{ port: 0 }],
      workers: 1,
      state: { type: "postgres", urlFile: "db.url", ca: "ca.pem", leaseSeconds: 3 },
      accounts: [{ type: "postgres", homes: "homes" }],
      passwords: { change: true },
      timeouts: { failedLogin: 0 },
      ban: { failures: 0 },
    };
    await database.query(
      `INSERT INTO ftpsd.account (name, password, settings) VALUES ('tina', $1, '{"home":"tina"}')`,
      [HASH],
    );
    await using one = await serve({ configuration, folder: folder.path });
    await using two = await serve({ configuration, folder: folder.path });
    await using client = await connect(one.addresses, "tina", OLD);
    assertEquals(await logins(two.addresses, OLD, "tina"), [230]);
    assertEquals((await client.command(`SITE PSWD "${OLD}" "${NEW}"`)).text, "200 Password changed.");
    assertEquals(await logins(two.addresses, OLD, "tina"), [530]);
    assertEquals(await logins(two.addresses, NEW, "tina"), [230]);
    const [row] = await database.query("SELECT settings FROM ftpsd.account");
    assertEquals(JSON.parse(row?.settings ?? ""), { home: "tina", passwordChanged: TODAY() });
  },
});
