import { assert, assertEquals, assertMatch } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import {
  assertDialogue,
  assertReplies,
  MORE_THAN_KERNELS_HOLD,
  stallDownload,
  startTransfer,
} from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

const SIZES = [0, 1, 60_000, 3_000_000];

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What a file holds. */
async function contentOf(home: MemoryFileSystem, path: string): Promise<Uint8Array> {
  const file = await home.openRead(path);
  const buffer = new Uint8Array(file.size + 1);
  return buffer.subarray(0, await file.read(buffer, UNABORTED) ?? 0);
}

async function textOf(home: MemoryFileSystem, path: string): Promise<string> {
  return new TextDecoder().decode(await contentOf(home, path));
}

for (const protection of PROTECTIONS) {
  Deno.test(`STOR and RETR move files of any size byte by byte: ${protection}`, async () => {
    const home = new MemoryFileSystem();
    await using server = await TestServer.start({ protection, home });
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    for (const size of SIZES) {
      const bytes = new Uint8Array(size).map((_, index) => (index * 7 + (index >> 8)) & 0xff);
      assertEquals((await client.store(`/${size}.bin`, bytes)).text, "226 Transfer complete.");
      assertEquals(await contentOf(home, `/${size}.bin`), bytes);
      assertEquals(await client.retrieve(`/${size}.bin`), bytes);
    }
    await client.expect(221, "QUIT");
    await server.event("disconnected");
  });

  Deno.test(`STOR over an existing file replaces it: ${protection}`, async () => {
    const home = MemoryFileSystem.of({ "/a": "a long content" });
    await using server = await TestServer.start({ protection, home });
    await using client = await server.login();
    await client.store("/a", bytesOf("short"));
    assertEquals(await textOf(home, "/a"), "short");
  });
}

const OKAY = "150 File status okay. About to open data connection";

/** Sends commands, of which the last is a transfer, and compares what announces its data connection. */
async function assertAnnounced(client: RawClient, lines: readonly string[], announcement: string): Promise<void> {
  await using data = await client.passive();
  const exchanges = lines.map((line, at) => [line, at === lines.length - 1 ? announcement : /^[23]/] as const);
  await assertDialogue(client, exchanges);
  await data.secure();
  await data.finish();
  await assertReplies(client, ["226 Transfer complete."]);
}

Deno.test("RETR and STOR announce the data connection with 150", async () => {
  await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/a": "a" }) });
  await using client = await server.login();
  for (const line of ["RETR /a", "STOR /b", "LIST"]) await assertAnnounced(client, [line], `${OKAY}.`);
});

Deno.test("RETR tells how many bytes will come, where they are those of the file", async () => {
  const home = MemoryFileSystem.of({ "/a": "a\n", "/1": "1", "/0": "" });
  for (const asciiConversion of [true, false]) {
    await using server = await TestServer.start({ home, server: { transfer: { asciiConversion } } });
    await using client = await server.login();
    const cases: readonly (readonly [lines: string[], size: string])[] = [
      [["TYPE A", "RETR /a"], asciiConversion ? "" : " (2 bytes)"],
      [["TYPE I", "RETR /a"], " (2 bytes)"],
      [["RETR /1"], " (1 bytes)"],
      [["RETR /0"], " (0 bytes)"],
      [["REST 1", "RETR /a"], " (1 bytes)"],
      [["REST 2", "RETR /a"], " (0 bytes)"],
      [["STOR /b"], ""],
      [["LIST"], ""],
    ];
    for (const [lines, size] of cases) await assertAnnounced(client, lines, `${OKAY}${size}.`);
  }
});

Deno.test("RETR, STOR and APPE refuse what is no file before any data connection", async () => {
  await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/dir/a": "a" }) });
  await using client = await server.login();
  await client.passive().then((data) => data[Symbol.asyncDispose]());
  await assertDialogue(client, [
    ["RETR /nothing", "550 No such file or directory."],
    ["RETR /dir", "550 Is a directory."],
    ["RETR /dir/a/b", "550 Not a directory."],
    ["STOR /dir", "550 Is a directory."],
    ["STOR /nowhere/a", "550 No such file or directory."],
    ["APPE /dir", "550 Is a directory."],
  ]);
});

Deno.test("APPE makes a file, and goes on at the end of one that exists", async () => {
  const home = new MemoryFileSystem();
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  for (const part of ["one ", "two"]) await client.store("/a", bytesOf(part), "APPE");
  assertEquals(await textOf(home, "/a"), "one two");
});

Deno.test("STOU stores under a new name, which 150 tells", async () => {
  const home = MemoryFileSystem.of({ "/docs/a": "a" });
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await client.expect(250, "CWD docs");
  for (
    const [line, pattern] of [["STOU", /^150 FILE: (ftpd\.[a-z0-9]{8})$/], [
      "STOU a",
      /^150 FILE: (a\.[a-z0-9]{8})$/,
    ]] as const
  ) {
    await using data = await client.passive();
    const { text } = await client.command(line);
    assertMatch(text, pattern);
    await data.secure();
    await data.write(bytesOf(line));
    await data.finish();
    await assertReplies(client, ["226 Transfer complete."]);
    assertEquals(await textOf(home, `/docs/${pattern.exec(text)?.[1]}`), line);
  }
  assertEquals(await textOf(home, "/docs/a"), "a");
});

Deno.test("STOU leaves nothing behind when the user may not store", async () => {
  const home = new MemoryFileSystem();
  await using server = await TestServer.start({ home });
  await using client = await server.login({ username: "anonymous" });
  await using _data = await client.passive();
  await assertDialogue(client, [["STOU", "550 Not enough privileges."]]);
  assertEquals(await Array.fromAsync(home.list("/")), []);
});

const ASCII_DOWNLOADS: readonly (readonly [file: string, wire: string])[] = [
  ["", ""],
  ["a\nb", "a\r\nb"],
  ["a\r\nb\n", "a\r\nb\r\n"],
  ["\n\n", "\r\n\r\n"],
  ["a\rb\r", "a\rb\r"],
  [`${"x".repeat(65_535)}\r\ny`, `${"x".repeat(65_535)}\r\ny`],
];

Deno.test("RETR in ASCII sends LF as CR LF and leaves CR LF as it is", async () => {
  const home = MemoryFileSystem.of(Object.fromEntries(ASCII_DOWNLOADS.map(([file], index) => [`/${index}`, file])));
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  for (const [index, [, wire]] of ASCII_DOWNLOADS.entries()) {
    assertEquals(new TextDecoder().decode(await client.retrieve(`/${index}`)), wire);
  }
});

const ASCII_UPLOADS: readonly (readonly [pieces: readonly string[], file: string])[] = [
  [["a\r\nb\r\n"], "a\nb\n"],
  [["a\r", "\nb"], "a\nb"],
  [["a\nb"], "a\nb"],
  [["a\rb", "\r\r\n"], "a\rb\r\n"],
  [["a\r"], "a\r"],
];

Deno.test("STOR in ASCII keeps CR LF as LF, also from two pieces, and lone CR and LF as they are", async () => {
  const home = new MemoryFileSystem();
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  for (const [pieces, file] of ASCII_UPLOADS) {
    await using data = await startTransfer(client, "STOR /a");
    for (const piece of pieces) await data.write(bytesOf(piece));
    await data.finish();
    await assertReplies(client, ["226 Transfer complete."]);
    assertEquals(await textOf(home, "/a"), file);
  }
});

Deno.test("RETR and STOR in ASCII leave bytes as they are where conversion is off", async () => {
  const home = MemoryFileSystem.of({ "/a": "a\nb\r\n" });
  await using server = await TestServer.start({ home, server: { transfer: { asciiConversion: false } } });
  await using client = await server.login();
  assertEquals(new TextDecoder().decode(await client.retrieve("/a")), "a\nb\r\n");
  await client.store("/b", bytesOf("a\nb\r\n"));
  assertEquals(await textOf(home, "/b"), "a\nb\r\n");
  await assertDialogue(client, [["SIZE /b", "213 5"], ["REST 2", "350 Restarting at position 2."]]);
});

Deno.test("RETR replies 426 when the client leaves before the end, and the session goes on", async () => {
  await using server = await TestServer.start({
    home: MemoryFileSystem.of({ "/big": new Uint8Array(MORE_THAN_KERNELS_HOLD) }),
  });
  await using client = await server.login();
  await (await stallDownload(client, "RETR /big"))[Symbol.asyncDispose]();
  await assertReplies(client, ["426 Connection closed; transfer aborted."]);
  await assertDialogue(client, [["NOOP", "200 I successfully did nothing."]]);
  const { path, command, reason } = await server.event("transferIncomplete");
  assertEquals([path, command, reason], ["/big", "RETR", "the data connection was reset"]);
});

Deno.test("STOR replies 452 when there is no space left, and keeps what was written", async () => {
  const home = new MemoryFileSystem({ maxBytes: 1000 });
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await using data = await startTransfer(client, "STOR /a");
  await data.write(new Uint8Array(800));
  while ((await home.stat("/a")).size < 800) await new Promise((resolve) => setTimeout(resolve, 1));
  await data.write(new Uint8Array(800));
  await assertReplies(client, ["452 No space left."]);
  assertEquals((await home.stat("/a")).size, 800);
});

Deno.test("Transfers are told as events with path, bytes and time, listings are not", async () => {
  await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/dir/a b": "12345" }) });
  await using client = await server.login();
  await client.expect(250, "CWD dir");
  await client.retrieve("a b");
  await client.store("c", bytesOf("123"), "APPE");
  await client.list();
  const events = server.events.flatMap((event) => {
    if (event.event === "transferStarted") return [`${event.event} ${event.command} ${event.path}`];
    if (event.event !== "fileSent" && event.event !== "fileReceived") return [];
    assert(event.seconds > 0 && event.username === "user");
    return [`${event.event} ${event.command} ${event.path} ${event.bytes}`];
  });
  assertEquals(events, [
    "transferStarted RETR /dir/a b",
    "fileSent RETR /dir/a b 5",
    "transferStarted APPE /dir/c",
    "fileReceived APPE /dir/c 3",
  ]);
});
