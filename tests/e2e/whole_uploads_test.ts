import { assert, assertEquals, assertMatch } from "@std/assert";
import { type FileSystem, FileSystemError, type FileSystemErrorKind } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { startTransfer } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { PROTECTIONS, TestServer, type TestServerOptions } from "../helpers/test_server.ts";

const OLD = "old content";
const NEW = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
const KEPT_BYTES = 70_000;

async function start(options: TestServerOptions = {}) {
  const stack = new AsyncDisposableStack();
  const home = MemoryFileSystem.of({ "/old": OLD }, { uploadsAppearWhole: true });
  const server = stack.use(await TestServer.start({ home, ...options }));
  const client = stack.use(await server.login());
  await client.expect(200, "TYPE I");
  return { stack, client, server, home };
}

/** Begins an upload and cuts it. */
async function cut(client: RawClient, line: string): Promise<void> {
  await using data = await startTransfer(client, line);
  await data.write(NEW.subarray(0, KEPT_BYTES));
  await data.reset();
  assertEquals((await client.readReply(line)).code, 426);
}

async function upload(client: RawClient, line: string, bytes: Uint8Array): Promise<number> {
  await using data = await startTransfer(client, line);
  await data.write(bytes);
  await data.finish();
  return (await client.readReply(line)).code;
}

/** How much is kept of an upload, as its client is told. */
async function kept(client: RawClient, path: string): Promise<number> {
  const size = Number((await client.expect(213, `SIZE ${path}`)).lines[0]);
  assertMatch((await client.expect(250, `MLST ${path}`)).lines.join("\n"), new RegExp(`size=${size};.*type=file;`));
  return size;
}

for (const protection of PROTECTIONS) {
  Deno.test(`An upload to a store that shows it whole goes on after a cut, by REST and by APPE: ${protection}`, async () => {
    const { stack, client } = await start({ protection });
    await using _ = stack;
    for (const verb of ["STOR", "APPE"]) {
      await cut(client, `STOR ${verb}`);
      const size = await kept(client, verb);
      assert(size > 0 && size <= KEPT_BYTES, `${size}`);
      await client.expect(550, `RETR ${verb}`);
      if (verb === "STOR") await client.expect(350, `REST ${size}`);
      assertEquals(await upload(client, `${verb} ${verb}`, NEW.subarray(size)), 226);
      assertEquals(await client.retrieve(verb), NEW);
      assertEquals((await client.expect(213, `SIZE ${verb}`)).lines[0], String(NEW.length));
    }
  });
}

Deno.test("An upload in the place of an old file that is cut leaves the old file, and can go on", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  await cut(client, "STOR old");
  assertEquals(new TextDecoder().decode(await client.retrieve("old")), OLD);
  const size = await kept(client, "old");
  await client.expect(350, `REST ${size}`);
  assertEquals(await upload(client, "STOR old", NEW.subarray(size)), 226);
  assertEquals(await client.retrieve("old"), NEW);
});

Deno.test("REST behind what is kept gets 554, and what is kept stays", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  await cut(client, "STOR new");
  const size = await kept(client, "new");
  await client.expect(350, `REST ${size + 1}`);
  await using _data = await client.passive();
  assertEquals(
    (await client.expect(554, "STOR new")).lines[0],
    "Can't go on at this REST position; SIZE tells where.",
  );
  assertEquals(await kept(client, "new"), size);
});

Deno.test("STOU and STOR without overwriting take free names alone, and go on after a cut", async () => {
  const { stack, client } = await start({ server: { upload: { overwrite: false } } });
  await using _ = stack;
  await using _data = await client.passive();
  assertEquals((await client.expect(550, "STOR old")).lines[0], "File exists.");
  await cut(client, "STOR new");
  const size = await kept(client, "new");
  await client.expect(350, `REST ${size}`);
  assertEquals(await upload(client, "STOR new", NEW.subarray(size)), 226);
  assertEquals(await client.retrieve("new"), NEW);
  assertEquals(await upload(client, "STOU", NEW), 226);
  assertEquals((await client.list("NLST")).trim().split("\r\n").length, 3);
});

Deno.test("HASH and XSHA256 report a digest that the file system knows without reading the file", async () => {
  const files: FileSystem = MemoryFileSystem.of({ "/a": "content" });
  const home: FileSystem = {
    stat: (...args) => files.stat(...args),
    list: (...args) => files.list(...args),
    openRead: () => Promise.reject(new FileSystemError("permissionDenied", "It was read")),
    digest: (_path, algorithm) => Promise.resolve(algorithm === "SHA-256" ? { hex: "00ff", bytes: 12_345 } : undefined),
  };
  const { stack, client } = await start({ home });
  await using _ = stack;
  assertEquals((await client.expect(213, "HASH /a")).lines[0], "SHA-256 0-12345 00ff /a");
  assertEquals((await client.expect(250, "XSHA256 /a")).lines[0], "00FF");
  await client.expect(550, "XSHA256 /a 0 10"); // a part has to be read
  await client.expect(550, "XMD5 /a");
});

for (
  const [kind, text, isLogged] of [
    ["unavailable", "451 Files are not available now, try again later.", true],
    ["quotaExceeded", "552 Quota exceeded.", false],
  ] as readonly [FileSystemErrorKind, string, boolean][]
) {
  Deno.test(`An upload whose end fails by "${kind}" gets ${text}`, async () => {
    const files = MemoryFileSystem.of({}, { uploadsAppearWhole: true });
    const home: FileSystem = {
      stat: (...args) => files.stat(...args),
      list: (...args) => files.list(...args),
      openRead: (...args) => files.openRead(...args),
      openWrite: async (...args) => {
        const file = await files.openWrite(...args);
        return {
          write: (...args) => file.write(...args),
          close: () => file.close(),
          finish: () => Promise.reject(new FileSystemError(kind, "bucket secret-name says no")),
        };
      },
    };
    const { stack, client, server } = await start({ home });
    await using _ = stack;
    await using data = await startTransfer(client, "STOR new");
    await data.write(NEW);
    await data.finish();
    assertEquals((await client.readReply("STOR")).text, text);
    await client.expect(200, "NOOP");
    const logged = server.events.filter(({ event }) => event === "internalError");
    assertEquals(logged.length, isLogged ? 1 : 0);
    assertEquals(server.events.filter(({ event }) => event === "fileReceived"), []);
    server.events.length = 0; // an internal error that is left would fail the test
  });
}
