/**
 * A folder of the host as a file system.
 *
 * @module
 */

import { fchmodSync, futimesSync, statfsSync } from "node:fs";
import { resolve } from "node:path";
import { Containment } from "./containment.ts";
import { type HostLocation, type LocatedEntry, type LocatedFile, unique } from "./path_snapshot.ts";
import {
  type CallOptions,
  type CreateOptions,
  type DirectoryEntry,
  type FileInfo,
  type FileSystem,
  FileSystemError,
  type OpenReadOptions,
  type ReadableFile,
  type WritableFile,
  type WriteMode,
} from "../filesystem.ts";
import type { FileClaims } from "../file_claims.ts";
import { EntryBatches } from "../entry_batches.ts";
import { asFileSystemError, onHost } from "./host_error.ts";
import { HOST_RULES, parentHostPath } from "./host_path.ts";
import { StaleUploads } from "./stale_uploads.ts";
import { listEntries, listEntryNames, listEntryTypes, toFileInfo, toLinkInfo } from "./local_directory.ts";
import { LocalReadableFile, LocalWritableFile } from "./local_file.ts";
import { createReplacement } from "./local_replacement.ts";
import {
  APPEND,
  assertRegular,
  assertStillTaken,
  changeAttributes,
  claimOpened,
  claimReplaced,
  createDirectory,
  createRegular,
  createStable,
  type OpenFile,
  openRecalled,
  openRegular,
  READ,
  WRITE,
} from "./open_file.ts";
import { WriteClaims } from "../write_claims.ts";

/** Options of {@linkcode LocalFileSystem}. */
export interface LocalFileSystemOptions {
  /** Who writes what; share it among file systems whose roots overlap. @default {new WriteClaims()} */
  readonly writeClaims?: FileClaims;
  /** Other folders that somebody has as a root, as resolved host paths: their modes cannot be changed from here. @default {none} */
  readonly roots?: ReadonlySet<string>;
}

/**
 * The files below a folder of the host.
 *
 * A symbolic link is followed only while its target stays inside the root; one that leads outside is like one that leads
 * nowhere. Only regular files are opened. Needs `--allow-read` for the root, and `--allow-write` for what changes it;
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
  readonly #staleUploads: StaleUploads;
  readonly #roots: ReadonlySet<string>;
  /** There only with `--allow-sys=statfs`. */
  readonly availableBytes?: (path: string, options?: Partial<CallOptions>) => Promise<number>;
  readonly listsSorted = true;

  /** Serves the folder `root`, which is looked up at first use; a relative one starts from the current directory of now. */
  constructor(root: string, options: LocalFileSystemOptions = {}) {
    this.#containment = new Containment(resolve(root));
    this.#writeClaims = options.writeClaims ?? new WriteClaims();
    this.#roots = options.roots ?? new Set();
    this.#staleUploads = new StaleUploads(this.#containment, this.#writeClaims);
    if (maySeeFreeSpace()) this.availableBytes = (path) => attempt(path, () => this.#freeBytes(path));
  }

  stat(path: string, _options?: Partial<CallOptions>): Promise<FileInfo> {
    return attempt(path, () => {
      const { info, snapshot } = this.#containment.recall(path) ?? {};
      if (info !== undefined && snapshot?.isUnchanged()) return toFileInfo(info);
      return toFileInfo(this.#assertInside(path, this.#containment.locate(path)).info);
    });
  }

  lstat(path: string, _options?: Partial<CallOptions>): Promise<FileInfo> {
    return attempt(path, () => {
      const target = this.#assertInside(path, this.#containment.locate(path));
      if (path === "/" || !target.info.isDirectory) return toFileInfo(target.info);
      const { info, ...name } = this.#existing(path);
      if (!info.isSymlink) return toFileInfo(target.info);
      this.#assertInside(path, { ...name, info });
      return toLinkInfo(info, this.#containment.virtualPath(target.hostPath));
    });
  }

  list(path: string, _options?: Partial<CallOptions>): AsyncIterable<DirectoryEntry> {
    return new EntryBatches(this.#list(path, listEntries));
  }

  listNames(path: string, _options?: Partial<CallOptions>): AsyncIterable<string> {
    return new EntryBatches(this.#list(path, listEntryNames));
  }

  listTypes(path: string, _options?: Partial<CallOptions>): AsyncIterable<DirectoryEntry> {
    return new EntryBatches(this.#list(path, listEntryTypes));
  }

  openRead(path: string, options: Partial<OpenReadOptions> = {}): Promise<ReadableFile> {
    return attempt(path, () => {
      const recalled = this.#containment.recall(path);
      const file = recalled && openRecalled(recalled, READ) ||
        openRegular(this.#containment, this.#containment.locate(path), READ);
      return new LocalReadableFile(path, file, options.offset ?? 0);
    });
  }

  async openWrite(path: string, mode: WriteMode, options: Partial<CreateOptions> = {}): Promise<WritableFile> {
    if (path === "/") throw new FileSystemError("isDirectory", "Cannot write to the root");
    const permissions = 0o666 & ~(options.umask ?? 0);
    if (mode === "replace" || mode === "place") {
      return await this.#openReplacement(path, mode, { permissions, signal: options.signal });
    }
    const { file, hostPath, isNew } = onHost(path, () => this.#openForWriting(path, mode, permissions));
    // Nothing has been changed before the claim is granted; the file stays the same whatever its path leads to meanwhile.
    const claim = await claimOpened(this.#writeClaims, file, { hostPath, isNew, signal: options.signal });
    const writable = new LocalWritableFile(path, hostPath, file, claim);
    try {
      if (isNew) writable.removeIfUnused();
      else if (mode === "truncate") writable.truncate();
      if (typeof mode === "object") writable.seek(mode.offset);
      return writable;
    } catch (error) {
      writable.close();
      throw error;
    }
  }

  remove(path: string, _options?: Partial<CallOptions>): Promise<void> {
    return attempt(path, () => {
      const entry = this.#existing(path);
      if (entry.info.isDirectory) {
        throw new FileSystemError("isDirectory", `Cannot remove directory "${path}" as a file`);
      }
      this.#containment.assertStable(entry);
      Deno.removeSync(entry.hostPath);
    });
  }

  makeDirectory(path: string, options: Partial<CreateOptions> = {}): Promise<void> {
    return attempt(path, () => {
      if (path === "/") throw new FileSystemError("exists", "Cannot create the root: it exists");
      createDirectory(this.#containment, this.#containment.locateEntry(path), 0o777 & ~(options.umask ?? 0));
    });
  }

  async removeDirectory(path: string, _options?: Partial<CallOptions>): Promise<void> {
    try {
      onHost(path, () => this.#removeDirectory(path));
    } catch (error) {
      if (!(error instanceof FileSystemError && error.kind === "directoryNotEmpty")) throw error;
      // What nobody sees must not keep it
      if (await this.#cleanUnseen(path) === 0) throw error;
      onHost(path, () => this.#removeDirectory(path));
    }
  }

  async rename(from: string, to: string, options: Partial<CallOptions> = {}): Promise<void> {
    const taken = onHost(from, () => this.#locateRenaming(from, to).target);
    using _claim = await claimReplaced(this.#writeClaims, taken, options.signal);
    onHost(from, () => {
      const { source, target } = this.#locateRenaming(from, to);
      assertStillTaken(taken, target.info);
      this.#containment.assertStable(source);
      this.#containment.assertStable(target);
      Deno.renameSync(source.hostPath, target.hostPath);
    });
  }

  setModified(path: string, modified: Date, _options?: Partial<CallOptions>): Promise<void> {
    return attempt(path, () => {
      const located = this.#containment.locate(path);
      const accessed = located.info.atime ?? modified;
      changeAttributes(this.#containment, located, {
        ofOpenFile: (fd) => futimesSync(fd, accessed, modified),
        byPath: (hostPath) => Deno.utimeSync(hostPath, accessed, modified),
      });
    });
  }

  /** The mode of the root, of other roots below it, and of folders that hold one belongs to who runs the server. */
  setMode(path: string, mode: number, _options?: Partial<CallOptions>): Promise<void> {
    return attempt(path, () => {
      const located = this.#containment.locate(path);
      if (located.info.isDirectory && this.#containment.includesRoot(located.hostPath, this.#roots)) {
        throw new FileSystemError("permissionDenied", `Cannot change the mode of a root, or above one: "${path}"`);
      }
      changeAttributes(this.#containment, located, {
        ofOpenFile: (fd) => fchmodSync(fd, mode),
        byPath: (hostPath) => Deno.chmodSync(hostPath, mode),
      });
    });
  }

  #freeBytes(path: string): number {
    const { hostPath, info } = this.#containment.locate(path);
    const { bavail, bsize } = statfsSync(hostPath);
    if (this.#containment.isInside(hostPath, info)) return bavail * bsize;
    throw new FileSystemError("notFound", `Cannot find "${path}" again`);
  }

  async *#list<Entry>(
    path: string,
    listIn: (containment: Containment, path: string) => AsyncGenerator<readonly Entry[], void, undefined>,
  ): AsyncGenerator<readonly Entry[], void, undefined> {
    try {
      yield* listIn(this.#containment, path);
    } catch (error) {
      throw asFileSystemError(error, path);
    }
  }

  /** Returns what was located once it is sure to be inside the root. */
  #assertInside(path: string, located: LocatedFile): LocatedFile {
    if (this.#containment.contains(located)) return located;
    throw new FileSystemError("notFound", `Cannot find "${path}" again`);
  }

  #existing(path: string): LocatedEntry & { readonly info: Deno.FileInfo } {
    const entry = this.#containment.locateEntry(path);
    if (entry.info === undefined) throw new FileSystemError("notFound", `Cannot find "${path}"`);
    return { ...entry, info: entry.info };
  }

  #locateRenaming(from: string, to: string): { readonly source: LocatedEntry; readonly target: LocatedEntry } {
    const source = this.#existing(from);
    if (source.target === undefined) throw new FileSystemError("notFound", `Cannot rename dangling link "${from}"`);
    const target = this.#containment.locateEntry(to);
    if (isReplaceable(source.info, target)) return { source, target };
    throw new FileSystemError("exists", `Cannot rename "${from}" to "${to}": that exists`);
  }

  async #cleanUnseen(path: string): Promise<number> {
    try {
      const removed = await this.#staleUploads.clean(this.#containment.locateDirectory(path));
      return removed + await this.#staleUploads.removeDeadLinks(path);
    } catch (error) {
      throw asFileSystemError(error, path);
    }
  }

  #removeDirectory(path: string): void {
    const entry = this.#existing(path);
    if (!isDirectoryOrLink(entry)) throw new FileSystemError("notDirectory", `Cannot remove "${path}" as a directory`);
    this.#containment.assertStable(entry);
    Deno.removeSync(entry.hostPath);
  }

  #openForWriting(path: string, mode: InPlaceMode, permissions: number): OpenedForWriting {
    return this.#openRecalledForWriting(path, mode, permissions) ?? this.#openFoundForWriting(path, mode, permissions);
  }

  #openRecalledForWriting(path: string, mode: InPlaceMode, permissions: number): OpenedForWriting | undefined {
    const recalled = this.#containment.recall(path);
    if (recalled === undefined) return undefined;
    const { hostPath, info, snapshot } = recalled;
    if (info !== undefined) {
      const file = mode === "createNew" ? undefined : openRecalled(recalled, mode === "append" ? APPEND : WRITE);
      return file && { file, hostPath, isNew: false };
    }
    if (typeof mode === "object" || !snapshot.isUnchanged()) return undefined;
    return { file: createStable(this.#containment, recalled, permissions), hostPath, isNew: true };
  }

  #openFoundForWriting(path: string, mode: InPlaceMode, permissions: number): OpenedForWriting {
    const entry = this.#containment.locateEntry(path);
    const { hostPath, info, target } = entry;
    if (info === undefined) {
      if (typeof mode === "object") throw new FileSystemError("notFound", `Cannot resume "${path}": it does not exist`);
      return { file: createRegular(this.#containment, entry, permissions), hostPath, isNew: true };
    }
    if (target === undefined) throw dangling(path);
    if (mode === "createNew") throw new FileSystemError("exists", `Cannot create "${path}": it exists`);
    const file = openRegular(this.#containment, target, mode === "append" ? APPEND : WRITE);
    return { file, hostPath: target.hostPath, isNew: false };
  }

  async #openReplacement(
    path: string,
    how: "replace" | "place",
    { permissions: mode, signal }: { readonly permissions: number; readonly signal: AbortSignal | undefined },
  ): Promise<WritableFile> {
    const { hostPath, snapshot } = onHost(path, () => this.#replaceable(path, how));
    await this.#staleUploads.cleanOnce({ hostPath: parentHostPath(hostPath, HOST_RULES), snapshot });
    const target = onHost(path, () => this.#replaceable(path, how));
    const mayReplace = how === "replace";
    const [containment, claims] = [this.#containment, this.#writeClaims];
    return await createReplacement({ path, target, mayReplace, mode, containment, claims, signal });
  }

  /** A name that a file may take; that of a link is its target's. */
  #replaceable(path: string, how: "replace" | "place"): HostLocation {
    const entry = this.#containment.locateEntry(path);
    if (entry.info === undefined) return entry;
    if (how === "place") throw new FileSystemError("exists", `Cannot create "${path}": it exists`);
    if (entry.target === undefined) throw dangling(path);
    assertRegular(entry.target.info);
    return entry.target;
  }
}

/** How a file is written under its own name. */
type InPlaceMode = Exclude<WriteMode, "replace" | "place">;

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

function isReplaceable(source: Deno.FileInfo, target: LocatedEntry): boolean {
  if (target.info === undefined) return true;
  // The same file by another spelling, on systems that ignore case
  if (unique(source) !== undefined && unique(source) === unique(target.info)) return true;
  return !source.isDirectory && !target.target?.info.isDirectory;
}

/** Returns whether what has a name is a directory, or a link that is no link to a file. */
function isDirectoryOrLink({ info, target }: LocatedEntry): boolean {
  return info?.isDirectory === true || (info?.isSymlink === true && target?.info.isDirectory !== false);
}

function dangling(path: string): FileSystemError {
  return new FileSystemError("notFound", `Cannot write to dangling link "${path}"`);
}
