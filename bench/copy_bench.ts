// The copy loops of downloads and uploads between files and a connection that costs nothing, and the facts of a listing.

import { receiveFile, sendFile, sendLines } from "../lib/data/copy.ts";
import { Transfer } from "../lib/data/transfer.ts";
import type { DirectoryEntry } from "../lib/filesystem/filesystem.ts";
import { LocalFileSystem } from "../lib/filesystem/local/local_filesystem.ts";
import { FactFormatter } from "../lib/protocol/fact_formatter.ts";
import { UTF8 } from "../lib/protocol/text_encoding.ts";
import type { Connection } from "../lib/transport/connection.ts";

const MIB = 2 ** 20;
const FILE_BYTES = 64 * MIB;
const CHUNK = new Uint8Array(64 * 1024);

/** Takes all, and gives so many bytes. */
class NullConnection implements Connection {
  readonly local = { host: "127.0.0.1", port: 1 };
  readonly remote = { host: "127.0.0.1", port: 2 };
  readonly tls = undefined;
  readonly ending = "fin";
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  read(): Promise<Uint8Array | null> {
    const bytes = this.#left === 0 ? null : CHUNK.subarray(0, this.#left);
    this.#left -= bytes?.length ?? 0;
    return Promise.resolve(bytes);
  }

  write(): Promise<void> {
    return Promise.resolve();
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}
}

const folder = await Deno.makeTempDir({ prefix: "ftpsd-bench-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const fileSystem = new LocalFileSystem(folder);
await receive(FILE_BYTES, { ascii: false });
await Deno.mkdir(`${folder}/many`);
for (let index = 0; index < 1_000; index++) await Deno.writeTextFile(`${folder}/many/entry ${index}`, "");

async function receive(bytes: number, options: { readonly ascii: boolean }): Promise<void> {
  const file = await fileSystem.openWrite("/file", "truncate");
  await receiveFile(file, new NullConnection(bytes), new Transfer(), options);
  file.close();
}

async function send(options: { readonly ascii: boolean }): Promise<void> {
  const file = await fileSystem.openRead("/file");
  await sendFile(file, new NullConnection(0), new Transfer(), options);
  file.close();
}

// Deno waits for functions that are declared async only.
Deno.bench("sendFile(), 64 MiB", { group: "download" }, async () => await send({ ascii: false }));
Deno.bench("sendFile(), 64 MiB, TYPE A", { group: "download" }, async () => await send({ ascii: true }));
Deno.bench("receiveFile(), 64 MiB", { group: "upload" }, async () => await receive(FILE_BYTES, { ascii: false }));
Deno.bench(
  "receiveFile(), 64 MiB, TYPE A",
  { group: "upload" },
  async () => await receive(FILE_BYTES, { ascii: true }),
);

Deno.bench("LocalFileSystem.openRead() and close()", { group: "files" }, async () => {
  (await fileSystem.openRead("/many/entry 1")).close();
});

Deno.bench("LocalFileSystem.list(), 1,000 entries", { group: "listing", baseline: true }, async () => {
  for await (const _ of fileSystem.list("/many"));
});

Deno.bench("LocalFileSystem.listNames(), 1,000 entries", { group: "listing" }, async () => {
  for await (const _ of fileSystem.listNames("/many"));
});

Deno.bench("MLSD, 1,000 entries", { group: "listing" }, async () => {
  const facts = new FactFormatter("elr", ["modify", "perm", "size", "type"]);
  const format = ({ name, info }: DirectoryEntry) => `${facts.format(info)} ${name}\r\n`;
  await sendLines(fileSystem.list("/many"), format, new NullConnection(0), new Transfer(), UTF8);
});
