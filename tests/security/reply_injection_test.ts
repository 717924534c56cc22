import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { LOG_FORMATS, Logger } from "../../lib/logger.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";

/** Names that would forge a reply or a log line, or command a terminal, if they were shown as they are. */
const EVIL_NAMES = [
  "a\rb",
  "a\r226 Transfer complete.",
  "\r",
  "a\0b",
  "a\x1b[2J\x1b[31mred",
  "a\x1b]0;title\x07",
  "a\bb\x7f\tc",
  "226 a",
  "226-a",
  "a\u2028b\u0085c\u202ed",
  '"a" 257 "b',
];

/** Commands that have something of their argument in their reply, or could have. */
const COMMANDS = [
  (name: string) => `MKD ${name}`,
  (name: string) => `CWD ${name}`,
  (name: string) => `MLST ${name}`,
  (name: string) => `STAT ${name}`,
  (name: string) => `SIZE ${name}`,
  (name: string) => `MDTM ${name}`,
  (name: string) => `MFMT 20200101000000 ${name}`,
  (name: string) => `SITE CHMOD 755 ${name}`,
  (name: string) => `RNFR ${name}`,
  (name: string) => `RETR ${name}`,
  (name: string) => `DELE ${name}`,
  (name: string) => `RMD ${name}`,
  (name: string) => `TYPE ${name}`,
  (name: string) => `OPTS ${name}`,
  (name: string) => `HELP ${name}`,
  (name: string) => `SITE ${name}`,
  (name: string) => `AUTH ${name}`,
  (name: string) => `REST ${name}`,
  (name: string) => `${name}`,
];

/** Lines of one reply: the first and the last have the code, those between begin with no digit. */
const REPLY_REGEXP = /^(?:\d{3} [^\n]*|(\d{3})-[^\n]*(?:\n(?!\d)[^\n]*)*\n\1 [^\n]*)$/;
/** What ends a line, or a text; any other character a client must get as it is, to ask for the name again. */
const BREAKING_REGEXP = /[\r\0]/;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL_REGEXP = /[\x00-\x09\x0b-\x1f\x7f]/;

/** Sends a line, and checks that exactly one well-formed reply comes: the next one answers the next command. */
async function assertOneReply(client: RawClient, line: string): Promise<void> {
  const text = (await client.command(line)).text.replaceAll("\r\n", "\n");
  assertNotMatch(text, BREAKING_REGEXP, `breaking characters after ${JSON.stringify(line)}`);
  assert(REPLY_REGEXP.test(text), `Malformed reply to ${JSON.stringify(line)}: ${JSON.stringify(text)}`);
  assertEquals((await client.command("NOOP")).text, "200 I successfully did nothing.", JSON.stringify(line));
}

for (const name of EVIL_NAMES) {
  Deno.test(`No reply and no line of the log is broken by the name ${JSON.stringify(name)}`, async () => {
    await using server = await TestServer.start({ home: new MemoryFileSystem(), server: { dialogue: true } });
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    for (const command of COMMANDS) {
      await client.expect(250, "CWD /");
      await assertOneReply(client, command(name));
    }
    await assertOneReply(client, `MKD ${name}`);
    await client.command(`CWD ${name}`);
    await assertOneReply(client, "PWD");
    await assertOneReply(client, "STAT /");
    assertLogIsSound(server);
  });
}

for (const name of EVIL_NAMES.filter((name) => !name.includes("\0"))) {
  Deno.test(`No reply and no line of the log is broken by the user name ${JSON.stringify(name)}`, async () => {
    await using server = await TestServer.start({ server: { dialogue: true, limits: { loginAttempts: 0 } } });
    await using client = await server.connect();
    await assertOneReply(client, `USER ${name}`);
    await assertOneReply(client, "STAT");
    await assertOneReply(client, `PASS ${name}`);
    assertLogIsSound(server);
  });
}

/**
 * Writes all events in both forms of the log, and checks that each is a single line without control characters; in the
 * pretty form the lines of a reply are indented.
 */
function assertLogIsSound(server: TestServer): void {
  for (const format of LOG_FORMATS) {
    const lines: string[] = [];
    const logger = new Logger({ format, level: "debug", stacks: false, write: (line) => lines.push(line) });
    for (const event of server.events) logger.event(event);
    assertEquals(lines.length, server.events.length);
    for (const line of lines) {
      assertNotMatch(line, CONTROL_REGEXP, format);
      assertNotMatch(line, format === "json" ? /\n/ : /\n(?! {4})/, format);
    }
  }
}

Deno.test({
  name: "Listings leave out names with CR or LF, which would forge entries and replies",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const forging = ["a\r\n226 Transfer complete.", "b\n-rw-r--r-- 1 0 0 0 Jan  1 00:00 forged", "c\rd"];
    for (const name of [...forging, "plain"]) await Deno.writeTextFile(`${folder.path}/${name}`, "");
    await using server = await TestServer.start({ home: folder.path });
    await using client = await server.login();
    for (const command of ["NLST", "LIST", "MLSD"]) {
      const listing = (await client.list(command)).replace(/^\S*;type=cdir;\S* \.\r\n/, "");
      assertEquals(listing.split("\r\n").length, 2, `${command}: ${JSON.stringify(listing)}`);
      assert(listing.endsWith("plain\r\n"));
    }
    await assertOneReply(client, "STAT /");
    assertEquals((await client.command("STAT /")).lines.length, 3);
  },
});

Deno.test({
  name: "LIST leaves out the target of a link where that has CR or LF",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const forging = "a\r\n-rw-r--r-- 1 0 0 0 Jan  1 00:00 forged";
    await Deno.mkdir(`${folder.path}/${forging}`);
    await Deno.symlink(forging, `${folder.path}/link`);
    await using server = await TestServer.start({ home: folder.path });
    await using client = await server.login();
    assertMatch(await client.list("LIST"), /^l[^\r\n]* link\r\n$/);
    assertMatch((await client.command("STAT /")).lines[1] ?? "", /^l[^\r\n]* link$/);
  },
});
