import { connect, type Socket } from "node:net";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { proxyBlock, proxyLine } from "../helpers/proxy_headers.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { PROTECTIONS, TestServer, type TestServerOptions } from "../helpers/test_server.ts";

const CLIENT = { host: "203.0.113.7", port: 50_000 };
const REACHED = { host: "198.51.100.1", port: 21 };
const CLIENT6 = { host: "2001:db8::7", port: 50_000 };
const REACHED6 = { host: "2001:db8:1::21", port: 21 };
const OTHER = { host: "203.0.113.8", port: 50_000 };

const LINE = proxyLine(CLIENT, REACHED);
const BLOCK = proxyBlock(CLIENT, REACHED);
const LOCAL_BLOCK = proxyBlock(CLIENT, REACHED, { command: 0x20 });

const CONTENT = crypto.getRandomValues(new Uint8Array(60_000));

function start(options: TestServerOptions = {}): Promise<TestServer> {
  return TestServer.start({ proxyProtocol: ["127.0.0.0/8", "::1"], ...options });
}

function refusals(server: TestServer): string[] {
  return server.events.flatMap((event) => event.event === "connectionRefused" ? [event.reason] : []);
}

const HEADERS = [
  ["version 1, IPv4", LINE],
  ["version 2, IPv4", BLOCK],
  ["version 1, IPv6", proxyLine(CLIENT6, REACHED6)],
  ["version 2, IPv6", proxyBlock(CLIENT6, REACHED6)],
] as const;

// First: the runtime's TLS client offers no TLS 1.2 session of its own any more once it has had TLS 1.3 ones in this process.
for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`Behind a balancer data connections resume the session of their control connection: ${version}`, async () => {
    const tls = { sessionReuse: "require", minVersion: version, maxVersion: version } as const;
    await using server = await start({ server: { tls } });
    await using client = await server.login({ preface: BLOCK });
    await client.expect(200, "TYPE I");
    await client.store("/file.bin", CONTENT);
    assertEquals(await client.retrieve("/file.bin"), CONTENT);
  });
}

for (const protection of PROTECTIONS) {
  for (const host of ["127.0.0.1", "::1"]) {
    Deno.test(`Behind a balancer clients upload, download and list: ${protection} over ${host}, each header`, async () => {
      await using server = await start({ protection, host });
      for (const [name, preface] of HEADERS) {
        await using client = await server.login({ preface });
        await client.expect(200, "TYPE I");
        await client.store("/file.bin", CONTENT);
        assertEquals(await client.retrieve("/file.bin"), CONTENT, name);
        assertMatch(await client.list("MLSD"), /file\.bin/);
        await client.expect(221, "QUIT");
      }
      const remotes = server.events.flatMap((event) => event.event === "connected" ? [event.remote] : []);
      const [ipv4, ipv6] = ["203.0.113.7:50000", "[2001:db8::7]:50000"];
      assertEquals(remotes, [ipv4, ipv4, ipv6, ipv6]);
      assertEquals(refusals(server), []);
    });
  }
}

Deno.test("PASV announces the balancer's address that the client has reached, unless settings name another", async () => {
  const cases = [
    [{}, "198,51,100,1"],
    [{ address: "192.0.2.1" }, "192,0,2,1"],
    [{ address: "192.0.2.1", addresses: { "198.51.100.1": "192.0.2.2" } }, "192,0,2,2"],
    [{ addresses: { "127.0.0.1": "192.0.2.3" } }, "198,51,100,1"],
  ] as const;
  for (const [passive, announced] of cases) {
    await using server = await start({ server: { passive } });
    await using client = await server.login({ preface: BLOCK });
    assert((await client.expect(227, "PASV")).text.includes(`(${announced},`), announced);
  }
});

Deno.test("PASV and EPSV go by the family that the client has reached the balancer by", async () => {
  await using server = await start();
  await using client = await server.login({ preface: proxyBlock(CLIENT6, REACHED6) });
  await client.expect(522, "PASV");
  await client.expect(229, "EPSV 2");
  await client.expect(522, "EPSV 1");
});

Deno.test("passive.announced tells clients other ports, one for one", async () => {
  const passive = { ports: "42500-42519", announced: "60000-60019" };
  await using server = await start({ server: { passive } });
  await using client = await server.login({ preface: BLOCK });
  for (let count = 0; count < 5; count++) {
    const port = Number(/\(\|\|\|(\d+)\|\)/.exec((await client.expect(229, "EPSV")).text)?.[1]);
    assert(port >= 60_000 && port <= 60_019, String(port));
    await using data = await client.dial(port - 17_500);
    await client.expect(150, "NLST");
    await data.secure();
    await data.readAll();
    assertEquals((await client.readReply()).code, 226);
  }
  const { text } = await client.expect(227, "PASV");
  const [high = 0, low = 0] = /,(\d+),(\d+)\)/.exec(text)?.slice(1).map(Number) ?? [];
  assert(high * 256 + low >= 60_000, text);
});

Deno.test("Limits and bans count the client's address, not that of the balancer", async () => {
  await using server = await start({
    server: { limits: { connectionsPerAddress: 1 }, ban: { failures: 2, window: 60, duration: 60 } },
  });
  await using first = await server.connect({ preface: BLOCK });
  const { host, port } = server;
  await using second = await RawClient.connect({ host, port, preface: LINE });
  assertEquals((await second.readReply()).code, 421);
  await using other = await server.connect({ preface: proxyBlock(OTHER, REACHED) });
  for (const _ of [1, 2]) {
    await other.expect(331, "USER user");
    await other.command("PASS wrong");
  }
  assertEquals((await server.event("banned")).address, OTHER.host);
  await first.expect(331, "USER user");
  await first.expect(230, "PASS 12345");
});

Deno.test("refuseConnection is asked about the client, and so are events and sessions", async () => {
  const asked: string[] = [];
  const refuseConnection = ({ host, port }: { readonly host: string; readonly port: number }) => {
    asked.push(`${host}:${port}`);
    return undefined;
  };
  await using server = await start({ server: { refuseConnection } });
  const uniqueId = new TextEncoder().encode("edge1-42");
  await using client = await server.login({ preface: proxyBlock(CLIENT, REACHED, { values: [[5, uniqueId]] }) });
  assertEquals(asked, ["203.0.113.7:50000"]);
  const connected = await server.event("connected");
  assertEquals([connected.remote, connected.uniqueId], ["203.0.113.7:50000", "edge1-42"]);
  assertEquals(connected.via, `127.0.0.1:${client.localPort}`);
  assertEquals(server.server.sessions.map(({ remote }) => remote), ["203.0.113.7:50000"]);
});

Deno.test("One server takes clients of a balancer on one port and direct ones on another, with passive ports each", async () => {
  const authorizer = new VirtualAuthorizer();
  authorizer.addAnonymous(MemoryFileSystem.of({ "/a.txt": "content" }));
  const host = "127.0.0.1";
  await using server = new FtpServer({
    authorizer,
    listen: [{ host, port: 0, proxyProtocol: ["127.0.0.1"] }, { host, port: 0 }],
    passive: { ports: "42520-42539" },
  });
  await server.listen();
  const [behind, direct] = server.addresses;
  const login = async (port = 0, preface?: Uint8Array) => {
    const client = await RawClient.connect({ host, port, ...preface && { preface } });
    await client.readReply();
    await client.startTls();
    await client.login();
    return client;
  };
  await using one = await login(behind?.port, BLOCK);
  await using other = await login(direct?.port);
  for (const client of [one, other, one, other]) {
    assertEquals(new TextDecoder().decode(await client.retrieve("/a.txt")), "content");
  }
});

Deno.test("In active mode the server dials the client by itself, from its own address", async () => {
  await using server = await start({ server: { active: { enabled: true } } });
  // A client on this host, as a balancer beside it sees it.
  const here = proxyBlock({ host: "127.0.0.1", port: 50_000 }, REACHED);
  await using client = await server.login({ preface: here });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const { port } = listener.addr;
  await client.expect(200, `PORT 127,0,0,1,${port >> 8},${port & 0xff}`);
  using connection = await accepted;
  assertEquals(connection.remoteAddr.hostname, "127.0.0.1");
  await client.expect(501, `PORT 198,51,100,1,${port >> 8},${port & 0xff}`);
});

/** What a balancer is told that only looks whether somebody is here. */
async function check(server: TestServer, header = LOCAL_BLOCK): Promise<string> {
  const socket = connect({ host: server.host, port: server.port });
  if (header.length === 0) socket.end();
  else socket.write(header);
  return await textOf(socket);
}

async function textOf(socket: Socket): Promise<string> {
  let text = "";
  for await (const bytes of socket) text += bytes;
  return text;
}

Deno.test("A balancer's checks are answered by 220 and leave no trace; so do connections without a byte", async () => {
  await using server = await start();
  for (const header of [LOCAL_BLOCK, new TextEncoder().encode("PROXY UNKNOWN\r\n")]) {
    assertEquals(await check(server, header), "220 ftpsd is here.\r\n");
  }
  const socket = connect({ host: server.host, port: server.port });
  await new Promise((resolve) => socket.once("connect", resolve));
  // As HAProxy checks by version 1: as a client that is at its own end of the connection.
  const { localPort = 0 } = socket;
  socket.write(proxyLine({ host: "127.0.0.1", port: localPort }, { host: server.host, port: server.port }));
  assertEquals(await textOf(socket), "220 ftpsd is here.\r\n");
  assertEquals(await check(server, new Uint8Array()), "");
  await using client = await server.connect({ preface: BLOCK });
  await client.expect(221, "QUIT");
  await server.event("disconnected");
  assertEquals(server.events.map(({ event }) => event), ["listening", "connected", "secured", "disconnected"]);
});

Deno.test("A server whose state is away tells balancers 421, as long as that is so", async () => {
  let isAvailable = true;
  await using server = await start({ parts: { isAvailable: () => isAvailable } });
  assertEquals(await check(server), "220 ftpsd is here.\r\n");
  isAvailable = false;
  assertEquals(await check(server), "421 Service not available, try again later.\r\n");
  isAvailable = true;
  assertEquals(await check(server), "220 ftpsd is here.\r\n");
});

Deno.test("A server that is to stop tells balancers 421 first, and serves who comes meanwhile", async () => {
  await using server = await start();
  await using before = await server.login({ preface: BLOCK });
  const stopped = server.server.shutdown({ drainMs: 60_000, graceMs: 60_000 });
  assertEquals(await check(server), "421 Service is stopping.\r\n");
  await using after = await server.login({ preface: BLOCK });
  for (const client of [before, after]) await client.expect(200, "TYPE I");
  await using data = await after.passive();
  await after.expect(150, "STOR /file.bin");
  await data.secure();
  const shorter = server.server.shutdown({ graceMs: 60_000 });
  assertEquals((await before.readReply()).text, "421 Service is stopping.");
  await data.finish();
  assertEquals([(await after.readReply()).code, (await after.readReply()).code], [226, 421]);
  await Promise.all([stopped, shorter]);
});

Deno.test("A server that is to stop does so when balancers have had their time, or its signal aborts", async () => {
  for (const drainMs of [50, 60_000]) {
    const stop = new AbortController();
    await using server = await start({ server: { signal: stop.signal } });
    await using client = await server.login({ preface: BLOCK });
    const stopped = server.server.shutdown({ drainMs });
    await client.expect(200, "TYPE I");
    if (drainMs > 1000) stop.abort();
    assertEquals((await client.readReply()).text, "421 Service is stopping.");
    await stopped;
  }
});

Deno.test("A server that drains refuses balancers at once, while a transfer goes on to its end", async () => {
  await using server = await start({ server: { transfer: { bandwidth: { download: 200_000 } } } });
  await using client = await server.login({ preface: BLOCK });
  await client.expect(200, "TYPE I");
  await client.store("/file.bin", CONTENT);
  await using data = await client.passive();
  await client.expect(150, "RETR /file.bin");
  await data.secure();
  // One whose header has not come is no client yet.
  const waiting = connect({ host: server.host, port: server.port });
  await new Promise((resolve) => waiting.once("connect", resolve));
  waiting.on("error", () => {});
  const left = new Promise((resolve) => waiting.once("close", resolve).resume());
  const stopped = server.server.shutdown({ graceMs: 10_000 });
  await left;
  await assertRejects(
    () => RawClient.connect({ host: server.host, port: server.port, preface: BLOCK }),
    Error,
    "REFUSED",
  );
  assertEquals((await data.readAll()).length, CONTENT.length);
  assertEquals((await client.readReply()).code, 226);
  await stopped;
});
