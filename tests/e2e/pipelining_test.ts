import { assert, assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertReplies, MORE_THAN_KERNELS_HOLD, startTransfer } from "../helpers/dialogue.ts";
import { GatedFileSystem } from "../helpers/gated_filesystem.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const COUNT = 100;

for (const protection of PROTECTIONS) {
  Deno.test(`Commands of one write are answered one by one in order: ${protection}`, async () => {
    await using server = await TestServer.start({ protection });
    await using client = await server.login();
    const numbers = Array.from({ length: COUNT }, (_, index) => index);
    await client.send(numbers.map((number) => `MKD /${number}\r\n`).join(""));
    await assertReplies(client, numbers.map((number) => `257 "/${number}" directory created.`));
  });
}

Deno.test("Commands in single bytes are answered like whole lines", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  for (const byte of new TextEncoder().encode("PWD\r\nNOOP\r\n")) await client.send(Uint8Array.of(byte));
  await assertReplies(client, ['257 "/" is the current directory.', "200 I successfully did nothing."]);
});

Deno.test("A whole session may be sent in one write", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  await client.send("USER user\r\nPASS 12345\r\nMKD a\r\nCWD a\r\nPWD\r\nRMD /a\r\nQUIT\r\n");
  await assertReplies(client, [
    /^331 /,
    /^230 /,
    '257 "/a" directory created.',
    '250 "/a" is the current directory.',
    '257 "/a" is the current directory.',
    "250 Directory removed.",
    "221 Goodbye.",
  ]);
  assertEquals(await client.closed(), "end");
});

Deno.test("Commands behind STOR wait for the upload, in the same write and in later ones", async () => {
  const home = new MemoryFileSystem();
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.send("STOR a\r\nSIZE a\r\nRNFR a\r\n");
  await client.send("RNTO b\r\n");
  await assertReplies(client, [/^150 /]);
  await data.secure();
  await data.write(new Uint8Array(1000));
  // Answered at once, though others wait before it: proof that they were read and that none has run.
  await client.send("SIZE b\r\n");
  await data.write(new Uint8Array(234));
  await data.finish();
  await assertReplies(client, [
    "226 Transfer complete.",
    "213 1234",
    "350 Ready for destination name.",
    "250 Renaming ok.",
    "213 1234",
  ]);
});

Deno.test("A hundred commands behind a transfer wait, and none is lost", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  await using data = await startTransfer(client, "STOR /upload");
  for (let part = 0; part < 10; part++) await client.send("CWD /\r\n".repeat(COUNT / 10));
  await data.finish();
  await assertReplies(client, ["226 Transfer complete.", ...Array(COUNT).fill('250 "/" is the current directory.')]);
});

Deno.test("A second transfer waits for the first, and both are whole", async () => {
  const home = MemoryFileSystem.of({ "/large": new Uint8Array(8 << 20).fill(1), "/small": "content" });
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await using first = await startTransfer(client, "RETR /large");
  await client.send("EPSV\r\n");
  assertEquals((await first.readAll()).length, 8 << 20);
  await assertReplies(client, ["226 Transfer complete.", /^229 /]);
  assertEquals(new TextDecoder().decode(await client.retrieve("/small")), "content");
});

/** Commands that may run beside a transfer, at a time when it has only begun. */
const EARLY_COMMANDS: readonly (readonly [line: string, reply: string | RegExp])[] = [
  ["TYPE I", "200 Type set to: Binary."],
  ["REIN", "230 Ready for new user."],
  ["USER user", "331 Previous account information was flushed, send password."],
];

for (const [line, reply] of EARLY_COMMANDS) {
  Deno.test(`${line} behind a transfer command changes nothing of the transfer`, async () => {
    const home = new GatedFileSystem();
    await home.put("/file", new TextEncoder().encode("a\nb"));
    await using server = await TestServer.start({ home });
    for (
      const [command, wire] of [["RETR /file", "a\r\nb"], ["STOR /new", ""], ["NLST /", "file\r\nnew\r\n"]] as const
    ) {
      await using client = await server.login();
      await using data = await client.passive();
      const opening = home.shut();
      await client.send(`${command}\r\n${line}\r\n`);
      await opening;
      home.open();
      await assertReplies(client, [/^150 /, reply]);
      await data.secure();
      if (command.startsWith("STOR")) await data.write(new TextEncoder().encode("a\r\nb"));
      const received = command.startsWith("STOR") ? await data.finish() : await data.readAll();
      assertEquals(new TextDecoder().decode(received ?? new Uint8Array()), wire);
      await assertReplies(client, ["226 Transfer complete."]);
    }
    assertEquals((await home.stat("/new")).size, 3);
    const { username } = await server.event("fileReceived");
    assertEquals(username, "user");
  });
}

Deno.test("QUIT behind a transfer command is answered behind its 150, and the transfer still runs", async () => {
  const home = new GatedFileSystem();
  await home.put("/file", new TextEncoder().encode("content"));
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await using data = await client.passive();
  const opening = home.shut();
  await client.send("RETR /file\r\nQUIT\r\n");
  await opening;
  home.open();
  await assertReplies(client, [/^150 /, "221 Goodbye."]);
  await data.secure();
  assertEquals(new TextDecoder().decode(await data.readAll()), "content");
  await assertReplies(client, ["226 Transfer complete."]);
  assertEquals(await client.closed(), "end");
  assert(server.events.some(({ event }) => event === "fileSent"));
});

/** Commands of one reply that take long, or are refused after a while. */
const SLOW_COMMANDS: readonly (readonly [line: string, reply: RegExp])[] = [
  ["HASH /file", /^213 SHA-256 0-7 /],
  ["XMD5 /file", /^250 /],
  ["HASH /missing", /^550 /],
  ["RETR /missing", /^550 /],
  ["STOR /file/file", /^550 /],
  ["LIST /missing", /^550 /],
];

for (const [line, reply] of SLOW_COMMANDS) {
  Deno.test(`${line} is answered before the commands behind it`, async () => {
    const home = new GatedFileSystem();
    await home.put("/file", new TextEncoder().encode("content"));
    await using server = await TestServer.start({ home, server: { dialogue: true } });
    await using client = await server.login();
    await using _data = await client.passive();
    const reached = home.shut();
    await client.send(`${line}\r\nNOOP\r\nPWD\r\n`);
    await reached;
    await client.send("SYST\r\n");
    home.open();
    await assertReplies(client, [reply, /^200 /, '257 "/" is the current directory.', /^215 /]);
  });
}

Deno.test("STOU and the EPSV for it may be sent in one write", async () => {
  for (const protection of PROTECTIONS) {
    await using server = await TestServer.start({ protection });
    await using client = await server.login();
    await client.send("STOU\r\nEPSV\r\nNOOP\r\n");
    assertEquals((await client.readReply("STOU")).code, 150);
    const { text } = await client.readReply("EPSV");
    await assertReplies(client, [/^200 /]);
    await using data = await client.dial(Number(/\|\|\|(\d+)\|/.exec(text)?.[1]));
    await data.secure();
    await data.write(new Uint8Array(5));
    await data.finish();
    await assertReplies(client, ["226 Transfer complete."]);
  }
});

Deno.test("RETR, more commands, QUIT and the end of the client's direction may come at once", async () => {
  const home = MemoryFileSystem.of({ "/large": new Uint8Array(8 << 20).fill(1), "/small": "content" });
  await using server = await TestServer.start({ home, protection: "clear" });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.finish("RETR /large\r\nCWD /\r\nPWD\r\nQUIT\r\n");
  await assertReplies(client, [/^150 /]);
  assertEquals((await data.readAll()).length, 8 << 20);
  await assertReplies(client, ["226 Transfer complete.", /^250 /, /^257 /, "221 Goodbye."]);
  assertEquals(await client.closed(), "end");
  await server.event("fileSent");
  assertEquals((await server.event("disconnected")).reason, "client quit");
});

Deno.test("A client that ends its direction behind RETR without QUIT aborts it (RFC 959 §4.1.1)", async () => {
  const home = MemoryFileSystem.of({ "/large": new Uint8Array(MORE_THAN_KERNELS_HOLD) });
  await using server = await TestServer.start({ home, protection: "clear" });
  await using client = await server.login();
  await using _data = await client.passive();
  await client.finish("RETR /large\r\nCWD /\r\n");
  await assertReplies(client, [/^150 /, /^426 /, /^250 /]);
  assertEquals(await client.closed(), "end");
});
