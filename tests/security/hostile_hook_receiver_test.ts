/** Receivers of hooks that want to hold the server, fill its memory, or lead it elsewhere. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { keyOf, toMessage } from "../../lib/hooks/hook_message.ts";
import { type HookOutcome, HookReceiver } from "../../lib/hooks/hook_receiver.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { TestReceiver, TOKEN } from "../helpers/hook_receiver.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const EVENT = {
  event: "fileReceived",
  time: new Date(0),
  session: "1",
  remote: "127.0.0.1:1",
  command: "STOR",
  path: "/a",
  bytes: 1,
  seconds: 1,
} as const;
const MESSAGE = toMessage(EVENT, "node");

/** Sends one message to a receiver of raw bytes, which has so many milliseconds. */
async function sendTo(
  talk: (connection: Deno.TcpConn) => Promise<void>,
  timeoutMs: number,
): Promise<HookOutcome> {
  await using folder = await TemporaryFolder.create();
  const tokenFile = `${folder.path}/token`;
  await Deno.writeTextFile(tokenFile, TOKEN);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const talking = listener.accept().then(async (connection) => {
    await connection.read(new Uint8Array(65536));
    await talk(connection).catch(() => {}); // the server has had enough
    connection.close();
  });
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  using receiver = new HookReceiver({ url, tokenFile, timeout: timeoutMs / 1000 });
  const outcome = await receiver.send(MESSAGE, new AbortController().signal);
  listener.close();
  await talking.catch(() => {}); // nobody has come
  return outcome;
}

async function write(connection: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

const HEAD = "HTTP/1.1 200 OK\r\n";
const FOREVER = 1_000_000;

Deno.test("A receiver that answers byte for byte has no longer than the timeout", async () => {
  const startedAt = performance.now();
  const outcome = await sendTo(async (connection) => {
    for (let count = 0; count < FOREVER; count++) {
      await write(connection, HEAD[count] ?? "x");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }, 600);
  assertEquals(outcome, { kind: "refused", reason: "no answer within 0.6 s", isBusy: false });
  assert(performance.now() - startedAt < 10_000);
});

Deno.test("A receiver that floods with 1xx has no longer than the timeout", async () => {
  const outcome = await sendTo(async (connection) => {
    for (let count = 0; count < FOREVER; count++) {
      await write(connection, "HTTP/1.1 102 Processing\r\n\r\n".repeat(100));
    }
  }, 600);
  assert(outcome.kind !== "delivered");
});

Deno.test("A receiver with headers without end is refused, and fills no memory", async () => {
  const before = Deno.memoryUsage().rss;
  const outcome = await sendTo(async (connection) => {
    await write(connection, HEAD);
    for (let count = 0; count < FOREVER; count++) await write(connection, `X-${count}: ${"x".repeat(1000)}\r\n`);
  }, 5_000);
  assert(outcome.kind !== "delivered");
  assert(Deno.memoryUsage().rss - before < 100 * 2 ** 20);
});

Deno.test("A body without end is given up, whatever it was to say: the status has said it", async () => {
  const before = Deno.memoryUsage().rss;
  const outcome = await sendTo(async (connection) => {
    await write(connection, `${HEAD}content-length: 1000000000000\r\n\r\n`);
    for (let count = 0; count < FOREVER; count++) await write(connection, "x".repeat(65536));
  }, 5_000);
  assertEquals(outcome, { kind: "delivered" });
  assert(Deno.memoryUsage().rss - before < 100 * 2 ** 20);
});

Deno.test("No redirect is followed, so that a receiver leads the server nowhere", async () => {
  let calls = 0;
  await using elsewhere = new TestReceiver(() => {
    calls++;
    return new Response();
  });
  for (const status of [301, 302, 303, 307, 308]) {
    const outcome = await sendTo(async (connection) => {
      await write(connection, `HTTP/1.1 ${status} There\r\nlocation: ${elsewhere.url}\r\ncontent-length: 0\r\n\r\n`);
    }, 5_000);
    assertEquals(outcome, { kind: "refused", reason: `answered ${status}`, isBusy: false });
  }
  assertEquals(calls, 0);
});

Deno.test("A wait without end that a receiver asks for is an hour", async () => {
  const outcome = await sendTo(async (connection) => {
    await write(connection, "HTTP/1.1 429 Busy\r\nretry-after: 9999999999\r\ncontent-length: 0\r\n\r\n");
  }, 5_000);
  assertEquals(outcome, { kind: "refused", reason: "answered 429", isBusy: true, retryAfterMs: 3_600_000 });
});

Deno.test("A receiver whose certificate nobody vouches for is told nothing; with hooks.*.ca it is", async () => {
  await using folder = await TemporaryFolder.create();
  const tokenFile = `${folder.path}/token`;
  await Deno.writeTextFile(tokenFile, TOKEN);
  const { certificate, key } = await createEphemeralCertificate({ names: ["localhost", "127.0.0.1"] });
  await using https = new TestReceiver(() => new Response(), { cert: certificate, key } as never);
  const url = https.url.replace("http:", "https:");
  const { signal } = new AbortController();
  {
    using receiver = new HookReceiver({ url, tokenFile, timeout: 5 });
    assertEquals((await receiver.send(MESSAGE, signal)).kind, "unreachable");
    assertEquals(https.received, []);
  }
  using receiver = new HookReceiver({ url, tokenFile, timeout: 5 }, { ca: certificate });
  assertEquals(await receiver.send(MESSAGE, signal), { kind: "delivered" });
  assertEquals(https.received.length, 1);
});

Deno.test("Without its token nothing is sent, and no message has a byte of it", async () => {
  using receiver = new HookReceiver({ url: "http://127.0.0.1:9/", tokenFile: "/nowhere/token", timeout: 5 });
  const outcome = await receiver.send(MESSAGE, new AbortController().signal);
  assertMatch(outcome.kind === "unreachable" ? outcome.reason : "", /^cannot use \/nowhere\/token: /);
  const secret = `whsec_${btoa("short secret")}`;
  const message = (() => {
    try {
      return String(keyOf(secret));
    } catch (error) {
      return String(error);
    }
  })();
  assert(!message.includes("short") && !message.includes(secret.slice(6)));
});

Deno.test("A token on a disk that does not answer is not waited for longer than for a receiver", async () => {
  const { readTextFile } = Deno;
  using _restored = { [Symbol.dispose]: () => void (Deno.readTextFile = readTextFile) };
  Deno.readTextFile = () => Promise.withResolvers<string>().promise;
  using receiver = new HookReceiver({ url: "http://127.0.0.1:9/", tokenFile: "/mnt/token", timeout: 0.2 });
  const outcome = await receiver.send(MESSAGE, new AbortController().signal);
  assertEquals(outcome, { kind: "unreachable", reason: "cannot use /mnt/token: it does not answer" });
});
