import { Buffer } from "node:buffer";
import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import type { CertificatePair } from "../../lib/transport/certificate_pair.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { Installation, PASSWORD, QUICK_HASH as HASH, QUICK_USER as USER } from "./installation.ts";
import { readFlags, SpawnedServer, writeFlags } from "./spawned_server.ts";

const PROGRAM = new URL("impatient_program.ts", import.meta.url).pathname;
const QUICK = "timeouts: { failedLogin: 0 }\n";
/** No address is banned for what its tests do to it. */
const MILD = `${QUICK}ban: { failures: 0 }\n`;

/** Starts a server on an installation, with the flags to read it. */
function serve(
  installation: Installation,
  options: { readonly flags?: readonly string[]; readonly args?: readonly string[]; readonly program?: string } = {},
): Promise<SpawnedServer> {
  const { flags = readFlags(installation.path), args = [], ...rest } = options;
  return SpawnedServer.start({ flags, args: ["--config", installation.file, ...args], ...rest });
}

/** Reloads, and waits until the server says how it went. */
async function reload(server: SpawnedServer): Promise<string> {
  const before = server.lines.length;
  server.kill("SIGHUP");
  const [, what = ""] = await server.lineAfter(before, /((?:configuration reloaded|reload failed).*)/);
  return what;
}

async function connect(server: SpawnedServer): Promise<{ readonly client: RawClient; readonly greeting: string }> {
  const client = await RawClient.connect({ host: "127.0.0.1", port: await server.port() });
  const { text } = await client.readReply("connecting");
  return { client, greeting: text };
}

/** What a new client is told: the reply to the last of the lines, or to connecting. */
async function replyTo(server: SpawnedServer, ...lines: readonly string[]): Promise<string> {
  const { client, greeting } = await connect(server);
  await using _client = client;
  if (lines.length === 0) return greeting;
  await client.startTls();
  let text = "";
  for (const line of lines) ({ text } = await client.command(line));
  return text;
}

const LOGIN = ["USER user", `PASS ${PASSWORD}`];

/** What is added to, or put in the place of, the user's lines; and what a new client is told before and after. */
const CHANGES: readonly {
  readonly what: string;
  readonly before: string;
  readonly after: string;
  readonly lines: readonly string[];
  readonly replies: readonly [before: string, after: string];
}[] = [
  {
    what: "the banner",
    before: `banner: Before.\n${USER}`,
    after: `banner: After.\n${USER}`,
    lines: [],
    replies: ["220 Before.", "220 After."],
  },
  {
    what: "a new user",
    before: USER,
    after: `${USER}  - { name: bob, password: "${HASH}", home: home }\n`,
    lines: ["USER bob", `PASS ${PASSWORD}`],
    replies: ["530 Authentication failed.", "230 Login successful."],
  },
  {
    what: "a user that is no more",
    before: `${USER}  - { name: bob, password: "${HASH}", home: home }\n`,
    after: USER,
    lines: ["USER bob", `PASS ${PASSWORD}`],
    replies: ["230 Login successful.", "530 Authentication failed."],
  },
  {
    what: "another password",
    before: USER,
    after: `${USER.replace(HASH, "another")}acceptRisks: [{ risk: plaintext-password, reason: a test }]\n`,
    lines: LOGIN,
    replies: ["230 Login successful.", "530 Authentication failed."],
  },
  {
    what: "anonymous",
    before: USER,
    after: `${USER}anonymous: { home: home }\n`,
    lines: ["USER anonymous", "PASS guest"],
    replies: ["530 Anonymous access not allowed.", "230 Login successful."],
  },
  {
    what: "permissions",
    before: USER,
    after: `${USER}    permissions: e\n`,
    lines: [...LOGIN, "MLST /"],
    replies: ["250-", "550 Not enough privileges."],
  },
  {
    what: "messages",
    before: USER,
    after: `${USER}    messages: { login: Hello. }\n`,
    lines: LOGIN,
    replies: ["230 Login successful.", "230 Hello."],
  },
  {
    what: "limits.connections",
    before: USER,
    after: `limits: { connections: 1 }\n${USER}`,
    lines: [],
    replies: ["220 ftpsd ready.", "421 Too many connections. Service temporarily unavailable."],
  },
  {
    what: "limits.connectionsPerAddress",
    before: USER,
    after: `limits: { connectionsPerAddress: 1 }\n${USER}`,
    lines: [],
    replies: ["220 ftpsd ready.", "421 Too many connections from the same IP address."],
  },
  {
    what: "limits.loginAttempts",
    before: USER,
    after: `limits: { loginAttempts: 1 }\n${USER}`,
    lines: ["USER user", "PASS wrong"],
    replies: ["530 Authentication failed.", "530 Authentication failed. Disconnecting."],
  },
  {
    what: "the sessions of a user",
    before: USER,
    after: `${USER}    limits: { connections: 1 }\n`,
    lines: LOGIN,
    replies: ["230 Login successful.", "421 Too many sessions of this user."],
  },
  {
    what: "tls.policy, once its risk is accepted",
    before: USER,
    after: `tls: { policy: control }\nacceptRisks: [{ risk: clear-text-data, reason: a test }]\n${USER}`,
    lines: [...LOGIN, "PASV"],
    replies: ["550 SSL/TLS required on the data channel.", "227 "],
  },
];

Deno.test("run() applies to new sessions on SIGHUP, while others go on", async (t) => {
  await using installation = await Installation.create(`${MILD}${USER}`);
  await Deno.writeTextFile(`${installation.home}/file`, "text");
  await using server = await serve(installation);
  await using old = await server.login("user", PASSWORD);
  for (const { what, before, after, lines, replies } of CHANGES) {
    await t.step(what, async () => {
      await installation.configure(`${MILD}${before}`);
      assertEquals(await reload(server), "configuration reloaded");
      assertEquals((await replyTo(server, ...lines)).slice(0, replies[0].length), replies[0]);
      await installation.configure(`${MILD}${after}`);
      assertEquals(await reload(server), "configuration reloaded");
      assertStringIncludes(await replyTo(server, ...lines), replies[1]);
      assertEquals(new TextDecoder().decode(await old.retrieve("file")), "text");
    });
  }
  await old.expect(221, "QUIT");
});

Deno.test("run() applies another ban on SIGHUP, and one that stands goes on", async () => {
  await using installation = await Installation.create(`${QUICK}ban: { failures: 2 }\n${USER}`);
  await using server = await serve(installation);
  await using old = await server.login("user", PASSWORD);
  assertMatch(await replyTo(server, "USER user", "PASS wrong"), /^530 /);
  await installation.configure(`${QUICK}ban: { failures: 1 }\n${USER}`);
  await reload(server);
  assertMatch(await replyTo(server, "USER user", "PASS wrong"), /^421 /);
  await reload(server);
  assertMatch(await replyTo(server), /^421 /);
  await installation.configure(`${QUICK}ban: { never: [127.0.0.1] }\n${USER}`);
  await reload(server);
  assertMatch(await replyTo(server), /^220 /);
  await old.expect(200, "NOOP");
});

/** Files that cannot be used, each with what the log says; FOLDER stands for the folder of the file. */
const UNUSABLE: readonly (readonly [what: string, text: string, reasons: readonly string[]])[] = [
  ["no YAML", `banner: New.\n${USER}  bad: [`, ["FOLDER/ftpsd.yaml:6: not YAML: "]],
  ["an unknown key", `banner: New.\nbaner: New.\n${USER}`, ["FOLDER/ftpsd.yaml:2: baner: "]],
  ["several faults", `banner: New.\nlimits: { connections: -1 }\ntimes: swiss\n${USER}`, [
    "FOLDER/ftpsd.yaml:2: limits.connections: ",
    "FOLDER/ftpsd.yaml:3: times: ",
  ]],
  ["a risk", `banner: New.\ntls:\n  policy: optional\n${USER}`, [
    "FOLDER/ftpsd.yaml:3: tls.policy optional: ",
    "FOLDER/ftpsd.yaml:3: tls.policy optional: ",
  ]],
  ["anonymous writing", `banner: New.\nanonymous: { home: home, permissions: elrw }\n`, [
    "FOLDER/ftpsd.yaml: permissions: Deno does not permit what this needs; add --allow-write=FOLDER/home",
  ]],
  ["a home that does not exist", `banner: New.\n${USER.replace("home: home", "home: none")}`, [
    "FOLDER/ftpsd.yaml:5: users[0].home: FOLDER/none does not exist",
  ]],
  ["a certificate that is not there", `banner: New.\ntls: { certificate: none, key: none }\n${USER}`, [
    "FOLDER/ftpsd.yaml:2: tls.certificate: no such file: FOLDER/none",
  ]],
  ["a ban without a duration", `banner: New.\nban: { duration: 0 }\n${USER}`, ["FOLDER/ftpsd.yaml"]],
];

Deno.test("run() keeps all as it was on SIGHUP when the file cannot be used, and says why with the line", async (t) => {
  await using installation = await Installation.create(`banner: Old.\n${USER}`);
  await using server = await serve(installation);
  await using old = await server.login("user", PASSWORD);
  for (const [what, text, reasons] of UNUSABLE) {
    await t.step(what, async () => {
      await installation.configure(text);
      const before = server.lines.length;
      server.kill("SIGHUP");
      const kept = () =>
        server.lines.slice(before).filter((line) =>
          line.includes("reload failed, keeping the current configuration: ")
        );
      for (let seen = before; kept().length < reasons.length;) {
        await server.lineAfter(seen, /reload failed/);
        seen = server.lines.findLastIndex((line) => line.includes("reload failed")) + 1;
      }
      for (const [index, reason] of reasons.entries()) {
        const wanted = reason.replaceAll("FOLDER", installation.path);
        assertStringIncludes(kept()[index] ?? "", `] reload failed, keeping the current configuration: ${wanted}`);
      }
      assertEquals(await replyTo(server), "220 Old.");
      assertMatch(await replyTo(server, ...LOGIN), /^230 /);
      await old.expect(200, "NOOP");
    });
  }
  await installation.configure(`banner: New.\n${USER}`);
  assertEquals(await reload(server), "configuration reloaded");
  assertEquals(await replyTo(server), "220 New.");
});

Deno.test("run() keeps all as it was on SIGHUP when the file is gone", async () => {
  await using installation = await Installation.create(USER);
  await using server = await serve(installation);
  await Deno.remove(installation.file);
  assertStringIncludes(
    await reload(server),
    `reload failed, keeping the current configuration: no such file: ${installation.file}`,
  );
  assertMatch(await replyTo(server, ...LOGIN), /^230 /);
});

/** Changes that cannot be made while the server runs. */
const FIXED: readonly (readonly [key: string, text: string])[] = [
  ["listen", "listen: [{ host: 127.0.0.1, port: 2122 }]\n"],
  ["listen", "listen: [{ tls: implicit }]\n"],
  ["passive.ports", "passive: { ports: 50000-50100 }\n"],
  ["tls.minVersion", "tls: { minVersion: TLSv1.3 }\n"],
  ["tls.maxVersion", "tls: { maxVersion: TLSv1.2 }\n"],
  ["log", "log: { format: json }\n"],
];

/** What a client does to the home of another user that is below its own. */
const DONE_TO_HOMES: readonly (readonly [what: string, lines: readonly string[], warning: RegExp])[] = [
  [
    "a folder that others may write in",
    ["SITE CHMOD 777 open", "RNFR below", "RNTO away", "RNFR open", "RNTO below"],
    /others on this host may write/,
  ],
  ["nothing", ["RMD below"], /below does not exist/],
];

for (const [what, lines, warning] of DONE_TO_HOMES) {
  Deno.test({
    name: `run() reloads with a warning when a client has put ${what} in the place of another's home`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      const users = `${USER}    permissions: elradfmwMT\n${
        USER.replace("users:\n", "").replace("user", "other")
      }/below\n`;
      const configuration = users.replace("home\n/below", "home/below");
      await using installation = await Installation.create(`banner: Old.\n${configuration}`);
      for (const name of ["below", "open"]) await Deno.mkdir(`${installation.home}/${name}`, { mode: 0o755 });
      await using server = await serve(installation, { flags: writeFlags(installation.path) });
      await using client = await server.login("user", PASSWORD);
      for (const line of lines) assertMatch((await client.command(line)).text, /^[23]/, line);
      await installation.configure(`banner: New.\n${configuration}`);
      const before = server.lines.length;
      assertEquals(await reload(server), "configuration reloaded");
      await server.lineAfter(before, warning);
      assertEquals(await replyTo(server), "220 New.");
      // A home that is new in the file is looked at as at the start.
      await installation.configure(`${configuration.replace("home/below", `${installation.path}/new`)}`);
      assertMatch(await reload(server), /^reload failed, keeping the current configuration: .*new does not exist/);
    },
  });
}

Deno.test("run() says on SIGHUP which changes need a restart", async () => {
  // Without --port, which would go before the file.
  await using installation = await Installation.create(`listen: [{ port: 0 }]\n${USER}`);
  const flags = readFlags(installation.path);
  await using server = await SpawnedServer.start({ flags, args: ["--config", installation.file], hasOwnPorts: true });
  for (const [key, text] of FIXED) {
    await installation.configure(`${text.includes("listen") ? "" : "listen: [{ port: 0 }]\n"}${text}${USER}`);
    const before = server.lines.length;
    assertEquals(await reload(server), "configuration reloaded", text);
    const [line = ""] = await server.lineAfter(before, /\[W .*needs a restart.*/);
    assertStringIncludes(line, ` ${key}: the change needs a restart`);
  }
  await installation.configure(`listen: [{ port: 0 }]\n${USER}`);
  const before = server.lines.length;
  await reload(server);
  assertEquals(await reload(server), "configuration reloaded");
  assertEquals(server.lines.slice(before).filter((line) => line.includes("restart")), []);
});

Deno.test("run() still lets one client alone write a file after SIGHUP", async () => {
  await using installation = await Installation.create(`${USER}    permissions: elrw\n`);
  await using server = await serve(installation, { flags: writeFlags(installation.path) });
  await using first = await server.login("user", PASSWORD);
  await using data = await first.passive();
  await first.expect(150, "STOR file");
  await data.secure();
  await data.write(new TextEncoder().encode("one"));
  await reload(server);
  await using second = await server.login("user", PASSWORD);
  await using _data = await second.passive();
  await second.expect(450, "STOR file");
  await data.finish();
  assertEquals((await first.readReply("STOR")).code, 226);
  assertEquals(await Deno.readTextFile(`${installation.home}/file`), "one");
});

Deno.test("run() reloads as often as it is told, and stops between two reloads", async () => {
  await using installation = await Installation.create(USER);
  await using server = await serve(installation);
  for (let times = 0; times < 5; times++) await reload(server);
  server.kill("SIGHUP");
  server.kill("SIGTERM");
  server.kill("SIGHUP");
  assertEquals((await server.exited()).code, 0);
});

const TLS_FILES = "tls: { certificate: server.crt, key: server.key }\n";
const SESSIONS = 100;
/** Every tenth is a download, kept to a rate at which it takes four seconds. */
const DOWNLOAD_EVERY = 10;
const RATE = "transfer: { bandwidth: { download: 256KiB } }\n";
const FILE_BYTES = 2 ** 20;

function pair(): Promise<CertificatePair> {
  return createEphemeralCertificate({ names: ["127.0.0.1"] });
}

function fingerprint(client: RawClient): string {
  return client.tls?.getPeerCertificate().fingerprint256 ?? "";
}

const WAYS:
  readonly (readonly [way: string, replace: (server: SpawnedServer) => Promise<unknown>, program?: string])[] = [
    ["SIGHUP", reload],
    ["the watcher of the files", (server) => server.line(/certificate replaced: /), PROGRAM],
  ];

for (const [way, replaced, program] of WAYS) {
  Deno.test(`run() replaces its certificate by ${way} while ${SESSIONS} transfers are under way`, async () => {
    await using installation = await Installation.create(`${TLS_FILES}${RATE}${USER}    permissions: elrw\n`);
    await installation.install(await pair());
    const large = randomBytes(FILE_BYTES);
    await Deno.writeFile(`${installation.home}/large`, large);
    const flags = writeFlags(installation.path);
    await using server = await serve(installation, { flags, ...program === undefined ? {} : { program } });
    await using sessions = new AsyncDisposableStack();
    const indexes = Array.from({ length: SESSIONS }, (_, index) => index);
    const isDownload = (index: number) => index % DOWNLOAD_EVERY === 0;
    const clients = await Promise.all(
      indexes.map(async () => sessions.use(await server.login("user", PASSWORD))),
    );
    const begun: Begun[] = [];
    // Uploads wait for the client; downloads do not, and so begin last.
    for (const wanted of [false, true]) {
      const some = indexes.filter((index) => isDownload(index) === wanted);
      begun.push(
        ...await Promise.all(some.map((index) => {
          const client = clients[index] as RawClient;
          return wanted ? download(client, large, sessions) : upload(client, index, sessions);
        })),
      );
    }
    const [before] = clients.map(fingerprint);
    await installation.install(await pair());
    await replaced(server);
    await using newcomer = await server.login("user", PASSWORD);
    assertNotEquals(fingerprint(newcomer), before);
    // All that has ended until now would stand here.
    assertEquals(server.lines.filter((line) => line.includes("completed=")), []);
    await Promise.all(begun.map((end) => end()));
    await newcomer.store("newcomer", large);
    for (const index of indexes.filter((index) => !isDownload(index))) {
      assertEquals(await Deno.readFile(`${installation.home}/upload${index}`), uploadOf(index));
    }
  });
}

/** Moves the rest of a transfer, and checks that all arrived. */
type Begun = () => Promise<void>;

async function upload(client: RawClient, index: number, sessions: AsyncDisposableStack): Promise<Begun> {
  const content = uploadOf(index);
  const half = content.length / 2;
  await client.expect(200, "TYPE I");
  const data = sessions.use(await client.passive());
  await client.expect(150, `STOR upload${index}`);
  await data.secure();
  await data.write(content.subarray(0, half));
  return async () => {
    await data.write(content.subarray(half));
    await data.finish();
    assertEquals((await client.readReply("STOR")).code, 226);
    await client.expect(221, "QUIT");
  };
}

async function download(
  client: RawClient,
  content: Uint8Array,
  sessions: AsyncDisposableStack,
): Promise<Begun> {
  await client.expect(200, "TYPE I");
  const data = sessions.use(await client.passive());
  await client.expect(150, "RETR large");
  await data.secure();
  return async () => {
    assertEquals(Buffer.compare(await data.readAll(), content), 0);
    assertEquals((await client.readReply("RETR")).code, 226);
    await client.expect(221, "QUIT");
  };
}

function uploadOf(index: number): Uint8Array {
  return new Uint8Array(FILE_BYTES).fill(index);
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

Deno.test("run() keeps its certificate when the files come to hold none, and says so", async () => {
  await using installation = await Installation.create(`${TLS_FILES}${USER}`);
  await installation.install(await pair());
  await using server = await serve(installation, { program: PROGRAM });
  await using old = await server.login("user", PASSWORD);
  await Deno.writeTextFile(`${installation.path}/server.crt`, "none");
  await server.line(/keeping the current certificate: tls\.certificate: Cannot read the certificate/);
  await using client = await server.login("user", PASSWORD);
  assertEquals(fingerprint(client), fingerprint(old));
  assertStringIncludes(await reload(server), "reload failed, keeping the current configuration: ");
});

Deno.test("run() lets an upload end on SIGTERM: 226, then 421", async () => {
  await using installation = await Installation.create(`${USER}    permissions: elrw\n`);
  await using server = await serve(installation, { flags: writeFlags(installation.path) });
  await using client = await server.login("user", PASSWORD);
  await using data = await client.passive();
  await client.expect(150, "STOR file");
  await data.secure();
  server.kill("SIGTERM");
  await server.line(/received SIGTERM/);
  await data.write(new TextEncoder().encode("text"));
  await data.finish();
  assertEquals([(await client.readReply()).code, (await client.readReply()).code], [226, 421]);
  assertEquals((await server.exited()).code, 0);
  assertEquals(await Deno.readTextFile(`${installation.home}/file`), "text");
});
