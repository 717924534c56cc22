/**
 * A folder of the host as a file system.
 *
 * @module
 */

import { closeSync, statfsSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Containment, type FileIdentity, type HostEntry } from "./containment.ts";
import type {
  CreateOptions,
  DirectoryEntry,
  FileInfo,
  FileSystem,
  ReadableFile,
  WritableFile,
  WriteMode,
} from "./filesystem.ts";
import type { FileClaims } from "./file_claims.ts";
import { FileSystemError } from "./filesystem_error.ts";
import { asFileSystemError, onHost } from "./host_error.ts";
import { isAllowedName, joinHostPath } from "./host_path.ts";
import {
  APPEND,
  assertRegular,
  createDirectory,
  createRegular,
  LocalReadableFile,
  LocalWritableFile,
  type OpenFile,
  openRegular,
  READ,
  WRITE,
} from "./local_file.ts";
import { WriteClaims } from "./write_claims.ts";

/** Options of {@linkcode LocalFileSystem}. */
export interface LocalFileSystemOptions {
  /** Who writes what; share it among file systems whose roots overlap. @default {new WriteClaims()} */
  readonly writeClaims?: FileClaims;
}

/** Entries looked up in one go while listing, a millisecond at most on a local disk. */
const BATCH_ENTRIES = 64;

/**
 * The files below a folder of the host.
 *
 * A symbolic link is followed only while its target stays inside the root; one that leads outside does not exist for any
 * method. Only regular files are opened. Needs `--allow-read` for the root, and `--allow-write` for what changes it;
 * without that the changing methods reject with kind `"permissionDenied"`.
 *
 * @example
 * ```ts
 * import { LocalFileSystem } from "@ftpsd/ftpsd";
 *
 * const fileSystem = new LocalFileSystem("."); // or "/srv/ftp", "D:\\share"
 * for await (const { name, info } of fileSystem.list("/")) console.log(name, info.size);
 * ```
 */
export class LocalFileSystem implements FileSystem {
  readonly #containment: Containment;
  readonly #writeClaims: FileClaims;
  /** There only with `--allow-sys=statfs`. */
  readonly availableBytes?: (path: string) => Promise<number>;
  readonly listsSorted = true;

  /** Serves the folder `root`, which is looked up at first use; a relative one starts from the current directory of now. */
  constructor(root: string, options: LocalFileSystemOptions = {}) {
    this.#containment = new Containment(resolve(root));
    this.#writeClaims = options.writeClaims ?? new WriteClaims();
    if (maySeeFreeSpace()) this.availableBytes = (path) => attempt(path, () => this.#freeBytes(path));
  }

  stat(path: string): Promise<FileInfo> {
    return attempt(path, () => {
      const hostPath = this.#containment.locate(path);
      const info = this.#containment.inspect(hostPath);
      if (info.isSymlink || !this.#containment.holds(hostPath)) {
        throw new FileSystemError("notFound", `Cannot find "${path}" again`);
      }
      return toFileInfo(info);
    });
  }

  async *list(path: string): AsyncGenerator<DirectoryEntry, void, undefined> {
    const hostPath = onHost(path, () => this.#locateDirectory(path));
    try {
      // Names first: they take little room, and what is known of each is only held while its batch is sent.
      const names = await Array.fromAsync(Deno.readDir(hostPath), ({ name }) => name);
      names.sort();
      for (let start = 0; start < names.length; start += BATCH_ENTRIES) {
        yield* this.#lookUp(hostPath, names.slice(start, start + BATCH_ENTRIES));
        await setImmediate();
      }
    } catch (error) {
      throw asFileSystemError(error, path);
    }
  }

  async *listNames(path: string): AsyncGenerator<string, void, undefined> {
    const hostPath = onHost(path, () => this.#locateDirectory(path));
    const { rules } = this.#containment;
    try {
      const entries = await Array.fromAsync(Deno.readDir(hostPath));
      const isShown = ({ name, isSymlink }: Deno.DirEntry) =>
        isAllowedName(name, rules) &&
        (!isSymlink || this.#lookUpOne(joinHostPath(hostPath, [name], rules)) !== undefined);
      const names = entries.filter(isShown).map(({ name }) => name).sort();
      if (this.#containment.holds(hostPath)) yield* names;
    } catch (error) {
      throw asFileSystemError(error, path);
    }
  }

  openRead(path: string, options: { readonly offset?: number } = {}): Promise<ReadableFile> {
    return attempt(path, () => {
      const file = this.#open(this.#containment.locate(path), READ);
      return new LocalReadableFile(path, file, options.offset ?? 0);
    });
  }

  async openWrite(path: string, mode: WriteMode, options: CreateOptions = {}): Promise<WritableFile> {
    const { file, hostPath, isNew } = await attempt(path, () => this.#openForWriting(path, mode, options));
    const claim = await this.#claim(file, hostPath);
    const writable = new LocalWritableFile(path, file, claim);
    try {
      if (mode === "truncate" && !isNew) writable.truncate();
      if (typeof mode === "object") writable.seek(mode.offset);
      return writable;
    } catch (error) {
      writable.close();
      throw error;
    }
  }

  remove(path: string): Promise<void> {
    return attempt(path, () => {
      const { hostPath, info } = this.#existing(path);
      if (info.isDirectory) throw new FileSystemError("isDirectory", `Cannot remove directory "${path}" as a file`);
      Deno.removeSync(hostPath);
    });
  }

  makeDirectory(path: string, options: CreateOptions = {}): Promise<void> {
    return attempt(path, () => {
      if (path === "/") throw new FileSystemError("exists", "Cannot create the root: it exists");
      const { hostPath } = this.#containment.locateEntry(path);
      createDirectory(this.#containment, hostPath, 0o777 & ~(options.umask ?? 0));
    });
  }

  removeDirectory(path: string): Promise<void> {
    return attempt(path, () => {
      const { hostPath, info } = this.#existing(path);
      if (!info.isDirectory) throw new FileSystemError("notDirectory", `Cannot remove "${path}" as a directory`);
      Deno.removeSync(hostPath);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return attempt(from, () => {
      const source = this.#existing(from);
      const target = this.#containment.locateEntry(to);
      if (!isReplaceable(source.info, target)) {
        throw new FileSystemError("exists", `Cannot rename "${from}" to "${to}": that exists`);
      }
      Deno.renameSync(source.hostPath, target.hostPath);
    });
  }

  setModified(path: string, modified: Date): Promise<void> {
    return attempt(path, () => {
      const hostPath = this.#containment.locate(path);
      Deno.utimeSync(hostPath, this.#containment.inspect(hostPath).atime ?? modified, modified);
    });
  }

  setMode(path: string, mode: number): Promise<void> {
    return attempt(path, () => Deno.chmodSync(this.#containment.locate(path), mode));
  }

  #freeBytes(path: string): number {
    const { bavail, bsize } = statfsSync(this.#containment.locate(path));
    return bavail * bsize;
  }

  #locateDirectory(path: string): string {
    const hostPath = this.#containment.locate(path);
    if (!this.#containment.inspect(hostPath).isDirectory) {
      throw new FileSystemError("notDirectory", `Cannot list "${path}": it is no directory`);
    }
    return hostPath;
  }

  *#lookUp(hostPath: string, names: readonly string[]): Generator<DirectoryEntry, void, undefined> {
    const { rules } = this.#containment;
    const entries: DirectoryEntry[] = [];
    for (const name of names) {
      const info = isAllowedName(name, rules) ? this.#lookUpOne(joinHostPath(hostPath, [name], rules)) : undefined;
      if (info !== undefined) entries.push({ name, info: toFileInfo(info) });
    }
    // Nothing is shown of a directory that was replaced by a link to another while it was read
    if (this.#containment.holds(hostPath)) yield* entries;
  }

  #lookUpOne(hostPath: string): Deno.FileInfo | undefined {
    try {
      const info = Deno.lstatSync(hostPath);
      return info.isSymlink ? this.#containment.inspect(this.#containment.follow(hostPath)) : info;
    } catch {
      // Vanished, dangling, escaping, forbidden or not UTF-8: one such entry must not spoil the listing
      return undefined;
    }
  }

  #existing(path: string): HostEntry & { readonly info: Deno.FileInfo } {
    const entry = this.#containment.locateEntry(path);
    if (entry.info === undefined) throw new FileSystemError("notFound", `Cannot find "${path}"`);
    return { ...entry, info: entry.info };
  }

  #open(hostPath: string, flags: number): OpenFile {
    // Before opening too: some devices act on being opened
    assertRegular(this.#containment.inspect(hostPath));
    return openRegular(this.#containment, hostPath, flags);
  }

  #openForWriting(path: string, mode: WriteMode, options: CreateOptions): OpenedForWriting {
    if (path === "/") throw new FileSystemError("isDirectory", "Cannot write to the root");
    const entry = this.#containment.locateEntry(path);
    if (entry.info === undefined) {
      if (typeof mode === "object") throw new FileSystemError("notFound", `Cannot resume "${path}": it does not exist`);
      const file = createRegular(this.#containment, entry.hostPath, 0o666 & ~(options.umask ?? 0));
      return { file, hostPath: entry.hostPath, isNew: true };
    }
    if (entry.target === undefined) throw new FileSystemError("notFound", `Cannot write to dangling link "${path}"`);
    if (mode === "createNew") throw new FileSystemError("exists", `Cannot create "${path}": it exists`);
    const hostPath = this.#containment.locate(path);
    return { file: this.#open(hostPath, mode === "append" ? APPEND : WRITE), hostPath, isNew: false };
  }

  /** Nothing has been changed before the claim stands; the file stays the same whatever its path leads to meanwhile. */
  async #claim(file: OpenFile, hostPath: string): Promise<Disposable> {
    try {
      return await this.#writeClaims.claim(unique(file.stats) ?? hostPath);
    } catch (error) {
      closeSync(file.fd);
      throw error;
    }
  }
}

/** A file that was opened and not changed yet. */
interface OpenedForWriting {
  readonly file: OpenFile;
  readonly hostPath: string;
  readonly isNew: boolean;
}

function maySeeFreeSpace(): boolean {
  // The runtime knows this permission; its types do not yet.
  const descriptor = { name: "sys", kind: "statfs" } as unknown as Deno.SysPermissionDescriptor;
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function attempt<T>(path: string, operation: () => T): Promise<T> {
  return Promise.try(() => onHost(path, operation));
}

function isReplaceable(source: Deno.FileInfo, target: HostEntry): boolean {
  if (target.info === undefined) return true;
  // The same file by another spelling, on systems that do not tell case apart
  if (unique(source) !== undefined && unique(source) === unique(target.info)) return true;
  return !source.isDirectory && !target.target?.isDirectory;
}

function toFileInfo(info: Deno.FileInfo): FileInfo {
  return {
    type: info.isFile ? "file" : info.isDirectory ? "directory" : "other",
    size: info.size,
    modified: info.mtime ?? undefined,
    mode: info.mode === null ? undefined : info.mode & 0o7777,
    links: info.nlink ?? undefined,
    uid: info.uid ?? undefined,
    gid: info.gid ?? undefined,
    unique: unique(info),
  };
}

function unique({ dev, ino }: FileIdentity): string | undefined {
  return !ino ? undefined : `${dev.toString(16)}g${ino.toString(16)}`;
}
