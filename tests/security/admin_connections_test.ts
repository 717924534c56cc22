/** Peers of the admin and metrics listeners that want to hold the server: they need no token for that. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { HttpListener, type HttpListenerOptions } from "../../lib/admin/http_listener.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function listen(options: Partial<HttpListenerOptions> = {}): HttpListener {
  const listener = HttpListener.listen({ host: "127.0.0.1", port: 0 }, {
    answer: () => new Response("here"),
    onFailure: (message) => {
      throw new Error(`Nothing should have failed: ${message}`);
    },
    ...options,
  });
  return listener;
}

/** Sends bytes, and returns all that comes back until the end. */
async function say({ port }: HttpListener, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(encode(text)).catch(() => {}); // it has heard enough
  return await readAll(connection);
}

async function readAll(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let text = "";
  try {
    for (let size = await connection.read(buffer); size !== null; size = await connection.read(buffer)) {
      text += decoder.decode(buffer.subarray(0, size));
    }
  } catch {
    // It was reset, which ends it, too.
  }
  return text;
}

Deno.test("A peer that never finishes its request is cut, and so is one that asks for nothing", async () => {
  await using listener = listen({ requestMs: 200 });
  assertEquals(await say(listener, "GET / HTTP/1.1\r\nHost: localhost\r\nX: "), "");
  assertEquals(await say(listener, ""), "");
  const text = await say(listener, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assertMatch(text, /^HTTP\/1\.1 200 OK\r\n/);
});

Deno.test("A peer that never sends the body that it has announced is cut", async () => {
  await using listener = listen({ requestMs: 200, answer: async (request) => new Response(await request.text()) });
  const onFailure = () => {};
  await using other = listen({
    requestMs: 200,
    onFailure,
    answer: async (request) => new Response(await request.text()),
  });
  const head = (length: number) => `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;
  assertMatch(await say(listener, `${head(4)}here`), /here/);
  assertEquals(await say(other, `${head(5)}here`), "");
});

Deno.test("A peer that takes nothing of an answer without end is cut, and the answer is told", async () => {
  const cancelled = Promise.withResolvers<void>();
  const body = () =>
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65536)),
      cancel: () => cancelled.resolve(),
    });
  await using listener = listen({ writeMs: 200, answer: () => new Response(body()) });
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: listener.port });
  await connection.write(encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await cancelled.promise;
});

Deno.test("Connections that ask for nothing make room for others, however many they are", async () => {
  await using held = new AsyncDisposableStack();
  await using listener = listen({ maxConnections: 5 });
  const connect = async () => {
    const connection = held.use(await Deno.connect({ hostname: "127.0.0.1", port: listener.port }));
    await connection.write(encode("GET / HTTP/1.1\r\nHost: localhost\r\nX: "));
    return connection;
  };
  const first = await connect();
  for (let count = 0; count < 50; count++) await connect();
  const response = await fetch(`http://127.0.0.1:${listener.port}/`);
  assertEquals(await response.text(), "here");
  assertEquals(await readAll(first), "");
});

Deno.test("Answers that are under way keep their places", async () => {
  const going = Promise.withResolvers<void>();
  const bothBegun = Promise.withResolvers<void>();
  let begun = 0;
  await using listener = listen({
    maxConnections: 2,
    answer: async () => {
      if (++begun === 2) bothBegun.resolve();
      await going.promise;
      return new Response("late");
    },
  });
  const ask = () => fetch(`http://127.0.0.1:${listener.port}/`).then((response) => response.text(), () => "refused");
  const both = [ask(), ask()];
  await bothBegun.promise;
  assertEquals(await ask(), "refused");
  going.resolve();
  assertEquals(await Promise.all(both), ["late", "late"]);
});

Deno.test("Requests in one go are answered one after the other, and too many of them not at all", async () => {
  let [running, most] = [0, 0];
  await using listener = listen({
    answer: async ({ url }) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return new Response(new URL(url).pathname);
    },
  });
  const request = (path: number, more = "") => `GET /${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  const few = await say(listener, request(1) + request(2) + request(3, "Connection: close\r\n"));
  assertEquals([...few.matchAll(/^\/\d/gm)].map(([path]) => path), ["/1", "/2", "/3"]);
  const many = await say(listener, Array.from({ length: 400 }, (_, index) => request(index)).join(""));
  assert(many.length < 2000, `${many.length} bytes came back`);
  assertEquals(most, 1);
});

Deno.test("What is no request of a client of ours is refused without a line in the log", async () => {
  await using listener = listen();
  const of = (line: string, ...headers: string[]) => `${[line, ...headers, "Connection: close"].join("\r\n")}\r\n\r\n`;
  for (
    const text of [
      of("GET / HTTP/1.1", "Host: a b@@[::]x"),
      of("GET / HTTP/1.1", "Host: localhost@evil.example"),
      of("GET / HTTP/1.1", "Host: evil.example#@localhost"),
      of("GET / HTTP/1.1", "Host: localhost", "Host: evil.example"),
      of("GET http://127.0.0.1/ HTTP/1.1", "Host: evil.example"),
      of("TRACE / HTTP/1.1", "Host: localhost"),
      of("POST / HTTP/1.1", "Host: localhost", "Content-Length: 5", "Transfer-Encoding: chunked"),
      of("GET / HTTP/1.1", "Host: localhost", `X: ${"a".repeat(100_000)}`),
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\x16\x03\x01".padEnd(200, "x"),
    ]
  ) {
    assertMatch(await say(listener, text), /^(HTTP\/1\.1 400 |$)/, text.slice(0, 80));
  }
  for (const line of ["CONNECT a:1 HTTP/1.1", "GET / HTTP/1.1\r\nUpgrade: websocket"]) {
    assertEquals(await say(listener, of(line, "Host: localhost").replace("close", "upgrade")), "", line);
  }
  // A balancer asks like this.
  assertMatch(await say(listener, "GET /healthz HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 OK\r\n/);
});
