import { assertEquals } from "@std/assert";
import type { RefuseConnection } from "../../lib/server/acceptor.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { type Protection, TestServer } from "../helpers/test_server.ts";

function start(refuseConnection: RefuseConnection, protection: Protection = "explicit"): Promise<TestServer> {
  return TestServer.start({ protection, server: { refuseConnection, timeouts: { login: 0.2 } } });
}

function connect({ host, port }: TestServer): Promise<RawClient> {
  return RawClient.connect({ host, port });
}

Deno.test("refuseConnection is told who connects where, and undefined lets the client in", async () => {
  const told: unknown[] = [];
  await using server = await start(({ signal: _signal, ...client }) => {
    told.push(client);
    return undefined;
  });
  await using client = await connect(server);
  assertEquals((await client.readReply()).code, 220);
  const listener = { host: "127.0.0.1", port: server.port, tls: "explicit" };
  assertEquals(told, [{ host: "127.0.0.1", port: client.localPort, listener }]);
});

Deno.test("refuseConnection refuses with 421 and its text, and the event tells it", async () => {
  await using server = await start(() => Promise.resolve("Not from there."));
  await using client = await connect(server);
  assertEquals((await client.readReply()).text, "421 Not from there.");
  await client.closed();
  assertEquals((await server.event("connectionRefused")).reason, "Not from there.");
});

Deno.test("refuseConnection refuses without a word where TLS is implicit", async () => {
  await using server = await start(() => "Not from there.", "implicit");
  await using client = await connect(server);
  assertEquals(await client.closed(), "end");
});

Deno.test("Garbage in place of an implicit handshake, come before its time, ends the client alone", async () => {
  const held = Promise.withResolvers<undefined>();
  await using server = await start(() => held.promise, "implicit");
  await using client = await connect(server);
  await client.send("GET / HTTP/1.0\r\n\r\n");
  await new Promise((resolve) => setTimeout(resolve, 20)); // as long as another event loop may be asked for a place
  held.resolve(undefined);
  await client.closed();
  await using other = await server.login();
  await other.expect(200, "NOOP");
});

Deno.test("A client is refused when refuseConnection does not answer in time", async () => {
  await using server = await start(() => new Promise(() => {}));
  await using client = await connect(server);
  assertEquals((await client.readReply()).text, "421 Service not available.");
});

Deno.test("A client is refused when refuseConnection fails, which is an internal error", async () => {
  const server = await start(() => Promise.reject(new Error("down")));
  await using client = await connect(server);
  assertEquals((await client.readReply()).text, "421 Service not available.");
  assertEquals((await server.event("internalError")).message, "refuseConnection failed: Error: down");
  await server.server.shutdown();
});

Deno.test("shutdown() does not wait for refuseConnection", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = await TestServer.start({
    server: {
      refuseConnection: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    },
  });
  await using client = await connect(server);
  await asked.promise;
  await server.server.shutdown();
  assertEquals((await client.readReply()).code, 421);
});
