import { assertEquals } from "@std/assert";
import { LocalFileSystem } from "../../lib/filesystem/local/local_filesystem.ts";
import type { WritableFile, WriteMode } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import type { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

const OLD = new TextEncoder().encode("old content");
const NEW = new Uint8Array(300_000).fill(65);
const ATOMIC = { upload: { atomic: true } };

async function names(folder: TemporaryFolder): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder.path), ({ name }) => name)).sort();
}

/** A folder with an old file in it, and a server that shares it. */
async function start(): Promise<{ readonly folder: TemporaryFolder; readonly server: TestServer }> {
  const folder = await TemporaryFolder.create();
  await Deno.writeFile(`${folder.path}/file`, OLD);
  return { folder, server: await TestServer.start({ home: folder.path, server: ATOMIC }) };
}

async function login(server: TestServer): Promise<RawClient> {
  const client = await server.login();
  await client.expect(200, "TYPE I");
  return client;
}

/** Begins to replace the file, and waits until the server has written some of it. */
async function begin(client: RawClient, folder: TemporaryFolder): Promise<RawDataConnection> {
  const data = await client.passive();
  await client.expect(150, "STOR file");
  await data.secure();
  await data.write(NEW.subarray(0, 200_000));
  const temporary = (await names(folder)).find((name) => name !== "file") ?? "";
  while ((await Deno.stat(`${folder.path}/${temporary}`)).size === 0) {
    await client.expect(211, "STAT");
  }
  return data;
}

Deno.test("upload.atomic shows others the old file until the new one is there, whole", async () => {
  const { folder, server } = await start();
  await using _folder = folder;
  await using _server = server;
  await using writer = await login(server);
  await using reader = await login(server);
  await using data = await begin(writer, folder);
  assertEquals(await reader.retrieve("file"), OLD);
  await data.write(NEW.subarray(200_000));
  assertEquals(await reader.retrieve("file"), OLD);
  await data.finish();
  assertEquals((await writer.readReply("STOR")).code, 226);
  assertEquals(await reader.retrieve("file"), NEW);
  assertEquals(await names(folder), ["file"]);
});

Deno.test("upload.atomic gives who reads the old file all of it, though it is replaced meanwhile", async () => {
  await using folder = await TemporaryFolder.create();
  const large = new Uint8Array(8 * 2 ** 20).fill(66);
  await Deno.writeFile(`${folder.path}/file`, large);
  await using server = await TestServer.start({ home: folder.path, server: ATOMIC });
  await using reader = await login(server);
  await using data = await reader.passive();
  await reader.expect(150, "RETR file");
  await using writer = await login(server);
  await writer.store("file", NEW);
  await data.secure();
  assertEquals((await data.readAll()).length, large.length);
  assertEquals((await reader.readReply("RETR")).code, 226);
  assertEquals(await writer.retrieve("file"), NEW);
});

/** Ends that leave an upload incomplete, each with the codes that follow. */
const CUTS: readonly (readonly [
  how: string,
  cut: (data: RawDataConnection, client: RawClient, server: TestServer) => Promise<unknown>,
])[] = [
  ["is cut by RST", async (data, client) => {
    await data.reset();
    assertEquals((await client.readReply("RST")).code, 426);
  }],
  ["is aborted", async (_data, client) => {
    await client.expect(426, "ABOR");
    assertEquals((await client.readReply("ABOR")).code, 226);
  }],
  ["ends without close_notify", async (data, client) => {
    await data[Symbol.asyncDispose]();
    assertEquals((await client.readReply("FIN")).code, 426);
  }],
  ["loses its control connection", async (_data, client, server) => {
    await client.reset();
    await server.event("disconnected");
  }],
  ["is cut because the server stops", async (_data, _client, server) => {
    await server.server.shutdown();
  }],
];

for (const [how, cut] of CUTS) {
  Deno.test(`upload.atomic keeps the old file, and leaves no other one, when an upload ${how}`, async () => {
    const { folder, server } = await start();
    await using _folder = folder;
    await using _server = server;
    await using client = await login(server);
    await using data = await begin(client, folder);
    assertEquals((await names(folder)).length, 2);
    await cut(data, client, server);
    await server.event("transferIncomplete");
    assertEquals(await names(folder), ["file"]);
    assertEquals(await Deno.readFile(`${folder.path}/file`), OLD);
  });
}

Deno.test("upload.atomic makes a file that was not there, and leaves none of an upload that is cut", async () => {
  const { folder, server } = await start();
  await using _folder = folder;
  await using _server = server;
  await using client = await login(server);
  await client.store("new", NEW);
  assertEquals(await names(folder), ["file", "new"]);
  await using data = await client.passive();
  await client.expect(150, "STOR newer");
  await data.secure();
  await data.reset();
  assertEquals((await client.readReply("RST")).code, 426);
  assertEquals(await names(folder), ["file", "new"]);
});

Deno.test("upload.atomic refuses a folder's name before any byte is sent", async () => {
  const { folder, server } = await start();
  await using _folder = folder;
  await using _server = server;
  await Deno.mkdir(`${folder.path}/folder`);
  await using client = await login(server);
  await using _data = await client.passive();
  await client.expect(550, "STOR folder");
  assertEquals(await names(folder), ["file", "folder"]);
});

Deno.test("upload.atomic writes APPE and REST in place", async () => {
  const { folder, server } = await start();
  await using _folder = folder;
  await using _server = server;
  await using client = await login(server);
  await client.store("file", new TextEncoder().encode("!"), "APPE");
  await client.expect(350, "REST 4");
  await client.store("file", new TextEncoder().encode("CONTENT!"));
  assertEquals(await Deno.readTextFile(`${folder.path}/file`), "old CONTENT!");
});

/** Remembers how files are opened and what is done with them. */
class RecordingFileSystem extends MemoryFileSystem {
  readonly calls: string[] = [];

  override async openWrite(path: string, mode: WriteMode): Promise<WritableFile> {
    this.calls.push(`open ${mode}`);
    const file = await super.openWrite(path, mode);
    return {
      write: (bytes) => {
        if (this.calls.at(-1) !== "write") this.calls.push("write");
        return file.write(bytes, UNABORTED);
      },
      finish: (options) => {
        this.calls.push(`finish ${JSON.stringify({ sync: options?.sync })}`);
        return file.finish(options);
      },
      close: () => {
        this.calls.push("close");
        file.close();
      },
    };
  }
}

for (const [atomic, sync] of [[false, false], [false, true], [true, false], [true, true]] as const) {
  Deno.test(`upload { atomic: ${atomic}, sync: ${sync} } decides how a file is opened and finished`, async () => {
    const home = new RecordingFileSystem();
    await using server = await TestServer.start({ home, server: { upload: { atomic, sync } } });
    await using client = await login(server);
    await client.store("file", OLD);
    const mode = atomic ? "replace" : "truncate";
    assertEquals(home.calls, [`open ${mode}`, "write", `finish ${JSON.stringify({ sync })}`, "close"]);
  });
}

Deno.test("LocalFileSystem syncs a file that upload.sync asks for", async () => {
  await using folder = await TemporaryFolder.create();
  const home = new LocalFileSystem(folder.path);
  await using server = await TestServer.start({ home, server: { upload: { sync: true } } });
  await using client = await login(server);
  await client.store("file", NEW);
  assertEquals(await Deno.readFile(`${folder.path}/file`), NEW);
});
