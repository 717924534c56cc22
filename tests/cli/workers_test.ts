import { assert, assertEquals, assertMatch } from "@std/assert";
import { delay } from "../../lib/deadline.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { HAS_PROC, memoryOf } from "../helpers/process_state.ts";
import { Installation, PASSWORD, QUICK_HASH } from "./installation.ts";
import { runMain, SpawnedServer } from "./spawned_server.ts";

const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
/** More clients than all event loops are missed by, one time in a million. */
const MANY = 60;
const DEADLINE_MS = 60_000;

function accounts(rest = ""): string {
  return `workers: 3\nusers:\n  - name: user\n    password: ${QUICK_HASH}\n    home: home\n    permissions: elradfmwMT\n${rest}`;
}

async function serve(installation: Installation, ...args: readonly string[]): Promise<SpawnedServer> {
  const { path, home, file } = installation;
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${path},${ROOT}`, `--allow-write=${home}`];
  return await SpawnedServer.start({ flags, args: ["--config", file, "--log-format", "json", ...args] });
}

/** Begin of a session's id, which tells its event loop. */
async function loopOf(server: SpawnedServer, client: RawClient): Promise<string> {
  const [, loop] = await server.line(
    new RegExp(`"connected","session":"(\\w+)-\\w+","remote":"127.0.0.1:${client.localPort}"`),
  );
  return loop ?? "";
}

/** One logged-in client in each of so many event loops. */
async function clientsOfLoops(server: SpawnedServer, stack: AsyncDisposableStack, count = 3): Promise<RawClient[]> {
  const found = new Map<string, RawClient>();
  for (let tries = 0; found.size < count && tries < MANY; tries++) {
    const client = await server.login("user", PASSWORD);
    const loop = await loopOf(server, client);
    if (found.has(loop)) await client[Symbol.asyncDispose]();
    else found.set(loop, stack.use(client));
  }
  assertEquals(found.size, count, "Some event loops got no client");
  return [...found.values()];
}

async function startTransfer(client: RawClient, line: string) {
  const data = await client.passive();
  await client.expect(150, line);
  await data.secure();
  return data;
}

Deno.test("Clients are spread over the workers, whose sessions have ids of their own", async () => {
  await using installation = await Installation.create(accounts());
  await using server = await serve(installation);
  await using stack = new AsyncDisposableStack();
  const clients = await clientsOfLoops(server, stack);
  for (const [index, client] of clients.entries()) {
    await client.store(`/file${index}`, new TextEncoder().encode("text"));
  }
  for (const client of clients) assertEquals((await client.list("NLST")).split("\r\n").length, 4);
  const connected = server.lines.flatMap((line) => /"connected","session":"([^"]+)"/.exec(line)?.[1] ?? []);
  assertEquals(connected.length, new Set(connected).size);
});

Deno.test("A file has one writer over all workers", async () => {
  await using installation = await Installation.create(accounts());
  await using server = await serve(installation);
  await using stack = new AsyncDisposableStack();
  const [first, ...others] = await clientsOfLoops(server, stack);
  assert(first !== undefined);
  const data = await startTransfer(first, "STOR /file");
  for (const other of others) {
    await using _data = await other.passive();
    assertMatch((await other.command("STOR /file")).text, /^450 File is being written/);
  }
  await data.write(new TextEncoder().encode("first"));
  await data.finish();
  assertEquals((await first.readReply()).code, 226);
  for (const other of others) await other.store("/file", new TextEncoder().encode("other"));
});

Deno.test("Limits count over all workers", async () => {
  await using installation = await Installation.create(accounts("    limits: { connections: 4 }\n"));
  await using server = await serve(installation, "--max-cons", "6");
  await using stack = new AsyncDisposableStack();
  const open: RawClient[] = [];
  for (let count = 0; count < 4; count++) open.push(stack.use(await server.login("user", PASSWORD)));
  for (let count = 0; count < 2; count++) {
    const client = stack.use(await RawClient.connect({ host: "127.0.0.1", port: await server.port() }));
    await client.readReply();
    await client.startTls();
    await client.expect(331, "USER user");
    assertEquals((await client.command(`PASS ${PASSWORD}`)).text, "421 Too many sessions of this user.");
    await client.closed();
  }
  // Whose places are given back: the main event loop may hear of it a moment later than the client.
  for (let count = 0; count < 2; count++) stack.use(await whenWelcome(server));
  for (let count = 0; count < 6; count++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port: await server.port() });
    assertMatch((await client.readReply()).text, /^421 Too many connections/);
  }
  // A place that is given back is free in all of them.
  await open[0]?.expect(221, "QUIT");
  await open[0]?.closed();
  await using client = await whenWelcome(server);
  await client.startTls();
  await client.login("user", PASSWORD);
  await client.expect(200, "NOOP");
});

/** Connects, again and again, until there is a place. */
async function whenWelcome(server: SpawnedServer): Promise<RawClient> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  for (;;) {
    const client = await RawClient.connect({ host: "127.0.0.1", port: await server.port(), deadlineMs: DEADLINE_MS });
    if ((await client.readReply()).code === 220) return client;
    await client[Symbol.asyncDispose]();
    await delay(10, deadline);
  }
}

Deno.test("A ban holds in all workers", async () => {
  await using installation = await Installation.create(
    accounts("ban: { failures: 4 }\ntimeouts: { failedLogin: 0 }\nlimits: { loginAttempts: 0 }\n"),
  );
  await using server = await serve(installation);
  for (let failures = 0; failures < 4; failures++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port: await server.port() });
    await client.readReply();
    await client.startTls();
    await client.expect(331, "USER user");
    await client.expect(failures < 3 ? 530 : 421, "PASS wrong");
  }
  await server.line(/"banned"/);
  for (let count = 0; count < 10; count++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port: await server.port() });
    assertEquals((await client.readReply()).text, "421 Too many failed logins, try again later.");
  }
  assertEquals(server.lines.filter((line) => line.includes('"banned"')).length, 1);
});

Deno.test("Guesses at once over all workers are no more than a ban allows", async () => {
  const failures = 4;
  await using installation = await Installation.create(
    accounts(`ban: { failures: ${failures} }\ntimeouts: { failedLogin: 0 }\nlimits: { loginAttempts: 0 }\n`),
  );
  await using server = await serve(installation);
  await using stack = new AsyncDisposableStack();
  const clients: RawClient[] = [];
  for (let count = 0; count < 3 * failures; count++) {
    const options = { host: "127.0.0.1", port: await server.port(), deadlineMs: DEADLINE_MS };
    const client = stack.use(await RawClient.connect(options));
    await client.readReply();
    await client.startTls();
    await client.expect(331, "USER user");
    clients.push(client);
  }
  const codes = await Promise.all(clients.map(async (client) => (await client.command("PASS wrong")).code));
  assertEquals(codes.filter((code) => code === 530).length, failures - 1);
  assertEquals(codes.filter((code) => code === 421).length, clients.length - failures + 1);
});

const MIB = 2 ** 20;

Deno.test({
  name: `Two passwords are checked at a time over all workers${HAS_PROC ? "" : " (ignored: only Linux shows memory)"}`,
  ignore: !HAS_PROC,
  fn: async () => {
    // 64 MiB for each check; of four event loops two checks in each would be 512.
    const hash = await hashPassword(PASSWORD, { ln: 16 });
    await using installation = await Installation.create(
      `workers: 4\nusers: [{ name: user, password: "${hash}", home: home }]\n` +
        "ban: { failures: 0 }\ntimeouts: { failedLogin: 0 }\nlimits: { loginAttempts: 0 }\n",
    );
    await using server = await serve(installation);
    await using stack = new AsyncDisposableStack();
    const clients: RawClient[] = [];
    for (let count = 0; count < 24; count++) {
      const port = await server.port();
      const client = stack.use(await RawClient.connect({ host: "127.0.0.1", port, deadlineMs: 60_000 }));
      await client.readReply();
      await client.startTls();
      await client.expect(331, `USER nobody${count}`);
      clients.push(client);
    }
    const before = (await memoryOf(server.pid)).peak;
    await Promise.all(clients.map((client) => client.expect(530, "PASS wrong")));
    const grown = (await memoryOf(server.pid)).peak - before;
    assert(grown < 4 * 64 * MIB, `${Math.round(grown / MIB)} MiB more`);
  },
});

Deno.test("A password that waits in another event loop is given up with its client, and others go on", async () => {
  await using installation = await Installation.create(
    accounts("ban: { failures: 0 }\ntimeouts: { failedLogin: 0 }\nlimits: { loginAttempts: 0 }\n"),
  );
  await using server = await serve(installation);
  await using stack = new AsyncDisposableStack();
  const clients: RawClient[] = [];
  for (let count = 0; count < 12; count++) {
    const client = stack.use(await RawClient.connect({ host: "127.0.0.1", port: await server.port() }));
    await client.readReply();
    await client.startTls();
    await client.expect(331, "USER user");
    clients.push(client);
  }
  for (const client of clients) await client.send("PASS wrong\r\n");
  // One has been checked: the others are being checked, or wait.
  await Promise.race(clients.map((client) => client.readReply().catch(() => {})));
  for (const client of clients) await client.reset();
  // All places are free again: of one that was not given back nobody would get another.
  for (let count = 0; count < 6; count++) {
    await using client = await server.login("user", PASSWORD);
    await client.expect(200, "NOOP");
  }
});

Deno.test("A passive port is handed out once over all workers", async () => {
  const ports = freeRange(3);
  await using installation = await Installation.create(accounts(`passive: { ports: ${ports} }\n`));
  await using server = await serve(installation);
  await using stack = new AsyncDisposableStack();
  const clients = await clientsOfLoops(server, stack);
  const given = await Promise.all(clients.map(async (client) => (await client.expect(229, "EPSV")).text));
  assertEquals(new Set(given).size, 3);
  await using another = await server.login("user", PASSWORD);
  assertMatch((await another.command("EPSV")).text, /^425 No passive port is free/);
});

/** Ports FROM-TO of which none is used now. */
function freeRange(count: number): string {
  for (;;) {
    using stack = new DisposableStack();
    const { port } = stack.use(Deno.listen({ hostname: "127.0.0.1", port: 0 })).addr;
    try {
      for (let next = port + 1; next < port + count; next++) {
        stack.use(Deno.listen({ hostname: "127.0.0.1", port: next }));
      }
      return `${port}-${port + count - 1}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

Deno.test("A reload reaches all workers, and sessions go on", async () => {
  await using installation = await Installation.create(accounts());
  await using server = await serve(installation);
  await using stack = new AsyncDisposableStack();
  const before = await clientsOfLoops(server, stack);
  await installation.configure(accounts("banner: New.\n"));
  server.kill("SIGHUP");
  await server.line(/configuration reloaded/);
  for (const client of before) await client.expect(200, "NOOP");
  for (let count = 0; count < 10; count++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port: await server.port() });
    assertEquals((await client.readReply()).text, "220 New.");
  }
});

Deno.test("All workers show one certificate, and take over another", async () => {
  const [one, two] = await Promise.all([1, 2].map(() => createEphemeralCertificate({ names: ["127.0.0.1"] })));
  assert(one !== undefined && two !== undefined);
  await using installation = await Installation.create(
    `tls: { certificate: server.crt, key: server.key }\n${accounts()}`,
  );
  await installation.install(one);
  await using server = await serve(installation);
  const shown = async () => {
    const found = new Set<string>();
    for (let count = 0; count < 12; count++) {
      await using client = await server.login("user", PASSWORD);
      found.add(client.tls?.getPeerCertificate().fingerprint256 ?? "");
    }
    return [...found];
  };
  const before = await shown();
  assertEquals(before.length, 1);
  await installation.install(two);
  server.kill("SIGHUP");
  await server.line(/configuration reloaded/);
  const after = await shown();
  assertEquals(after.length, 1);
  assert(after[0] !== before[0]);
});

Deno.test("SIGTERM lets the transfers of all workers end, and tells of the end once, at the very last", async () => {
  await using installation = await Installation.create(accounts());
  await using server = await serve(installation);
  await using stack = new AsyncDisposableStack();
  const clients = await clientsOfLoops(server, stack);
  const transfers = [];
  for (const [index, client] of clients.entries()) transfers.push(await startTransfer(client, `STOR /file${index}`));
  server.kill("SIGTERM");
  await server.line(/received SIGTERM/);
  for (const [index, data] of transfers.entries()) {
    await data.write(new TextEncoder().encode("whole"));
    await data.finish();
    assertEquals((await clients[index]?.readReply())?.code, 226);
    assertEquals((await clients[index]?.readReply())?.code, 421);
  }
  assertEquals((await server.exited()).code, 0);
  assertEquals(server.lines.filter((line) => line.includes('"fileReceived"')).length, 3);
  assertEquals(server.lines.findIndex((line) => line.includes('"stopped"')), server.lines.length - 1);
});

Deno.test("SIGTERM gives balancers and transfers the time that the configuration in use says, in all workers", async () => {
  await using installation = await Installation.create(accounts());
  await using server = await serve(installation);
  await using stack = new AsyncDisposableStack();
  await installation.configure(accounts("shutdown: { drain: 0.5, grace: 0.5 }\n"));
  server.kill("SIGHUP");
  await server.line(/configuration reloaded/);
  const clients = await clientsOfLoops(server, stack);
  for (const [index, client] of clients.entries()) stack.use(await startTransfer(client, `STOR /file${index}`));
  const idle = await server.login("user", PASSWORD);
  server.kill("SIGTERM");
  await server.line(/balancers have 0.5 s to notice, then running transfers have 0.5 s to end/);
  await idle.expect(200, "NOOP");
  assertEquals((await idle.readReply()).code, 421);
  for (const client of clients) {
    assertEquals([(await client.readReply()).code, (await client.readReply()).code], [426, 421]);
  }
  assertEquals((await server.exited()).code, 0);
});

Deno.test("Workers that Deno does not permit to load are refused with the flag, or done without", async () => {
  await using installation = await Installation.create(accounts());
  const { path, home, file } = installation;
  const flags = ["--allow-net=127.0.0.1", `--allow-read=${path}`, `--allow-write=${home}`];
  const refused = await runMain({ flags, args: ["--config", file] });
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, new RegExp(`--allow-read=${ROOT}`));
  await using server = await SpawnedServer.start({ flags, args: ["--config", file, "--workers", "auto"] });
  await server.line(/one event loop/);
});
