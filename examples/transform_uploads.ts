/**
 * A file system of its own: what is uploaded as `report.txt` is stored as `report.txt.gz`, compressed on its way.
 *
 * Each upload streams through a `CompressionStream`. It is never whole in memory: a disk that is slow makes the client
 * slow, as `write()` is done only when the piece before has gone on. A file appears when all of it has come; an upload that
 * is cut leaves nothing. Modes of writing that make no sense here (REST, APPE, STOU) are refused, and the methods that are
 * left out (remove, rename and so on) are commands that are not there (502).
 *
 * ```sh
 * mkdir -p archive
 * deno run --allow-net=127.0.0.1 --allow-read=archive --allow-write=archive examples/transform_uploads.ts archive 2121
 * ```
 *
 * Try:
 *
 * ```sh
 * curl --ssl-reqd --insecure --user user:12345 --upload-file README.md ftp://127.0.0.1:2121/
 * gzip -dc archive/README.md.gz
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { type FileSystem, FileSystemError, FtpServer, LocalFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";
import type { CallOptions, CreateOptions, DirectoryEntry, FileInfo, FinishOptions } from "@ftpsd/ftpsd";
import type { OpenReadOptions, ReadableFile, WritableFile, WriteMode } from "@ftpsd/ftpsd";

/** Reads as the folder below it; what is written is compressed. */
class CompressingFileSystem implements FileSystem {
  readonly #files: LocalFileSystem;

  constructor(files: LocalFileSystem) {
    this.#files = files;
  }

  stat(path: string, options: CallOptions): Promise<FileInfo> {
    return this.#files.stat(path, options);
  }

  list(path: string, options: CallOptions): AsyncIterable<DirectoryEntry> {
    return this.#files.list(path, options);
  }

  openRead(path: string, options: OpenReadOptions): Promise<ReadableFile> {
    return this.#files.openRead(path, options);
  }

  async openWrite(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> {
    if (mode !== "truncate" && mode !== "replace") throw new FileSystemError("unsupported", "Only whole files");
    // Until finish(), nobody sees the new file, and the old one stays.
    return new CompressedFile(await this.#files.openWrite(`${path}.gz`, "replace", options));
  }
}

/** What goes in comes out compressed in another file. */
class CompressedFile implements WritableFile {
  readonly #target: WritableFile;
  readonly #writer: WritableStreamDefaultWriter<BufferSource>;
  /** Aborted when nobody wants the rest. */
  readonly #abandoned = new AbortController();
  /** Settles when everything that came out is in the target. */
  readonly #copied: Promise<void>;

  constructor(target: WritableFile) {
    const { readable, writable } = new CompressionStream("gzip");
    this.#target = target;
    this.#writer = writable.getWriter();
    const { signal } = this.#abandoned;
    this.#copied = readable.pipeTo(new WritableStream({ write: (bytes) => target.write(bytes, { signal }) }));
    this.#copied.catch(() => {}); // write() and finish() reject with the same error.
  }

  /** Resolves when the compressor has taken the bytes, which it does not before there is place behind it. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#writer.write(bytes);
  }

  /** All of it has come: the file gets its name. */
  async finish(options: FinishOptions): Promise<void> {
    this.#writer.close().catch(() => {}); // It fails only when the copying has failed, which knows why.
    await this.#copied;
    await this.#target.finish(options);
  }

  /** Without finish() before it, the target has no name yet and vanishes. */
  close(): void {
    this.#abandoned.abort();
    this.#writer.abort().catch(() => {}); // It has failed, or is done.
    this.#target.close();
  }
}

const [folder = "archive", port = "2121"] = Deno.args;
const authorizer = new VirtualAuthorizer();
const home = new CompressingFileSystem(new LocalFileSystem(folder));
authorizer.addUser("user", "12345", home, { permissions: "elrw" });

await using server = new FtpServer({
  authorizer,
  listen: [{ host: "127.0.0.1", port: Number(port) }],
  on: { internalError: ({ message }) => console.error(message) }, // What it throws beside FileSystemError.
});
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
