import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { serve } from "../../lib/serve/serve.ts";
import { TestReceiver, TOKEN } from "../helpers/hook_receiver.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const PASSWORD = "correct horse";

/** A folder with a token and a home, and the configuration of a server with hooks. */
async function prepare(folder: string, hooks: Readonly<Record<string, unknown>>, more = {}) {
  await Deno.mkdir(`${folder}/home`);
  await Deno.writeTextFile(`${folder}/token`, TOKEN, { mode: 0o600 });
  return {
    listen: [{ port: 0 }],
    hooks: { queue: `${folder}/hooks.db`, ...hooks },
    users: [{ name: "alice", password: PASSWORD, home: `${folder}/home`, permissions: "elradfmwMT" }],
    timeouts: { failedLogin: 0 },
    acceptRisks: ["plaintext-password", "clear-text-hook"].map((risk) => ({ risk, reason: "a test" })),
    ...more,
  };
}

async function login({ addresses }: { readonly addresses: readonly { readonly port: number }[] }): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port: addresses[0]?.port ?? 0 });
  await client.readReply();
  await client.startTls();
  await client.login("alice", PASSWORD);
  await client.expect(200, "TYPE I");
  return client;
}

Deno.test("Hooks are told of each event that they are for, from two event loops, before the client gets 226", async () => {
  await using folder = await TemporaryFolder.create();
  await using receiver = new TestReceiver();
  const hook = { url: receiver.url, tokenFile: `${folder.path}/token` };
  const configuration = await prepare(
    folder.path,
    { fileReceived: hook, loginSucceeded: hook, loginFailed: hook, transferIncomplete: hook },
    { workers: 2, metrics: { port: 0 }, state: { node: "n1" } },
  );
  await using server = await serve({ configuration });
  for (let count = 1; count <= 8; count++) {
    await using client = await login(server);
    await client.store("/file", new Uint8Array(count));
    await client.retrieve("/file");
    if (count === 8) {
      await using cut = await client.passive();
      await client.expect(150, "STOR /cut");
      await cut.secure();
      await cut.write(new Uint8Array(3));
      await cut.reset();
      assertEquals((await client.readReply()).code, 426);
    }
    await client.expect(221, "QUIT");
  }
  await receiver.until((all) => all.length >= 8 + 8 + 1);
  const files = receiver.received.filter(({ event }) => event === "fileReceived");
  assertEquals(files.map(({ body }) => body.bytes), [1, 2, 3, 4, 5, 6, 7, 8]);
  const { id, time, session, remote, seconds, ...rest } = files[0]?.body ?? {};
  const expected = { version: 1, event: "fileReceived", node: "n1", username: "alice", command: "STOR", path: "/file" };
  assertEquals(rest, { ...expected, bytes: 1 });
  assert([id, time, session, remote, seconds].every((field) => field !== undefined));
  const cut = receiver.received.find(({ event }) => event === "transferIncomplete");
  assertEquals([cut?.path, cut?.body.command], ["/cut", "STOR"]);
  assertEquals(receiver.wrong, []);
  const metrics = await (await fetch(`http://127.0.0.1:${server.metrics?.port}/metrics`)).text();
  assertStringIncludes(metrics, 'ftpsd_hook_events_total{hook="fileReceived",result="delivered"} 8');
  assertStringIncludes(metrics, "ftpsd_hook_events_waiting 0");
});

Deno.test("An event that is refused comes again with its id, before others of its path, and holds no other path up", async () => {
  await using folder = await TemporaryFolder.create();
  let refusals = 0;
  await using receiver = new TestReceiver(({ path }) =>
    path === "/slow" && refusals++ < 1
      ? new Response("later", { status: 503, headers: { "retry-after": "1" } })
      : new Response()
  );
  const configuration = await prepare(folder.path, {
    fileReceived: { url: receiver.url, tokenFile: `${folder.path}/token` },
  });
  await using server = await serve({ configuration });
  await using client = await login(server);
  await client.store("/slow", new Uint8Array(1));
  await client.store("/slow", new Uint8Array(2));
  await client.store("/other", new Uint8Array(3));
  await receiver.until((all) => all.length >= 4);
  const told = receiver.received.map(({ path, body }) => `${path} ${body.bytes}`);
  assertEquals(told.filter((text) => text.startsWith("/slow")), ["/slow 1", "/slow 1", "/slow 2"]);
  assert(told.indexOf("/other 3") < told.lastIndexOf("/slow 1"), told.join());
  const ids = receiver.received.filter(({ body }) => body.bytes === 1).map(({ id }) => id);
  assertEquals(new Set(ids).size, 1);
});

Deno.test("Without room in the queue an upload gets 451, unless it need not wait, and the log has each event", async () => {
  await using folder = await TemporaryFolder.create();
  const url = "http://127.0.0.1:9/"; // nobody is there
  const hook = { url, tokenFile: `${folder.path}/token` };
  const configuration = await prepare(folder.path, { fileReceived: hook, maxWaiting: 2 });
  const remarks: string[] = [];
  const current = { configuration };
  await using server = await serve(() => current, { onRemark: ({ level, text }) => remarks.push(`${level} ${text}`) });
  await using client = await login(server);
  await client.store("/1", new Uint8Array(1));
  await client.store("/2", new Uint8Array(1));
  await using data = await client.passive();
  await client.expect(150, "STOR /3");
  await data.secure();
  await data.finish();
  assertEquals((await client.readReply("STOR")).code, 451);
  const lost = () => remarks.filter((text) => text.startsWith("error hook fileReceived: 2 events wait already"));
  assertEquals(lost().map((text) => text.includes('"path":"/3"')), [true]);
  current.configuration = {
    ...configuration,
    hooks: { queue: configuration.hooks.queue, fileReceived: { ...hook, required: false }, maxWaiting: 2 } as never,
  };
  await server.reload();
  await client.store("/4", new Uint8Array(1));
  assertEquals(lost().map((text) => text.includes('"path":"/4"')), [false, true]);
});

Deno.test("Failed logins, however many, take no room from files", async () => {
  await using folder = await TemporaryFolder.create();
  const hook = { url: "http://127.0.0.1:9/", tokenFile: `${folder.path}/token` }; // nobody is there
  const configuration = await prepare(
    folder.path,
    { fileReceived: hook, loginFailed: hook, maxWaiting: 2 },
    { ban: { failures: 0 } },
  );
  const remarks: string[] = [];
  await using server = await serve({ configuration }, { onRemark: ({ text }) => void remarks.push(text) });
  await using client = await login(server);
  for (let count = 0; count < 3; count++) {
    await using stranger = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
    await stranger.readReply();
    await stranger.startTls();
    await stranger.expect(331, "USER alice");
    await stranger.expect(530, "PASS wrong");
  }
  assert(
    remarks.some((text) => text.startsWith("hook loginFailed: 2 events wait already (hooks.maxWaiting)")),
    remarks.join(),
  );
  await client.store("/1", new Uint8Array(1));
});

Deno.test("What waits outlives a restart and a reload, and goes to where the hook leads then", async () => {
  await using folder = await TemporaryFolder.create();
  await using receiver = new TestReceiver();
  const hookTo = (url: string) => ({ fileReceived: { url, tokenFile: `${folder.path}/token` } });
  const configuration = await prepare(folder.path, hookTo("http://127.0.0.1:9/"));
  const remarks: string[] = [];
  {
    await using server = await serve({ configuration });
    await using client = await login(server);
    await client.store("/before", new Uint8Array(1));
  }
  const current: { configuration: Record<string, unknown> } = { configuration };
  await using server = await serve(() => current, { onRemark: ({ text }) => remarks.push(text) });
  await using client = await login(server);
  await client.store("/after", new Uint8Array(1));
  const { hooks: _, ...none } = configuration;
  current.configuration = none;
  await server.reload();
  await client.store("/nobody", new Uint8Array(1));
  assert(remarks.includes("2 events wait for hooks that are not in the configuration"), remarks.join("\n"));
  current.configuration = { ...configuration, hooks: { queue: configuration.hooks.queue, ...hookTo(receiver.url) } };
  await server.reload();
  await receiver.until((all) => all.length >= 2);
  // Between paths there is no order.
  assertEquals(receiver.received.map(({ path }) => path).sort(), ["/after", "/before"]);
});

Deno.test("The first hook waits for a restart, and a queue that another server has is refused at the start", async () => {
  await using folder = await TemporaryFolder.create();
  await using receiver = new TestReceiver();
  const configuration = await prepare(folder.path, {
    fileReceived: { url: receiver.url, tokenFile: `${folder.path}/token` },
  });
  const { hooks: _, ...none } = configuration;
  const current: { configuration: Record<string, unknown> } = { configuration: none };
  const remarks: string[] = [];
  await using server = await serve(() => current, { onRemark: ({ text }) => remarks.push(text) });
  current.configuration = configuration;
  await server.reload();
  assertEquals(remarks.filter((text) => text.startsWith("hooks: ")), [
    "hooks: the change needs a restart; until then all stays as it was",
  ]);
  await using _first = await serve({ configuration });
  const refused = await serve({ configuration }).then(() => "", (error) => error.message);
  assertStringIncludes(refused, "as the queue of hooks: another server uses it (hooks.queue)");
});
