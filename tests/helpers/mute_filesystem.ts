/**
 * A file system of which one method never answers, until the test lets it.
 *
 * @module
 */

import type {
  CallOptions,
  DirectoryEntry,
  FileSystem,
  ReadableFile,
  WritableFile,
} from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";

/** What can be made mute: a method of the file system, or of a file that it opens. */
export type MuteMethod = Exclude<keyof FileSystem, "listsSorted"> | "read" | "write" | "finish" | "close";

/** A file system with `/file` of 300,000 bytes and `/dir`, which heeds no signal. */
export class MuteFileSystem {
  /** What the server gets. */
  readonly fileSystem: FileSystem;
  /** The signals that the mute method was called with. */
  readonly signals: AbortSignal[] = [];
  /** Calls of `close()` on files. */
  closed = 0;
  /** Files that have opened. */
  opened = 0;
  readonly #files: MemoryFileSystem = MemoryFileSystem.of({ "/file": "x".repeat(300_000), "/dir/entry": "1" });
  readonly #method: MuteMethod;
  readonly #called = Promise.withResolvers<void>();
  readonly #gate = Promise.withResolvers<void>();

  /** Makes one method mute. */
  constructor(method: MuteMethod) {
    this.#method = method;
    this.fileSystem = this.#proxy(this.#files);
  }

  /** Resolves when the mute method was called. */
  get called(): Promise<void> {
    return this.#called.promise;
  }

  /** Lets the call do what it was asked for. */
  release(): void {
    this.#gate.resolve();
  }

  /** Lets the call fail. */
  fail(error: unknown): void {
    this.#gate.reject(error);
  }

  async #pass(method: string, { signal }: CallOptions): Promise<void> {
    if (method !== this.#method) return;
    this.signals.push(signal);
    this.#called.resolve();
    await this.#gate.promise;
  }

  #proxy(files: MemoryFileSystem): FileSystem {
    const pass = (method: MuteMethod, options: CallOptions) => this.#pass(method, options);
    return {
      stat: async (path, options) => {
        await pass("stat", options);
        return await files.stat(path);
      },
      list: (path, options) => this.#list(path, options),
      async *listNames(path, options) {
        await pass("listNames", options);
        for await (const { name } of files.list(path)) yield name;
      },
      openRead: async (path, options) => {
        await pass("openRead", options);
        return this.#readable(await files.openRead(path, options));
      },
      openWrite: async (path, mode, options) => {
        await pass("openWrite", options);
        return this.#writable(await files.openWrite(path, mode, options));
      },
      remove: async (path, options) => {
        await pass("remove", options);
        await files.remove(path);
      },
      makeDirectory: async (path, options) => {
        await pass("makeDirectory", options);
        await files.makeDirectory(path, options);
      },
      removeDirectory: async (path, options) => {
        await pass("removeDirectory", options);
        await files.removeDirectory(path);
      },
      rename: async (from, to, options) => {
        await pass("rename", options);
        await files.rename(from, to);
      },
      setModified: async (path, modified, options) => {
        await pass("setModified", options);
        await files.setModified(path, modified);
      },
      setMode: async (path, mode, options) => {
        await pass("setMode", options);
        await files.setMode(path, mode);
      },
      availableBytes: async (path, options) => {
        await pass("availableBytes", options);
        return await files.availableBytes(path);
      },
    };
  }

  async *#list(path: string, options: CallOptions): AsyncGenerator<DirectoryEntry, void, undefined> {
    await this.#pass("list", options);
    yield* this.#files.list(path);
  }

  #readable(file: ReadableFile): ReadableFile {
    this.opened++;
    return {
      size: file.size,
      read: async (buffer, options) => {
        await this.#pass("read", options);
        return await file.read(buffer, options);
      },
      close: () => this.#close(file),
    };
  }

  #writable(file: WritableFile): WritableFile {
    this.opened++;
    return {
      write: async (bytes, options) => {
        await this.#pass("write", options);
        await file.write(bytes, options);
      },
      finish: async (options) => {
        await this.#pass("finish", options);
        await file.finish(options);
      },
      close: () => this.#close(file),
    };
  }

  async #close(file: ReadableFile | WritableFile): Promise<void> {
    this.closed++;
    await file.close();
    await this.#pass("close", { signal: new AbortController().signal });
  }
}
