/**
 * A file system on a mount that may hang.
 *
 * @module
 */

import { resolve } from "node:path";
import type { FileClaims } from "../file_claims.ts";
import type {
  CallOptions,
  CreateOptions,
  DirectoryEntry,
  FileInfo,
  FileSystem,
  OpenReadOptions,
  ReadableFile,
  WritableFile,
  WriteMode,
} from "../filesystem.ts";
import { LocalFileSystem } from "./local_filesystem.ts";
import { type AskedMounts, MountProbe } from "./mount_probe.ts";

/** After so many entries of a listing the mount is asked again; so many are looked up at once. */
const BATCH_ENTRIES = 64;

/** Asks whether the mount answers before anything is done on it. Only who uses it waits when it does not. */
export class MountedFileSystem implements Required<Omit<FileSystem, "availableBytes">> {
  readonly listsSorted = true;
  /** There as in the file system below. */
  readonly availableBytes?: (path: string, options: CallOptions) => Promise<number>;
  readonly #files: LocalFileSystem;
  readonly #probe: MountProbe;

  /** Uses `files` once `probe` says that they answer. */
  constructor(files: LocalFileSystem, probe: MountProbe) {
    this.#files = files;
    this.#probe = probe;
    const { availableBytes } = files;
    if (availableBytes !== undefined) {
      this.availableBytes = (path, options) => this.#use(() => availableBytes(path, options), options);
    }
  }

  stat(path: string, options: CallOptions): Promise<FileInfo> {
    return this.#use(() => this.#files.stat(path, options), options);
  }

  lstat(path: string, options: CallOptions): Promise<FileInfo> {
    return this.#use(() => this.#files.lstat(path, options), options);
  }

  list(path: string, options: CallOptions): AsyncGenerator<DirectoryEntry, void, undefined> {
    return this.#each(this.#files.list(path, options), options);
  }

  listNames(path: string, options: CallOptions): AsyncGenerator<string, void, undefined> {
    return this.#each(this.#files.listNames(path, options), options);
  }

  async openRead(path: string, options: OpenReadOptions): Promise<ReadableFile> {
    const file = await this.#use(() => this.#files.openRead(path, options), options);
    if (!this.#probe.mayHang) return file;
    return {
      size: file.size,
      read: (buffer, options) => this.#use(() => file.read(buffer, options), options),
      close: () => this.#close(file),
    };
  }

  async openWrite(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> {
    const file = await this.#use(() => this.#files.openWrite(path, mode, options), options);
    if (!this.#probe.mayHang) return file;
    return {
      write: (bytes, options) => this.#use(() => file.write(bytes, options), options),
      finish: (options) => this.#use(() => file.finish(options), options),
      close: () => this.#close(file),
    };
  }

  remove(path: string, options: CallOptions): Promise<void> {
    return this.#use(() => this.#files.remove(path, options), options);
  }

  makeDirectory(path: string, options: CreateOptions): Promise<void> {
    return this.#use(() => this.#files.makeDirectory(path, options), options);
  }

  removeDirectory(path: string, options: CallOptions): Promise<void> {
    return this.#use(() => this.#files.removeDirectory(path, options), options);
  }

  rename(from: string, to: string, options: CallOptions): Promise<void> {
    return this.#use(() => this.#files.rename(from, to, options), options);
  }

  setModified(path: string, modified: Date, options: CallOptions): Promise<void> {
    return this.#use(() => this.#files.setModified(path, modified, options), options);
  }

  setMode(path: string, mode: number, options: CallOptions): Promise<void> {
    return this.#use(() => this.#files.setMode(path, mode, options), options);
  }

  #use<Result>(call: () => Promise<Result>, { signal }: CallOptions): Promise<Result> {
    const answered = this.#probe.answered(signal);
    return answered === undefined ? call() : answered.then(call);
  }

  /** Has to be done, however long it takes until the mount answers again. */
  async #close(file: ReadableFile | WritableFile): Promise<void> {
    await this.#probe.answered(new AbortController().signal);
    await file.close();
  }

  async *#each<Entry>(
    entries: AsyncGenerator<Entry, void, undefined>,
    { signal }: CallOptions,
  ): AsyncGenerator<Entry, void, undefined> {
    await this.#probe.answered(signal);
    let count = 0;
    for await (const entry of entries) {
      yield entry;
      if (++count % BATCH_ENTRIES === 0) await this.#probe.answered(signal);
    }
  }
}

/**
 * Makes what opens folders as homes; where one is on a network or FUSE mount that hangs, only the sessions on that mount wait.
 *
 * @param writeClaims Who writes what in all of them.
 */
export function homeOpener(writeClaims: FileClaims): (home: string) => FileSystem {
  const asked: AskedMounts = new Map();
  const roots = new Set<string>();
  return (home) => {
    const root = resolve(home);
    roots.add(root);
    const files = new LocalFileSystem(root, { writeClaims, roots });
    const probe = new MountProbe(root, { maySeeType: files.availableBytes !== undefined, asked });
    return new MountedFileSystem(files, probe);
  };
}
