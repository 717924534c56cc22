import { assertEquals, assertRejects } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import { assertDialogue } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

/** "MKD ä" in code page 850. */
const MAKE_UMLAUT = Uint8Array.from([...new TextEncoder().encode("MKD "), 0x84, 0x0d, 0x0a]);

/** Text of bytes, one character for each. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

async function listBytes(client: RawClient, line: string): Promise<string> {
  return latin1(await client.download(line));
}

for (const protection of PROTECTIONS) {
  Deno.test(`Names are sent and received in the server's encoding: ${protection}`, async () => {
    const home = MemoryFileSystem.of({ "/é": "", "/日": "" });
    await using server = await TestServer.start({ home, protection, server: { encoding: "cp850" } });
    await using client = await server.login();
    await client.send(MAKE_UMLAUT);
    const reply = await client.readReply();
    assertEquals(reply.code, 257);
    assertEquals((await home.stat("/ä")).type, "directory");
    // What the client could not ask for is not listed.
    assertEquals((await listBytes(client, "NLST")).split("\r\n").sort(), ["", "\x82", "\x84"]);
    const facts = (await listBytes(client, "MLSD")).split("\r\n").map((line) => line.slice(line.indexOf(" ") + 1));
    assertEquals(facts.sort(), ["", ".", "\x82", "\x84"]);
  });
}

/** Bytes of windows-1251. */
const MAY = "\xec\xe0";
const YA = "\xff";

for (const doubled of [true, false]) {
  Deno.test(`The letter whose byte is Telnet's IAC is one letter, ${doubled ? "doubled" : "single"} by the client`, async () => {
    const home = new MemoryFileSystem();
    await using server = await TestServer.start({ home, server: { encoding: "windows-1251" } });
    await using client = await server.login();
    const name = MAY + YA;
    const send = async (line: string) => {
      await client.send(Uint8Array.from(`${line}\r\n`, (one) => one.charCodeAt(0)));
      const { code, text } = await client.readReply(line);
      // The client of this test reads UTF-8, in which these bytes are none: of them only the number counts.
      return { code, unreadable: [...text].filter((one) => one === "\ufffd").length };
    };
    const argument = doubled ? name.replace(YA, YA + YA) : name;
    // Two letters of one byte, and the third doubled.
    assertEquals(await send(`MKD ${argument}`), { code: 257, unreadable: 4 });
    assertEquals((await home.stat("/мая")).type, "directory");
    assertEquals(await send(`CWD ${argument}`), { code: 250, unreadable: 4 });
    assertEquals(await send("PWD"), { code: 257, unreadable: 4 });
    assertEquals(await send(`STAT /`), { code: 212, unreadable: 4 });
    // A data connection is no Telnet.
    assertEquals(await listBytes(client, "NLST /"), `${name}\r\n`);
    await client.send(Uint8Array.of(0xff, 0xf4, 0xff, 0xf2, ...new TextEncoder().encode("ABOR\r\n")));
    assertEquals((await client.readReply()).code, 225);
  });
}

Deno.test("A client that asks for UTF-8 gets it, and may leave it again", async () => {
  const home = MemoryFileSystem.of({ "/é": "", "/日": "" });
  await using server = await TestServer.start({ home, server: { encoding: "cp850" } });
  await using client = await server.login();
  await assertDialogue(client, [["FEAT", /^(?!.*UTF8)/s], ["OPTS UTF8 ON", "200 UTF8 mode on."], [
    "FEAT",
    /\n UTF8\n/,
  ]]);
  assertEquals((await client.list("NLST")).split("\r\n").sort(), ["", "é", "日"]);
  await assertDialogue(client, [["CWD /日/..", /^250 /], ["MLST 日", /\/日\n/]]);
  await assertDialogue(client, [["opts utf8 off", "200 UTF8 mode off."], ["FEAT", /^(?!.*UTF8)/s]]);
  assertEquals(await listBytes(client, "NLST"), "\x82\r\n");
});

Deno.test("A line that is none in the server's encoding gets 501", async () => {
  await using server = await TestServer.start({ server: { encoding: "shift_jis" } });
  await using client = await server.login();
  await client.send(Uint8Array.from([...new TextEncoder().encode("CWD "), 0xff, 0xff, 0x0d, 0x0a]));
  assertEquals((await client.readReply()).text, "501 Can't decode command.");
});

Deno.test("listen() rejects for an encoding that cannot be used", async () => {
  const authorizer = { authenticate: () => Promise.resolve(undefined) };
  for (const encoding of ["klingon", "utf-16le"]) {
    await using server = new FtpServer({ authorizer, encoding, listen: [{ port: 0 }] });
    await assertRejects(() => server.listen(), RangeError, encoding);
  }
});
