import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { stateCommand } from "../../lib/cli/state.ts";
import { StartError } from "../../lib/check/exit_error.ts";
import { type RunningServer, serve } from "../../lib/serve/serve.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const PASSWORD = "correct horse";

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

/** The settings of nodes, and the files that they name. */
async function settingsIn(folder: string, { address, authorities }: TestDatabase, port = address.port) {
  const { user, password, host, database } = address;
  await Deno.writeTextFile(`${folder}/state.url`, `postgres://${user}:${password}@${host}:${port}/${database}\n`, {
    mode: 0o600,
  });
  await Deno.writeTextFile(`${folder}/ca.pem`, authorities.join("\n"));
  await Deno.mkdir(`${folder}/home`, { recursive: true });
  return {
    listen: [{ port: 0 }],
    workers: 2,
    state: { type: "postgres", urlFile: "state.url", ca: "ca.pem", node: "n1", leaseSeconds: 3 },
    users: [{ name: "alice", password: PASSWORD, home: "home", permissions: "elradfmwMT", limits: { connections: 1 } }],
    timeouts: { failedLogin: 0 },
    ban: { failures: 4 },
    acceptRisks: [{ risk: "plaintext-password", reason: "a test" }],
  };
}

async function connect(server: RunningServer): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  await client.readReply();
  await client.startTls();
  return client;
}

/** The reply to a login. */
async function tryLogin(server: RunningServer, password = PASSWORD): Promise<string> {
  await using client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  const greeting = await client.readReply();
  if (!greeting.text.startsWith("220")) return greeting.text;
  await client.startTls();
  await client.command("USER alice");
  return (await client.command(`PASS ${password}`)).text;
}

test("serve() counts sessions and failed logins over all nodes and event loops", async () => {
  await using database = await TestDatabase.open();
  await using folder = await TemporaryFolder.create();
  const configuration = await settingsIn(folder.path, database);
  const settings = { configuration, folder: folder.path };
  await using one = await serve(settings);
  await using two = await serve(settings);
  {
    await using client = await connect(one);
    await client.login("alice", PASSWORD);
    await client.store("/file", new TextEncoder().encode("whole"));
    assertMatch(await tryLogin(two), /^(421|530)/);
    assertMatch(
      await stateCommand(["status", "--config", await fileOf(folder.path, configuration)]),
      /^schema 1, 2 nodes\nnode n1: /,
    );
    await client.expect(221, "QUIT");
  }
  const replies = [];
  for (let times = 0; times < 4; times++) replies.push(await tryLogin(times % 2 === 0 ? one : two, "wrong"));
  assertMatch(replies.at(-1) ?? "", /^(421|530)/);
  for (const server of [one, two, one, two]) assertMatch(await tryLogin(server), /^421 Too many failed logins/);
});

test("serve() refuses logins while the database is out of reach, lets a session work on, and finds its way back", async () => {
  await using database = await TestDatabase.open();
  await using proxy = new TcpProxy(database.address.port);
  await using folder = await TemporaryFolder.create();
  const balanced = { port: 0, proxyProtocol: ["127.0.0.1"] };
  const configuration = { ...await settingsIn(folder.path, database, proxy.port), listen: [{ port: 0 }, balanced] };
  const remarks: string[] = [];
  await using server = await serve({ configuration, folder: folder.path }, {
    onRemark: ({ text }) => void remarks.push(text),
  });
  await using client = await connect(server);
  await client.login("alice", PASSWORD);
  proxy.hang();
  assertMatch(await tryLogin(server), /^421 Service not available/);
  await client.store("/file", new TextEncoder().encode("whole"));
  assertEquals(await Deno.readTextFile(`${folder.path}/home/file`), "whole");
  assertMatch(await tryLogin(server), /^421 Service not available/);
  // In each event loop.
  for (let times = 0; times < 6; times++) assertMatch(await checkOf(server), /^421 Service not available/);
  proxy.cut();
  proxy.resume();
  let reply = "";
  for (let tries = 0; tries < 100 && !/Too many|limit|530/.test(reply); tries++) {
    reply = await tryLogin(server);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertMatch(reply, /^(421 Too many|530|421 .*session)/); // the session that works on is counted
  assertEquals(remarks.filter((text) => text.startsWith("The database of the state is out of reach")).length, 1);
});

/** What a balancer is told that looks whether somebody is here, once the answer is one. */
async function checkOf(server: RunningServer): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.addresses[1]?.port ?? 0 });
  await conn.write(new TextEncoder().encode("PROXY UNKNOWN\r\n"));
  return await new Response(conn.readable).text();
}

test("stateCommand() makes the schema, says so where it is missing, and serve() does not start without it", async () => {
  await using database = await TestDatabase.open({ hasSchema: false });
  await using folder = await TemporaryFolder.create();
  const configuration = await settingsIn(folder.path, database);
  const file = await fileOf(folder.path, configuration);
  const error = await assertRejects(() => serve({ configuration, folder: folder.path }), StartError);
  assertEquals([error.message, error.hint], [
    "cannot use the database of the state: the database has no schema of ftpsd (state.urlFile)",
    "ftpsd state init --config FILE",
  ]);
  for (const action of ["status", "upgrade"]) {
    await assertRejects(() => stateCommand([action, "-c", file]), StartError, "the database has no schema of ftpsd");
  }
  assertEquals(await stateCommand(["init", "-c", file]), "made the schema: version 1");
  assertEquals(await stateCommand(["init", "-c", file]), "the schema is there: version 1");
  assertEquals(await stateCommand(["upgrade", "-c", file]), "the schema is up to date: version 1");
  assertEquals(await stateCommand(["status", "-c", file]), "schema 1, 0 nodes");
});

async function fileOf(folder: string, configuration: object): Promise<string> {
  const file = `${folder}/ftpsd.yaml`;
  await Deno.writeTextFile(file, JSON.stringify(configuration), { mode: 0o600 });
  return file;
}
