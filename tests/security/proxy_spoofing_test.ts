import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { proxyBlock, proxyLine, SIGNATURE } from "../helpers/proxy_headers.ts";
import { TestServer, type TestServerOptions } from "../helpers/test_server.ts";

const CLIENT = { host: "203.0.113.7", port: 50_000 };
const REACHED = { host: "198.51.100.1", port: 21 };
const VICTIM = { host: "203.0.113.99", port: 50_000 };
const BLOCK = proxyBlock(CLIENT, REACHED);
const encode = (text: string) => new TextEncoder().encode(text);

function start(options: TestServerOptions = {}): Promise<TestServer> {
  return TestServer.start({ proxyProtocol: ["127.0.0.1"], ...options });
}

/** What the server says to these pieces until it closes. */
async function answerTo(server: TestServer, ...pieces: readonly Uint8Array[]): Promise<string> {
  const socket = connect({ host: server.host, port: server.port, noDelay: true });
  let text = "";
  socket.on("data", (bytes: Uint8Array) => text += new TextDecoder().decode(bytes));
  socket.on("error", () => {}); // a reset is an end, too
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await closed;
  return text;
}

function reasons(server: TestServer): string[] {
  return server.events.flatMap((event) => event.event === "connectionRefused" ? [event.reason] : []);
}

function assertNobodyConnected(server: TestServer): void {
  assertEquals(server.events.filter(({ event }) => event === "connected"), []);
}

Deno.test("A header from an address that is not trusted is not obeyed: the connection is closed without a word", async () => {
  await using server = await start({ proxyProtocol: ["192.0.2.0/24"] });
  for (const header of [BLOCK, proxyLine(CLIENT, REACHED), encode("USER user\r\n")]) {
    assertEquals(await answerTo(server, header), "");
  }
  assertEquals(reasons(server), new Array(3).fill("its address is not one of proxyProtocol"));
  const [refusal] = server.events.filter(({ event }) => event === "connectionRefused");
  assertMatch(JSON.stringify(refusal), /"remote":"127\.0\.0\.1:/);
  assertNobodyConnected(server);
});

Deno.test("A client that comes to the port of a balancer by itself is refused, in clear and over TLS", async () => {
  for (const protection of ["explicit", "implicit"] as const) {
    await using server = await start({ protection });
    for (const first of ["USER user\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET / HTTP/1.1\r\n\r\n"]) {
      assertEquals(await answerTo(server, encode(first)), "");
    }
    assertEquals(reasons(server), new Array(3).fill("it did not begin with a PROXY header"));
    assertNobodyConnected(server);
  }
});

Deno.test("A header that is late, endless, huge or broken is refused, and holds up nobody", async () => {
  await using server = await start({ server: { timeouts: { handshake: 0.2 } } });
  const slow = answerTo(server, ...Array.from(BLOCK.subarray(0, 20), (byte) => Uint8Array.of(byte)));
  await using client = await server.login({ preface: BLOCK });
  await client.expect(200, "NOOP");
  assertEquals(await slow, "");
  const bad = [
    encode("PROXY TCP4 " + "1".repeat(200)),
    encode("PROXY UNKNOWN " + "x".repeat(70_000)),
    Uint8Array.from([...SIGNATURE, 0x21, 0x11, 0xff, 0xff, ...new Uint8Array(65_535)]),
    proxyBlock(CLIENT, REACHED, { command: 0x2f }),
    proxyBlock(CLIENT, REACHED, { family: 0x31, addresses: new Uint8Array(216) }),
    proxyBlock(CLIENT, REACHED, { family: 0x00 }),
    encode("PROXY TCP4 203.0.113.7 198.51.100.1 0x10 21\r\n"),
    encode("PROXY TCP4 203.0.113.7 198.51.100.1 1 21\n220 x\r\n"),
  ];
  for (const header of bad) assertEquals(await answerTo(server, header), "");
  assertEquals(reasons(server).length, bad.length + 1);
  assertEquals(server.events.filter(({ event }) => event === "connected").length, 1);
});

Deno.test("Without a limit for handshakes a header has to come within five seconds", async () => {
  await using server = await start({ server: { timeouts: { handshake: 0 } } });
  const startedAt = performance.now();
  assertEquals(await answerTo(server, BLOCK.subarray(0, 10)), "");
  const seconds = (performance.now() - startedAt) / 1000;
  assert(seconds > 4.9 && seconds < 9, `${seconds} s`);
});

Deno.test("A second header, which a client sends itself, changes nothing and ends its session", async () => {
  await using server = await start();
  const second = proxyLine(VICTIM, REACHED);
  const answer = await answerTo(server, BLOCK, second);
  assertMatch(answer, /^220 ftpsd ready\.\r\n/);
  // In one segment with the first, too.
  assertMatch(await answerTo(server, Uint8Array.from([...BLOCK, ...second])), /^220 ftpsd ready\.\r\n/);
  await answerTo(server, BLOCK, proxyBlock(VICTIM, REACHED));
  await server.event("disconnected");
  const remotes = server.events.flatMap((event) => "remote" in event ? [event.remote] : []);
  assertEquals(new Set(remotes), new Set(["203.0.113.7:50000"]));
  const ended = await server.event("disconnected");
  assertEquals(ended.reason, "client does not speak FTP: PROXY");
});

Deno.test("A header inside TLS is none: on an implicit port before it, and behind AUTH", async () => {
  await using explicit = await start();
  await using client = await explicit.connect({ preface: BLOCK });
  await client.send(proxyLine(VICTIM, REACHED));
  await client.closed();
  assertEquals((await explicit.event("disconnected")).remote, "203.0.113.7:50000");
  await using implicit = await start({ protection: "implicit" });
  const tls = connectTls({ host: implicit.host, port: implicit.port, rejectUnauthorized: false });
  const failed = new Promise((resolve) => {
    tls.on("error", resolve);
    tls.once("close", resolve);
  });
  await failed;
  assertEquals(reasons(implicit), ["it did not begin with a PROXY header"]);
  tls.destroy();
});

Deno.test("A second header before implicit TLS fails the handshake", async () => {
  await using server = await start({ protection: "implicit" });
  await answerTo(server, BLOCK, proxyLine(VICTIM, REACHED));
  const { remote, reason } = await server.event("disconnected");
  assertEquals(remote, "203.0.113.7:50000");
  assertMatch(reason, /handshake/i);
});

Deno.test("A header on a port without proxyProtocol is refused like any other nonsense, and believed nowhere", async () => {
  await using server = await TestServer.start();
  assertMatch(await answerTo(server, proxyLine(VICTIM, REACHED)), /^220 ftpsd ready\.\r\n/);
  await answerTo(server, proxyBlock(VICTIM, REACHED));
  for (const event of server.events) {
    if ("remote" in event) assertMatch(event.remote, /^127\.0\.0\.1:/);
  }
  assertEquals((await server.event("disconnected")).reason, "client does not speak FTP: PROXY");
});

Deno.test("A data connection has to come through the balancer, on behalf of the session's client", async () => {
  await using server = await start({ server: { timeouts: { handshake: 0.3 } } });
  await using client = await server.login({ preface: BLOCK });
  const port = Number(/\(\|\|\|(\d+)\|\)/.exec((await client.expect(229, "EPSV")).text)?.[1]);
  const knock = async (...pieces: readonly Uint8Array[]) => {
    const socket = connect({ host: server.host, port });
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve).resume());
    for (const piece of pieces) socket.write(piece);
    await closed;
  };
  await knock(proxyBlock(VICTIM, REACHED));
  await knock(encode("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"));
  await knock(proxyBlock(CLIENT, REACHED, { command: 0x20 }));
  await knock();
  await using data = await client.dial(port);
  await client.expect(150, "MLSD");
  await data.secure();
  await data.readAll();
  assertEquals((await client.readReply()).code, 226);
  assertEquals(reasons(server), [
    `data connection of session ${(await server.event("connected")).session} expected from 203.0.113.7`,
    "it did not begin with a PROXY header",
    "its PROXY header did not come in time",
  ]);
});
