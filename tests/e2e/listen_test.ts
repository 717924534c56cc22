import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TestServer } from "../helpers/test_server.ts";

const HOST = "127.0.0.1";

function create(options: Partial<FtpServerOptions> = {}): FtpServer {
  const authorizer = new VirtualAuthorizer();
  authorizer.addAnonymous(MemoryFileSystem.of({ "/a.txt": "content" }));
  return new FtpServer({ authorizer, listen: [{ host: HOST, port: 0 }], ...options });
}

Deno.test("listen() takes a free port and tells it, and accepts at once", async () => {
  await using server = create();
  assertEquals(server.addresses, []);
  await server.listen();
  const [address] = server.addresses;
  assertEquals([address?.host, address?.tls], [HOST, "explicit"]);
  await using client = await RawClient.connect({ host: HOST, port: address?.port ?? 0 });
  assertEquals((await client.readReply()).text, "220 ftpsd ready.");
});

Deno.test("listen() rejects the second time", async () => {
  await using server = create();
  const first = server.listen();
  await assertRejects(() => server.listen(), TypeError, "Cannot listen: the server was started before");
  await first;
});

Deno.test("listen() rejects when a port is taken, and leaves none of the others open", async () => {
  using taken = Deno.listen({ hostname: HOST, port: 0 });
  const free = unusedPort();
  await using server = create({ listen: [{ host: HOST, port: free }, { host: HOST, port: taken.addr.port }] });
  assertEquals((await assertRejects(() => server.listen(), ConnectionError)).kind, "addressInUse");
  assertEquals(server.addresses, []);
  using _again = Deno.listen({ hostname: HOST, port: free });
});

Deno.test("One server listens on several addresses: explicit and implicit, IPv4 and IPv6", async () => {
  const events: string[] = [];
  await using server = create({
    listen: [{ host: HOST, port: 0 }, { host: HOST, port: 0, tls: "implicit" }, { host: "::1", port: 0 }],
    onEvent: (event) => {
      if (event.event === "listening") events.push(`${event.host} ${event.tls}`);
    },
  });
  await server.listen();
  assertEquals(events, [`${HOST} explicit`, `${HOST} implicit`, "::1 explicit"]);
  for (const { host, port, tls } of server.addresses) {
    await using client = await RawClient.connect({ host, port, ...tls === "implicit" ? { tls } : {} });
    await client.readReply();
    if (tls === "explicit") await client.startTls();
    await client.login();
    assertEquals(new TextDecoder().decode(await client.retrieve("/a.txt")), "content");
  }
});

Deno.test("FtpServer refuses implicit TLS where TLS is off, half a certificate, and no address at all", () => {
  const cases: readonly Partial<FtpServerOptions>[] = [
    {
      listen: [{ host: HOST, port: 0, tls: "implicit" }],
      tls: { policy: "off" },
      acceptRisks: ["clear-text-control", "clear-text-data"],
    },
    { tls: { certificate: "x" } },
    { tls: { key: "x" } },
    { listen: [] },
  ];
  for (const options of cases) assertThrows(() => create(options), TypeError, "Cannot use ");
});

Deno.test("Two servers in one process know nothing of each other", async () => {
  await using one = await TestServer.start();
  await using other = await TestServer.start();
  await using client = await one.login();
  await client.store("/a", new Uint8Array(3));
  await using stranger = await other.login();
  await stranger.expect(550, "MLST /a");
  assertEquals(other.events.some(({ event }) => event === "fileReceived") ? "told" : "silent", "silent");
});

Deno.test("A listener of events that throws disturbs nobody but is reported", async () => {
  const errors: string[] = [];
  await using server = create({
    onEvent: (event) => {
      if (event.event === "internalError") errors.push(event.message);
      if (event.event === "connected") throw new Error("oops");
    },
  });
  await server.listen();
  await using client = await RawClient.connect({ host: HOST, port: server.addresses[0]?.port ?? 0 });
  assertEquals((await client.readReply()).code, 220);
  assertEquals(errors, ["The listener for connected failed: Error: oops"]);
});

function unusedPort(): number {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  return listener.addr.port;
}

Deno.test("FtpServer refuses to listen on an address of the link, and says why", () => {
  for (const host of ["fe80::1%eth0", "fe80::1"]) {
    assertThrows(
      () => new FtpServer({ authorizer: new VirtualAuthorizer(), listen: [{ host, port: 0 }] }),
      RangeError,
      "not of a link (fe80::)",
    );
  }
});
