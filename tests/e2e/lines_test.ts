import { assertEquals, assertLess } from "@std/assert";
import { assertDialogue, assertReplies } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const DONE = "200 I successfully did nothing.";
const TOO_LONG = "500 Command too long.";
const MEGABYTE = new Uint8Array(1 << 20).fill(0x41);

for (const protection of PROTECTIONS) {
  Deno.test(`A line over the limit gets one 500, also where it has 1 MiB: ${protection}`, async () => {
    await using server = await TestServer.start({ protection });
    await using client = await server.connect();
    await client.send(MEGABYTE);
    await client.send("\r\nNOOP\r\n");
    await assertReplies(client, [TOO_LONG, DONE]);
    assertEquals(client.pending.length, 0);
  });
}

Deno.test("A line without end gets 421, and does not fill the memory", async () => {
  await using server = await TestServer.start({ protection: "clear" });
  await using client = await server.connect();
  const before = Deno.memoryUsage().external;
  await client.send(MEGABYTE);
  await client.send(MEGABYTE.subarray(0, 4097)); // all that is read, so that no reset overtakes the reply
  await assertReplies(client, ["421 Command line does not end."]);
  assertEquals((await server.event("disconnected")).reason, "Command line does not end.");
  assertLess(Deno.memoryUsage().external - before, 128 << 20);
});

Deno.test("The limit of a line counts bytes without the end of the line", async () => {
  await using server = await TestServer.start({ server: { limits: { commandLineBytes: 64 } } });
  await using client = await server.connect();
  const fits = `CLNT ${"ä".repeat(29)}x`;
  await client.send(`${fits}\r\n${fits}\n${fits}x\r\nNOOP\r\n`);
  await assertReplies(client, ["200 Noted.", "200 Noted.", TOO_LONG, DONE]);
});

Deno.test("A bare LF ends a line, a bare CR does not", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  await client.send("NOOP\nPWD\nMKD a\rb\r\n");
  await assertReplies(client, [DONE, '257 "/" is the current directory.', "553 File name not allowed."]);
});

Deno.test("NUL and bytes that are no UTF-8 get 501, and the dialogue goes on", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  await client.send(
    new Uint8Array([...bytesOf("MKD a"), 0, ...bytesOf("\r\nMKD "), 0xe4, 0xff, ...bytesOf("\r\nNOOP\r\n")]),
  );
  await assertReplies(client, ["501 Syntax error: NUL in command.", "501 Can't decode command.", DONE]);
});

Deno.test("Telnet commands before a command are dropped", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  const [IAC, WILL, ECHO, NOP] = [0xff, 0xfb, 0x01, 0xf1];
  await client.send(
    new Uint8Array([IAC, WILL, ECHO, IAC, NOP, ...bytesOf("NOOP\r\n"), IAC, NOP, ...bytesOf("NOOP\r\n")]),
  );
  await assertReplies(client, [DONE, DONE]);
});

Deno.test("A line without its end is forgotten when the client leaves", async () => {
  await using server = await TestServer.start({ server: { dialogue: true } });
  {
    await using client = await server.connect();
    await client.send("NOOP\r\nQUIT");
    await assertReplies(client, [DONE]);
  }
  assertEquals((await server.event("disconnected")).reason, "client closed the connection");
});

for (const line of ["GET / HTTP/1.1", "POST /", "EHLO mail.example", "OPTIONS * HTTP/1.1", "CONNECT a:1"]) {
  Deno.test(`A client of another protocol is not answered, but dropped: ${line}`, async () => {
    await using server = await TestServer.start();
    await using client = await RawClient.connect({ host: server.host, port: server.port });
    await client.readReply();
    await client.send(`${line}\r\nHost: x\r\n\r\nUSER user\r\n`);
    await client.closed();
    assertEquals(client.pending.length, 0);
    assertEquals((await server.event("disconnected")).reason, `client does not speak FTP: ${line.split(" ")[0]}`);
  });
}

Deno.test("Commands that look like another protocol's get 500 after the login", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  await assertDialogue(client, [["GET /", '500 Command "GET" not understood.'], ["NOOP", DONE]]);
});

Deno.test("Dialogue events show every line of both directions, and no password", async () => {
  await using server = await TestServer.start({ server: { dialogue: true } });
  await using client = await server.connect();
  await assertDialogue(client, [["USER user", /^331 /], ["PASS 12345", /^230 /], ["QUIT", /^221 /]]);
  await server.event("disconnected");
  const lines = server.events.flatMap((event) =>
    event.event === "dialogue" ? [`${event.direction} ${event.line}`] : []
  );
  assertEquals(lines, [
    "sent 220 ftpsd ready.",
    "received AUTH TLS",
    "sent 234 AUTH TLS successful.",
    "received USER user",
    "sent 331 Username ok, send password.",
    "received PASS ******",
    "sent 230 Login successful.",
    "received QUIT",
    "sent 221 Goodbye.",
  ]);
});

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
