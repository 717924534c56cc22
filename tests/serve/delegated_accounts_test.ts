import { assert, assertEquals, assertMatch } from "@std/assert";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { type RunningServer, serve } from "../../lib/serve/serve.ts";
import { AccountHook } from "../helpers/account_hook.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { BASE, IS_SLAPD_ABSENT, personOf, SEARCHER, Slapd } from "../helpers/slapd.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const FILE_HASH = await hashPassword("of the file", { ln: 10 });
const WAIT_MS = 10_000;

/** A server with homes for alice and bob, until it is disposed of. */
interface Scene extends AsyncDisposable {
  readonly server: RunningServer;
  readonly folder: string;
  /** What it has said in its log. */
  readonly log: string[];
}

async function start(
  accounts: readonly object[],
  { prepare, ...settings }: { readonly prepare?: (folder: string) => Promise<void>; readonly [key: string]: unknown } =
    {},
): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await TemporaryFolder.create());
  for (const name of ["homes", "homes/alice", "homes/bob", "other"]) {
    await Deno.mkdir(`${folder}/${name}`, { mode: 0o755 });
  }
  await prepare?.(folder);
  const log: string[] = [];
  const configuration = {
    listen: [{ port: 0 }],
    workers: 2,
    accounts,
    users: [{ name: "filip", password: FILE_HASH, home: "other" }],
    timeouts: { failedLogin: 0 },
    limits: { loginAttempts: 0 },
    ban: { failures: 0 },
    acceptRisks: [{ risk: "clear-text-directory", reason: "a test" }],
    ...settings,
  };
  const server = opened.use(
    await serve({ configuration, folder }, {
      onRemark: ({ text }) => void (/should be made anew|accepted/.test(text) || log.push(text)),
      onEvent: (event: ServerEvent) => {
        if (event.event === "internalError") log.push(event.message);
        if (event.event === "loginFailed" && event.reason !== undefined) log.push(event.reason);
      },
    }),
  );
  const all = opened.move();
  return { server, folder, log, [Symbol.asyncDispose]: () => all.disposeAsync() };
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

async function eventually(what: string, isSo: () => boolean): Promise<void> {
  const until = performance.now() + WAIT_MS;
  while (!isSo()) {
    if (performance.now() > until) throw new Error(`Not within ${WAIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("serve() lets a hook say who an account is, in all event loops, and remembers that for a time", async () => {
  await using hook = await AccountHook.start(({ username, password }) =>
    password === "right"
      ? Response.json({
        name: username.toLowerCase(),
        home: username.toLowerCase(),
        permissions: "elrw",
        groups: ["partners"],
        messages: { login: "Hello.", quit: "Bye." },
        limits: { connections: 1 },
        quota: { files: 1 },
        hide: [".*"],
      })
      : new Response(null, { status: 403 })
  );
  const source = { type: "http", url: hook.url, tokenFile: hook.tokenFile, homes: "homes" };
  await using scene = await start([{ type: "file" }, source], { groups: { partners: {} } });
  const { server, folder, log } = scene;
  await using client = await connect(server);
  await client.command("USER Alice");
  assertEquals((await client.command("PASS right")).text, "230 Hello.");
  assertEquals((await server.sessions()).map(({ username }) => username), ["alice"]);
  await client.expect(200, "PBSZ 0");
  await client.expect(200, "PROT P");
  await client.store("/file", new TextEncoder().encode("whole"));
  assertEquals(await Deno.readTextFile(`${folder}/homes/alice/file`), "whole");
  await client.expect(550, "DELE /file");
  await client.expect(550, "SIZE /.hidden");
  assertMatch(await tryLogin(server, "alice", "right"), /^421 Too many sessions/);
  assertMatch(await tryLogin(server, "filip", "of the file"), /^230/);
  assertEquals(hook.asked.filter(({ username }) => username === "filip"), []);
  assertEquals((await client.command("QUIT")).text, "221 Bye.");

  // Each event loop remembers by itself.
  for (let times = 0; times < 20; times++) assertMatch(await tryLogin(server, "bob", "right"), /^230/);
  assert(hook.asked.filter(({ username }) => username === "bob").length <= 2);
  assertMatch(await tryLogin(server, "bob", "wrong"), /^530/);
  assertMatch(await tryLogin(server, "nobody", "wrong"), /^530/);
  // A wrong password of a name in the file takes the time of all sources, which hear nothing of it.
  assertMatch(await tryLogin(server, "filip", "right"), /^530/);
  assertEquals(hook.asked.filter(({ username, password }) => username === "filip" || password === "of the file"), []);
  assertEquals(log, []);
});

Deno.test("serve() refuses what a hook says that cannot be an account, and tells why in the log", async () => {
  await using hook = await AccountHook.start();
  const source = { type: "http", url: hook.url, tokenFile: hook.tokenFile, homes: "homes" };
  await using scene = await start([source], { users: [], workers: 1 });
  const { server, folder, log } = scene;
  await Deno.symlink(`${folder}/other`, `${folder}/homes/link`);
  for (
    const [entry, reason] of [
      [{ home: "/etc" }, `/etc is not below ${folder}/homes`],
      [{ home: "../other" }, `${folder}/other is not below ${folder}/homes`],
      [{ home: "link" }, `${folder}/homes/link leads to ${folder}/other, which is not below ${folder}/homes`],
      [{ home: "alice", permissions: "elx" }, 'permissions: unknown letter "x"; use letters of elradfmwMT'],
      [{ home: "alice", hme: "x" }, "hme: unknown key; did you mean home?"],
      [{}, "home: is missing; give a folder, or { store: NAME, path: /folder }"],
      [{ home: "alice", groups: ["none"] }, 'groups[0]: "none" is not one of groups; there are none'],
      [{ home: "alice", password: "x" }, "the answer has a password, which the hook keeps to itself"],
      [{ home: "alice", name: "anonymous" }, '"anonymous" is for everybody, whom the configuration file describes'],
    ] as const
  ) {
    hook.answer = () => Response.json(entry);
    log.length = 0;
    assertMatch(await tryLogin(server, "mallory", "right"), /^530 Authentication failed/);
    await eventually(reason, () => log.length > 0);
    assertEquals(log[0], `The account "mallory" cannot log in: ${reason}`);
    assertEquals(log.slice(1).filter((text) => text !== reason), []);
  }
});

Deno.test("serve() says 421 while a hook does not answer, once in the log, and lets users of the file in", async () => {
  await using hook = await AccountHook.start(() => new Response("<h1>planted</h1>", { status: 502 }));
  const source = { type: "http", url: hook.url, tokenFile: hook.tokenFile, homes: "homes", remember: 0 };
  await using scene = await start([{ type: "file" }, source], {
    workers: 1,
    ban: { failures: 1, window: 60, duration: 60 },
  });
  for (let times = 0; times < 7; times++) {
    assertEquals(
      await tryLogin(scene.server, "alice", "right"),
      "421 Accounts cannot be checked now, try again later.",
    );
  }
  assertMatch(await tryLogin(scene.server, "filip", "of the file"), /^230/); // nobody was banned
  assertEquals(scene.log, ["accounts[1]: The hook with the accounts cannot be asked: Error: it has answered 502"]);
  assertEquals(hook.asked.length, 5);
});

Deno.test({
  name: "serve() lets a directory say who may log in, with its groups, in all event loops",
  ignore: IS_SLAPD_ABSENT,
  fn: async () => {
    const group =
      `dn: cn=partners,ou=groups,${BASE}\nobjectClass: groupOfNames\ncn: partners\nmember: uid=alice,ou=people,${BASE}\n`;
    await using slapd = await Slapd.start({
      ldif: [personOf("alice", "of alice"), personOf("bob", "of bob"), personOf("carol", "of carol"), group].join("\n"),
    });
    const source = {
      type: "ldap",
      url: `ldap://127.0.0.1:${slapd.ports.ldap}`,
      startTls: true,
      ca: slapd.authorityFile,
      bindDn: SEARCHER.dn,
      bindPasswordFile: "search.pw",
      searchBase: `ou=people,${BASE}`,
      searchFilter: "(&(objectClass=inetOrgPerson)(uid={name}))",
      groupBase: `ou=groups,${BASE}`,
      groups: [{ dn: `cn=partners,ou=groups,${BASE}`, group: "partners" }],
      home: "homes/{name}",
      remember: 0,
      timeout: 1,
    };
    await using scene = await start([{ type: "file" }, source], {
      prepare: (folder) => Deno.writeTextFile(`${folder}/search.pw`, SEARCHER.password, { mode: 0o600 }),
      groups: { partners: { permissions: "elrw" } },
      acceptRisks: [],
    });
    const { server, folder, log } = scene;
    await using client = await connect(server);
    await client.login("ALICE", "of alice");
    await client.expect(200, "PBSZ 0");
    await client.expect(200, "PROT P");
    await client.store("/file", new TextEncoder().encode("whole"));
    assertEquals(await Deno.readTextFile(`${folder}/homes/alice/file`), "whole");
    for (let times = 0; times < 6; times++) {
      assertMatch(await tryLogin(server, "bob", "of bob"), /^230/);
      assertMatch(await tryLogin(server, "bob", "of alice"), /^530/);
      assertMatch(await tryLogin(server, "nobody", "of bob"), /^530/);
    }
    assertMatch(await tryLogin(server, "filip", "of the file"), /^230/);
    assertEquals(log, []);
    assertMatch(await tryLogin(server, "carol", "of carol"), /^530/);
    await eventually("carol", () => log.length > 0);
    assertEquals(log.splice(0), [
      `The account "carol" cannot log in: ${folder}/homes/carol cannot be opened: it does not exist`,
    ]);
    await slapd.stop();
    assertMatch(await tryLogin(server, "bob", "of bob"), /^421 Accounts cannot be checked now/);
    assertMatch(log.join("\n"), /^accounts\[1\]: The directory with the accounts cannot be asked: 127\.0\.0\.1:\d+: /);
  },
});
