import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ConfiguredServer } from "../../lib/serve/configured_server.ts";
import type { ServerPlan } from "../../lib/serve/worker_messages.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { describeCertificate } from "../../lib/transport/tls_context.ts";
import { proxyBlock } from "../helpers/proxy_headers.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

/** A server whose other event loops cannot start. */
async function createLame(
  home: string,
  options: { readonly mayServeAlone: boolean; readonly events?: ServerEvent[] },
): Promise<ConfiguredServer> {
  const text = `listen: [{ port: 0 }]\nanonymous: { home: '${home}' }\n`;
  const configuration = readConfiguration(text, { file: "ftpsd.yaml", resolve: (path) => path });
  const { mayServeAlone, events = [] } = options;
  const workerProgram = new URL("data:application/javascript,throw new Error('no')");
  return await ConfiguredServer.create({ configuration, files: {} }, {
    ...{ workers: 3, mayServeAlone, workerProgram, dialogue: false },
    onEvent: (event) => events.push(event),
  });
}

Deno.test("ConfiguredServer serves alone when no other event loop can start, and tells it", async () => {
  await using folder = await TemporaryFolder.create();
  const events: ServerEvent[] = [];
  const server = await createLame(folder.path, { mayServeAlone: true, events });
  await server.listen();
  const told = events.find(({ event }) => event === "internalError");
  assertMatch(
    told?.event === "internalError" ? told.message : "",
    /^Only one event loop serves\. A worker has failed: /,
  );
  assertEquals(server.workers, 1);
  await using client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
  assertEquals((await client.readReply()).code, 220);
  await server.shutdown();
  await server.finished;
});

Deno.test("ConfiguredServer does not start without the event loops that were asked for", async () => {
  await using folder = await TemporaryFolder.create();
  await assertRejects(() => createLame(folder.path, { mayServeAlone: false }), Error, "A worker has failed");
});

/** Serves with a worker that is told to start, and answers as given. */
async function createWith(home: string, answer: string, events: ServerEvent[] = []): Promise<ConfiguredServer> {
  const workerProgram = new URL(`data:application/javascript,${
    encodeURIComponent(`
      onmessage = ({ data }) => { if (data.kind === "start") postMessage(${answer}); };
      postMessage({ kind: "ready" });
    `)
  }`);
  return await ConfiguredServer.create(planOf(home, "Here."), {
    ...{ workers: 2, dialogue: false, workerProgram },
    onEvent: (event) => events.push(event),
  });
}

Deno.test("ConfiguredServer goes on alone when clients have taken the descriptors that another event loop needs", async () => {
  await using folder = await TemporaryFolder.create();
  const events: ServerEvent[] = [];
  const server = await createWith(folder.path, '{ kind: "failed", reason: "EMFILE", lacksDescriptors: true }', events);
  await server.listen();
  assertEquals(server.workers, 1);
  assertEquals(events.filter(({ event }) => event === "internalError").length, 1);
  assertEquals(await greetings(server), ["220 Here."]);
  await server.reconfigure(planOf(folder.path, "Still here."));
  assertEquals(await greetings(server), ["220 Still here."]);
  await server.shutdown();
  await server.finished;
});

Deno.test("ConfiguredServer does not start when another event loop cannot listen", async () => {
  await using folder = await TemporaryFolder.create();
  const server = await createWith(folder.path, '{ kind: "failed", reason: "no port" }');
  await assertRejects(() => server.listen(), Error, "A worker has failed: no port");
  await server.shutdown();
});

Deno.test("ConfiguredServer loads the program of the other event loops before it listens", async () => {
  await using folder = await TemporaryFolder.create();
  const server = await createLame(folder.path, { mayServeAlone: true });
  assertEquals(server.workers, 1);
  assertEquals(server.addresses, []);
  await server.shutdown();
});

const PAIR = await createEphemeralCertificate({ names: ["127.0.0.1"] });
const OTHER = await createEphemeralCertificate({ names: ["127.0.0.1"] });

function planOf(home: string, banner: string): ServerPlan {
  const text = `banner: ${banner}\nlisten: [{ port: 0 }]\nanonymous: { home: '${home}' }\n`;
  const configuration = readConfiguration(text, { file: "ftpsd.yaml", resolve: (path) => path });
  return { configuration, files: { certificate: PAIR } };
}

/** Greetings of enough clients to meet two event loops. */
async function greetings(server: ConfiguredServer): Promise<string[]> {
  const seen = new Set<string>();
  for (let times = 0; times < 24; times++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
    seen.add((await client.readReply()).text);
  }
  return [...seen];
}

/** A worker that serves nobody, and answers to a change as it is told. */
function obstinateWorker(answer: "refuses" | "is silent"): URL {
  const problem = answer === "refuses" ? `postMessage({ kind: "changed", id: data.id, problem: "I will not" })` : "";
  return new URL(`data:application/javascript,${
    encodeURIComponent(`
      onmessage = ({ data }) => {
        if (data.kind === "start") postMessage({ kind: "started" });
        if (data.kind === "prepare") { ${problem} }
        if (data.kind === "commit") throw new Error("It had not agreed");
        if (data.kind === "shutdown") postMessage({ kind: "finished" });
      };
      postMessage({ kind: "ready" });
    `)
  }`);
}

for (const [answer, reason] of [["refuses", /I will not/], ["is silent", /does not answer in time/]] as const) {
  Deno.test(`ConfiguredServer changes in no event loop when one ${answer}`, async () => {
    await using folder = await TemporaryFolder.create();
    const plan = planOf(folder.path, "Before.");
    const server = await ConfiguredServer.create(plan, {
      ...{ workers: 2, dialogue: false, workerProgram: obstinateWorker(answer), changeTimeoutMs: 200 },
      onEvent: () => {},
    });
    await server.listen();
    await assertRejects(
      () => server.reconfigure(planOf(folder.path, "After.")),
      Error,
      "Not every event loop can change",
    );
    const error = await assertRejects(() => server.replaceCertificate(OTHER), Error);
    assertMatch(error.message, reason);
    assertEquals(await greetings(server), ["220 Before."]);
    assertEquals(server.certificate?.fingerprint, describeCertificate(PAIR).fingerprint);
    await server.shutdown();
    await server.finished;
  });
}

Deno.test("ConfiguredServer changes in all event loops or in none, one change after the other", async () => {
  await using folder = await TemporaryFolder.create();
  const events: ServerEvent[] = [];
  const server = await ConfiguredServer.create(planOf(folder.path, "Before."), {
    ...{ workers: 2, dialogue: false },
    onEvent: (event) => events.push(event),
  });
  await server.listen();
  const unusable = { ...planOf(folder.path, "Never."), files: { certificate: { ...PAIR, key: OTHER.key } } };
  await assertRejects(() => server.reconfigure(unusable), TypeError, "key is not that of the certificate");
  assertEquals(await greetings(server), ["220 Before."]);
  // What is asked for at once happens in order.
  await Promise.all([
    server.reconfigure(planOf(folder.path, "Between.")),
    assertRejects(() => server.reconfigure(unusable), TypeError),
    server.reconfigure(planOf(folder.path, "After.")),
  ]);
  assertEquals(await greetings(server), ["220 After."]);
  await server.shutdown();
  await server.finished;
  assertEquals(events.filter(({ event }) => event === "internalError"), []);
});

Deno.test("ConfiguredServer has all event loops believe balancers, and nobody else", async () => {
  await using folder = await TemporaryFolder.create();
  const text = `listen: [{ port: 0, proxyProtocol: [127.0.0.1] }]\nanonymous: { home: '${folder.path}' }\n`;
  const configuration = readConfiguration(text, { file: "ftpsd.yaml", resolve: (path) => path });
  const events: ServerEvent[] = [];
  const server = await ConfiguredServer.create({ configuration, files: {} }, {
    ...{ workers: 2, dialogue: false },
    onEvent: (event) => void events.push(event),
  });
  await server.listen();
  const { host = "", port = 0 } = server.addresses[0] ?? {};
  const preface = proxyBlock({ host: "203.0.113.7", port: 50_000 }, { host: "198.51.100.1", port: 21 });
  const loops = new Set<string | undefined>();
  // The system deals connections to the event loops.
  for (let count = 0; count < 40; count++) {
    await using client = await RawClient.connect({ host, port, preface });
    assertEquals((await client.readReply()).code, 220);
    await using direct = await RawClient.connect({ host, port });
    await direct.send("USER anonymous\r\n").catch(() => {});
    await direct.closed();
  }
  await server.shutdown();
  await server.finished;
  for (const event of events) {
    if (event.event !== "connected") continue;
    assertEquals(event.remote, "203.0.113.7:50000");
    loops.add(event.session.split("-")[0]);
  }
  assertEquals(loops.size, Deno.build.os === "linux" ? 2 : 1);
  assertEquals(events.filter(({ event }) => event === "connectionRefused").length, 40);
});
