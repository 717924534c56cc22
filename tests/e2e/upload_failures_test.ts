import { assert, assertEquals, assertLessOrEqual, assertMatch, assertStrictEquals } from "@std/assert";
import { startTransfer } from "../helpers/dialogue.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { mountRefusal, SmallDisk } from "../helpers/small_disk.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";

const DISK_KIBIBYTES = 1024;
const OLD = new TextEncoder().encode("old content");
const TOO_MUCH = Uint8Array.from({ length: 3 * 1024 * DISK_KIBIBYTES }, (_, index) => index % 251);
const CONTENT = new TextEncoder().encode("content");

const REFUSAL = await mountRefusal();

/** What fills the disk, and how much of it is left then. */
const FULL_DISKS = [
  { command: "STOR", atomic: false, sync: false },
  { command: "APPE", atomic: false, sync: true },
  { command: "STOR", atomic: true, sync: false },
] as const;

for (const { command, atomic, sync } of FULL_DISKS) {
  for (const protection of ["explicit", "clear"] as const) {
    const how = `${command}, ${atomic ? "atomic" : "in place"}, ${protection}`;
    Deno.test({
      name: `An upload that fills the disk gets 452, ${how}${REFUSAL === undefined ? "" : ` (ignored: ${REFUSAL})`}`,
      ignore: REFUSAL !== undefined,
      fn: async () => {
        await using disk = await SmallDisk.mount(DISK_KIBIBYTES);
        await using server = await TestServer.start({
          home: disk.path,
          protection,
          server: { upload: { atomic, sync } },
        });
        await using client = await binaryLogin(server);
        await client.store("file", OLD);
        await using data = await startTransfer(client, `${command} file`);
        // The server ends the connection before all is sent.
        const sending = data.write(TOO_MUCH).catch(() => {});
        assertEquals((await client.readReply(command)).text, "452 No space left.");
        await sending;
        const { bytes, reason, path } = await server.event("transferIncomplete");
        assertMatch(reason, /no space left/i);
        const content = await Deno.readFile(`${disk.path}${path}`);
        if (atomic) assertEquals(content, OLD);
        else assertLessOrEqual(content.length, bytes + (command === "APPE" ? OLD.length : 0));
        assertEquals(namesIn(disk.path), ["file"]);
        await client.expect(250, "DELE file");
        await client.store("file", OLD);
        assertEquals(await client.retrieve("file"), OLD);
      },
    });
  }
}

/** What is done to a file while it is uploaded in place, and the reply and content that follow. */
const CHANGES: readonly {
  readonly what: string;
  readonly change: (home: string, other: RawClient) => Promise<unknown>;
  readonly reply: string;
  /** Names and contents then. */
  readonly files: Readonly<Record<string, string>>;
}[] = [
  {
    what: "removed by another session",
    change: (_, other) => other.expect(250, "DELE file"),
    reply: "550 No such file or directory.",
    files: { other: "other" },
  },
  {
    what: "removed and made anew by another session",
    change: async (_, other) => {
      await other.expect(250, "DELE file");
      await other.store("file", OLD);
    },
    reply: "550 No such file or directory.",
    files: { file: "old content", other: "other" },
  },
  {
    what: "replaced by another session",
    change: async (_, other) => {
      await other.expect(350, "RNFR other");
      await other.expect(450, "RNTO file");
      await other.expect(350, "RNFR file");
      await other.expect(450, "RNTO file");
    },
    reply: "226 Transfer complete.",
    files: { file: "content", other: "other" },
  },
  {
    what: "replaced by another process",
    change: (home) => Deno.rename(`${home}/other`, `${home}/file`),
    reply: "550 No such file or directory.",
    files: { file: "other" },
  },
  {
    what: "renamed by another session",
    change: async (_, other) => {
      await other.expect(350, "RNFR file");
      await other.expect(250, "RNTO new");
    },
    reply: "226 Transfer complete.",
    files: { new: "content", other: "other" },
  },
  {
    what: "made shorter by another process",
    change: (home) => Deno.truncate(`${home}/file`, 3),
    reply: "450 File is being written by another transfer.",
    files: { file: "con", other: "other" },
  },
  {
    what: "deprived of all its permissions",
    change: (_, other) => other.expect(200, "SITE CHMOD 000 file"),
    reply: "226 Transfer complete.",
    files: { file: "content", other: "other" },
  },
];

for (const { what, change, reply, files } of CHANGES) {
  for (const command of ["STOR", "APPE"]) {
    Deno.test(`${command} is told ${reply.slice(0, 3)} for a file that is ${what} before its end`, async () => {
      await using folder = await TemporaryFolder.create();
      await Deno.writeTextFile(`${folder.path}/other`, "other");
      await using server = await TestServer.start({ home: folder.path, server: { upload: { sync: true } } });
      await using client = await binaryLogin(server);
      await using other = await binaryLogin(server);
      await using data = await startTransfer(client, `${command} file`);
      await data.write(CONTENT);
      await waitForSize(`${folder.path}/file`, CONTENT.length);
      await change(folder.path, other);
      await data.finish();
      assertEquals((await client.readReply(command)).text, reply);
      const contents = namesIn(folder.path).map((name) => [name, Deno.readTextFileSync(`${folder.path}/${name}`)]);
      assertEquals(Object.fromEntries(contents), files);
      const isComplete = reply.startsWith("226");
      const { bytes } = await server.event(isComplete ? "fileReceived" : "transferIncomplete", ({ path }) => {
        return path === "/file";
      });
      assertStrictEquals(bytes, CONTENT.length);
    });
  }
}

async function binaryLogin(server: TestServer): Promise<RawClient> {
  const client = await server.login();
  await client.expect(200, "TYPE I");
  return client;
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

/** Waits until the server has written so much. */
async function waitForSize(path: string, size: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const found = await Deno.stat(path).then((info) => info.size, () => -1);
    if (found === size) return;
    assert(performance.now() < deadline, `"${path}" never came to ${size} bytes`);
  }
}

/** Ends of a STOR of which no byte came. */
const UNBEGUN: Readonly<Record<string, (client: RawClient, command?: string) => Promise<number>>> = {
  "no data connection comes": async (client, command = "STOR") => {
    await client.expect(229, "EPSV");
    await client.expect(150, `${command} file`);
    return (await client.readReply()).code;
  },
  "its handshake fails": async (client, command = "STOR") => {
    await using data = await client.passive();
    await client.expect(150, `${command} file`);
    await data.write(new TextEncoder().encode("no ClientHello at all"));
    return (await client.readReply()).code;
  },
  "the data connection is reset": async (client, command = "STOR") => {
    await using data = await startTransfer(client, `${command} file`);
    await data.reset();
    return (await client.readReply()).code;
  },
  "it is aborted": async (client, command = "STOR") => {
    await using _data = await startTransfer(client, `${command} file`);
    await client.send("ABOR\r\n");
    assertEquals((await client.readReply()).code, 426);
    return (await client.readReply()).code;
  },
};

for (const [why, end] of Object.entries(UNBEGUN)) {
  for (const type of ["I", "A"]) {
    Deno.test(`STOR of which no byte comes leaves the old file: ${why}, TYPE ${type}`, async () => {
      await using folder = await TemporaryFolder.create();
      for (const home of [folder.path, new MemoryFileSystem()]) {
        await using server = await TestServer.start({ home, server: { timeouts: { passive: 0.1 } } });
        await using client = await binaryLogin(server);
        await client.store("file", OLD);
        await client.expect(200, `TYPE ${type}`);
        assert([226, 425, 426].includes(await end(client)));
        await client.expect(200, "TYPE I");
        assertEquals(await client.retrieve("file"), OLD);
        await client.store("file", new Uint8Array(0));
        assertEquals(await client.retrieve("file"), new Uint8Array(0));
      }
    });
  }
}

for (const [why, end] of Object.entries(UNBEGUN)) {
  for (const command of ["STOR", "APPE"]) {
    for (const overwrite of [true, false]) {
      const how = `${command}, ${overwrite ? "" : "not "}overwriting`;
      Deno.test(`An upload of which no byte comes leaves no file: ${why}, ${how}`, async () => {
        await using folder = await TemporaryFolder.create();
        const memory = new MemoryFileSystem();
        for (const home of [folder.path, memory]) {
          const settings = { timeouts: { passive: 0.1 }, upload: { overwrite } };
          await using server = await TestServer.start({ home, server: settings });
          await using client = await binaryLogin(server);
          assert([226, 425, 426].includes(await end(client, command)));
          assertEquals(await client.list("NLST"), "");
          await client.store("file", new Uint8Array(0));
          assertEquals(await client.list("NLST"), "file\r\n");
        }
      });
    }
  }
}

Deno.test("An upload of which no byte comes leaves a file that has taken its name meanwhile", async () => {
  await using folder = await TemporaryFolder.create();
  for (const home of [folder.path, new MemoryFileSystem()]) {
    for (const overwrite of [true, false]) {
      await using server = await TestServer.start({ home, server: { upload: { overwrite } } });
      await using client = await binaryLogin(server);
      await using other = await binaryLogin(server);
      await using data = await startTransfer(client, "STOR file");
      await other.expect(250, "DELE file");
      await other.store("file", OLD);
      await data.reset();
      assertStrictEquals((await client.readReply()).code, 426);
      assertEquals(await client.retrieve("file"), OLD);
      await client.expect(250, "DELE file");
    }
  }
});
