import { assert, assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertDialogue, assertReplies, type Exchange } from "../helpers/dialogue.ts";
import { GatedFileSystem } from "../helpers/gated_filesystem.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const HOME = { "/a.txt": "12345", "/empty": "", "/sp ace 1": "x", "/dir/b": "" };

/** Of "12345", and of "234". */
const SHA256 = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5";
const SHA1 = "8cb2237d0679ca88db6464eac60da96345513964";
const MD5 = "827ccb0eea8a706c4c34a16891f84e7b";
const CRC32 = "cbf53a1c";
const MD5_OF_PART = "289dff07669d7a23de0ef88d2f7129e7";
const SHA512 = "3627909a29c31381a071ec27f7c9ca97726182aed29a7ddd2e54353322cfb30a" +
  "bb9e3a6df2ac2c20fe23436311d678564d0c8d305930575f60e2d3d048184d79";

const EXCHANGES: Readonly<Record<string, readonly Exchange[]>> = {
  "HASH tells the digest that OPTS HASH has chosen": [
    ["FEAT", /\n HASH SHA-256\*;SHA-512;SHA-1;MD5;CRC32\n/],
    ["HASH a.txt", `213 SHA-256 0-5 ${SHA256} a.txt`],
    ["OPTS HASH", "200 SHA-256"],
    ["OPTS HASH sha-512", "200 SHA-512"],
    ["HASH a.txt", `213 SHA-512 0-5 ${SHA512} a.txt`],
    ["OPTS HASH CRC32", "200 CRC32"],
    ["HASH /./a.txt", `213 CRC32 0-5 ${CRC32} /./a.txt`],
    ["HASH empty", "213 CRC32 0-0 00000000 empty"],
    ["FEAT", /\n HASH SHA-256;SHA-512;SHA-1;MD5;CRC32\*\n/],
    ["OPTS HASH whirlpool", "504 Unknown algorithm, use one of SHA-256, SHA-512, SHA-1, MD5, CRC32."],
    ["OPTS HASH", "200 CRC32"],
    ["HASH dir", "550 Is a directory."],
    ["HASH nothing", "550 No such file or directory."],
  ],
  "XCRC and its like tell the digest of a file": [
    ["XCRC a.txt", `250 ${CRC32.toUpperCase()}`],
    ["XMD5 a.txt", `250 ${MD5.toUpperCase()}`],
    ["XSHA a.txt", `250 ${SHA1.toUpperCase()}`],
    ["XSHA1 a.txt", `250 ${SHA1.toUpperCase()}`],
    ["XSHA256 a.txt", `250 ${SHA256.toUpperCase()}`],
    ["xsha512 a.txt", `250 ${SHA512.toUpperCase()}`],
    ["XMD5 dir", "550 Is a directory."],
    ["XMD5 nothing", "550 No such file or directory."],
  ],
  "XCRC and its like tell the digest of a range": [
    ["XMD5 a.txt 1 4", `250 ${MD5_OF_PART.toUpperCase()}`],
    ['XMD5 "a.txt" 1 4', `250 ${MD5_OF_PART.toUpperCase()}`],
    ["XMD5 a.txt 0 1000", `250 ${MD5.toUpperCase()}`],
    ["XCRC a.txt 5", "250 00000000"],
    ["XCRC a.txt 3 3", "250 00000000"],
    ["XCRC a.txt 6", "554 Start of the range (6) > file size (5)"],
    ["XCRC a.txt 3 2", "501 Invalid range: its end is before its start."],
    ["XMD5 sp ace 1", "250 9DD4E461268C8034F5C8564E155C67A6"],
  ],
};

for (const [name, exchanges] of Object.entries(EXCHANGES)) {
  Deno.test(name, async () => {
    await using server = await TestServer.start({ home: MemoryFileSystem.of(HOME) });
    await using client = await server.login();
    await assertDialogue(client, exchanges);
  });
}

Deno.test("HASH needs the right to read", async () => {
  await using server = await TestServer.start({ home: MemoryFileSystem.of(HOME) });
  await using client = await server.login({ username: "anonymous" });
  await assertDialogue(client, [["HASH a.txt", `213 SHA-256 0-5 ${SHA256} a.txt`]]);
});

for (const protection of PROTECTIONS) {
  Deno.test(`HASH is ended by ABOR, and the session goes on: ${protection}`, async () => {
    const home = new GatedFileSystem();
    await home.put("/a.txt", new TextEncoder().encode("12345"));
    await using server = await TestServer.start({ home, protection, server: { dialogue: true } });
    await using client = await server.login();
    const reached = home.shut();
    await client.send("HASH a.txt\r\n");
    await reached;
    await client.send("ABOR\r\n");
    await server.event("dialogue", ({ line }) => line === "ABOR");
    home.open();
    await assertReplies(client, ["426 Connection closed; transfer aborted.", "226 ABOR command successful."]);
    await assertDialogue(client, [["HASH a.txt", `213 SHA-256 0-5 ${SHA256} a.txt`]]);
  });
}

Deno.test("A client that leaves during HASH leaves nothing behind", async () => {
  const home = new GatedFileSystem();
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  const reached = home.shut();
  await client.send("HASH a.txt\r\n");
  await reached;
  await client.reset();
  home.open();
  const { reason } = await server.event("disconnected");
  assertEquals(reason, "connection reset");
});

Deno.test("HASH of a file larger than a piece is that of all of it", async () => {
  const bytes = new Uint8Array(9_000_001).map((_, index) => index % 251);
  const expected = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/large": bytes }) });
  await using client = await server.login();
  const { text } = await client.command("HASH large");
  assert(text.includes(expected), text);
});
