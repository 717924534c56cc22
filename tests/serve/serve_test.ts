import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { ServerEvent } from "../../lib/events.ts";
import { serve } from "../../lib/serve/serve.ts";
import { UnusableConfigurationError } from "../../lib/serve/serve_settings.ts";

import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const PASSWORD = "correct horse";

function configurationOf(home: string, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    listen: [{ port: 0 }],
    workers: 2,
    users: [{ name: "alice", password: PASSWORD, home, permissions: "elradfmwMT" }],
    acceptRisks: [{ risk: "plaintext-password", reason: "a test" }],
    ...changes,
  };
}

async function login(port: number): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port });
  await client.readReply();
  await client.startTls();
  await client.login("alice", PASSWORD);
  return client;
}

/** Greetings of enough clients to meet two event loops. */
async function greetings(port: number): Promise<string[]> {
  const seen = new Set<string>();
  for (let times = 0; times < 24; times++) {
    await using client = await RawClient.connect({ host: "127.0.0.1", port });
    seen.add((await client.readReply()).text);
  }
  return [...seen];
}

Deno.test("serve() serves in two event loops, reloads without dropping a session, and stops", async () => {
  await using folder = await TemporaryFolder.create();
  const file = `${folder.path}/ftpsd.yaml`;
  await Deno.mkdir(`${folder.path}/home`);
  const write = (banner: string) =>
    Deno.writeTextFile(file, JSON.stringify({ ...configurationOf("home"), banner }), { mode: 0o600 });
  await write("Before.");
  const events: ServerEvent[] = [];
  const remarks: string[] = [];
  const server = await serve({ file }, {
    onEvent: (event) => void events.push(event),
    onRemark: ({ text }) => void remarks.push(text),
  });
  assertEquals(server.workers, 2);
  const port = server.addresses[0]?.port ?? 0;
  await using client = await login(port);
  await client.store("/file", new TextEncoder().encode("whole"));
  assertEquals(await Deno.readTextFile(`${folder.path}/home/file`), "whole");
  assertEquals((await server.sessions()).map(({ username }) => username), ["alice"]);
  assertEquals(await greetings(port), ["220 Before."]);

  await write("After.");
  await server.reload();
  assertEquals(await greetings(port), ["220 After."]);
  await client.expect(200, "NOOP");

  await Deno.writeTextFile(file, "banner: 5\nlisten: nowhere\n");
  const error = await assertRejects(() => server.reload(), UnusableConfigurationError);
  assertEquals(error.reasons.length, 2);
  assertMatch(error.reasons[0] ?? "", /ftpsd\.yaml:1: banner: /);
  assertEquals(await greetings(port), ["220 After."]);

  await server.shutdown();
  await server.finished;
  assertEquals(events.filter(({ event }) => event === "fileReceived").length, 1);
  assertEquals(events.at(-1)?.event, "stopped");
  assert(remarks.includes("configuration reloaded"), remarks.join("\n"));
  assert(remarks.some((text) => text.startsWith("risk plaintext-password accepted: ")), remarks.join("\n"));
});

Deno.test("serve() asks a function again at each reload, and uses an object with relative paths", async () => {
  await using folder = await TemporaryFolder.create();
  let banner = "One.";
  await using server = await serve(() => ({
    configuration: configurationOf(".", { workers: 1, banner }),
    folder: folder.path,
  }));
  const port = server.addresses[0]?.port ?? 0;
  assertEquals(await greetings(port), ["220 One."]);
  banner = "Two.";
  await server.reload();
  assertEquals(await greetings(port), ["220 Two."]);
  await using client = await login(port);
  await client.store("/file", new Uint8Array(3));
  assertEquals((await Deno.stat(`${folder.path}/file`)).size, 3);
});

Deno.test("serve() refuses what is wrong or unsafe, with each reason", async () => {
  await using folder = await TemporaryFolder.create();
  const unsafe = configurationOf(folder.path, { acceptRisks: [] });
  const risk = await assertRejects(() => serve({ configuration: unsafe }), UnusableConfigurationError);
  assertMatch(risk.message, /\(risk plaintext-password\)/);
  const wrong = await assertRejects(() => serve({ text: "port: 1\nbaner: hi\n" }), UnusableConfigurationError);
  assertEquals(wrong.reasons.length, 2);
});

Deno.test("serve() releases everything when it cannot listen, or when its signal aborts", async () => {
  await using folder = await TemporaryFolder.create();
  const log = { transfers: `${folder.path}/xferlog` };
  const home = `${folder.path}/home`;
  await Deno.mkdir(home);
  const configuration = configurationOf(home, { workers: 1, log });
  const stopping = new AbortController();
  await using server = await serve({ configuration }, { signal: stopping.signal });
  const { port } = server.addresses[0] ?? { port: 0 };
  await assertRejects(() => serve({ configuration: { ...configuration, listen: [{ port }] } }), Error);
  stopping.abort();
  await server.finished;
  await assertRejects(() => serve({ configuration }, { signal: stopping.signal }), DOMException);
  const leaving = new AbortController();
  const settings = () => {
    leaving.abort(new Error("left while it was read"));
    return { configuration };
  };
  await assertRejects(() => serve(settings, { signal: leaving.signal }), Error, "left while it was read");
});

Deno.test("serve() takes over a certificate that is replaced on reload", async () => {
  await using folder = await TemporaryFolder.create();
  const files = { certificate: `${folder.path}/server.crt`, key: `${folder.path}/server.key` };
  const install = async () => {
    const pair = await createEphemeralCertificate({ names: ["127.0.0.1"] });
    await Deno.writeTextFile(files.certificate, pair.certificate);
    await Deno.writeTextFile(files.key, pair.key, { mode: 0o600 });
  };
  await install();
  const home = `${folder.path}/home`;
  await Deno.mkdir(home);
  await using server = await serve({ configuration: configurationOf(home, { workers: 1, tls: files }) });
  const before = server.certificate?.fingerprint;
  await install();
  await server.reload();
  assert(before !== undefined && server.certificate?.fingerprint !== before);
});

for (const workers of [1, 2]) {
  Deno.test(`serve() goes on when its listener throws or rejects, with workers: ${workers}`, async () => {
    await using folder = await TemporaryFolder.create();
    const failures: string[] = [];
    const server = await serve({ configuration: configurationOf(folder.path, { workers }) }, {
      onEvent: (event) => {
        if (event.event === "internalError") failures.push(event.message);
        if (event.event === "disconnected") return Promise.reject(new Error("late"));
        throw new Error("at once");
      },
    });
    assertEquals(await greetings(server.addresses[0]?.port ?? 0), ["220 ftpsd ready."]);
    await server.shutdown();
    await server.finished;
    for (const name of ["connected", "disconnected", "stopped"]) {
      assert(failures.some((text) => text.startsWith(`The listener for ${name} failed: `)), name);
    }
  });
}
