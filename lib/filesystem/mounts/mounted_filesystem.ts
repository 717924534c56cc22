/**
 * Several file systems under one root.
 *
 * @module
 */

import { joinPathname } from "../../protocol/pathname.ts";
import { batchesOf, EntryBatches } from "../entry_batches.ts";
import {
  type CallOptions,
  type CreateOptions,
  type DirectoryEntry,
  type FileDigest,
  type FileInfo,
  type FileSystem,
  FileSystemError,
  type FileSystemErrorKind,
  type HashAlgorithm,
  type OpenReadOptions,
  type ReadableFile,
  type WritableFile,
  type WriteMode,
} from "../filesystem.ts";
import { readOnly } from "../read_only.ts";
import { type Mount, MountTable, outerPath, type Place } from "./mount_table.ts";

/** What a directory is that leads to a mount point and exists nowhere, and a mount point that does not answer for itself. */
const BARE_DIRECTORY: FileInfo = { type: "directory", size: 0 };

/** Methods that change something at one path and are handed on as they are. */
type Change = "remove" | "makeDirectory" | "removeDirectory" | "setModified" | "setMode";

/** One kind of listing. */
interface Listing<Entry> {
  /** What a file system has in a directory. */
  readonly start: (place: Place, inner: string) => AsyncIterable<Entry>;
  readonly nameOf: (entry: Entry) => string;
  /** An entry as it is under the root. */
  readonly outer: (entry: Entry, place: Place) => Entry;
  /** The entry of a mount point, or of a directory that leads to one. */
  readonly own: (name: string) => Entry | Promise<Entry>;
}

/**
 * Several file systems under one root. The deepest mount that contains a path has it, and hides what the others have there.
 *
 * A mount point is listed in its directory whether or not that has such an entry, as are the directories that lead to it.
 * None of them can be removed, renamed or written as a file, and nothing can be renamed from one file system to another (kind
 * `permissionDenied`). A method is there if one of the file systems has it, and rejects with kind `unsupported` in those that
 * have not. Where uploads appear whole in some of them, `truncate` and `createNew` are `replace` and `place` there.
 *
 * Paths are compared letter by letter. A symbolic link is followed by the file system that it is in, so that it leads to what a
 * mount hides: keep what must stay closed out of the root.
 *
 * @example
 * ```ts
 * import { MemoryFileSystem, MountedFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const shared = MemoryFileSystem.of({ "/prices.csv": "1;2" });
 * const fileSystem = new MountedFileSystem(new MemoryFileSystem(), [
 *   { path: "/company/shared", fileSystem: shared, readOnly: true },
 * ]);
 * new VirtualAuthorizer().addUser("alice", "correct horse", fileSystem, { permissions: "elradfmw" });
 * ```
 */
export class MountedFileSystem implements FileSystem {
  /** Present where all file systems list in order. */
  readonly listsSorted?: true;
  /** Present where uploads appear whole in all file systems that take any. */
  readonly uploadsAppearWhole?: true;
  readonly lstat?: NonNullable<FileSystem["lstat"]>;
  readonly listNames?: NonNullable<FileSystem["listNames"]>;
  readonly listTypes?: NonNullable<FileSystem["listTypes"]>;
  readonly openWrite?: NonNullable<FileSystem["openWrite"]>;
  readonly remove?: NonNullable<FileSystem["remove"]>;
  readonly makeDirectory?: NonNullable<FileSystem["makeDirectory"]>;
  readonly removeDirectory?: NonNullable<FileSystem["removeDirectory"]>;
  readonly rename?: NonNullable<FileSystem["rename"]>;
  readonly setModified?: NonNullable<FileSystem["setModified"]>;
  readonly setMode?: NonNullable<FileSystem["setMode"]>;
  readonly availableBytes?: NonNullable<FileSystem["availableBytes"]>;
  readonly resumable?: NonNullable<FileSystem["resumable"]>;
  readonly digest?: NonNullable<FileSystem["digest"]>;
  readonly #table: MountTable;

  /**
   * Puts file systems under a root.
   *
   * @param root What is where no mount is.
   * @throws {SyntaxError} When the path of a mount is not absolute and normalised, or is `/`.
   * @throws {TypeError} When two mounts have the same path.
   */
  constructor(root: FileSystem, mounts: readonly Mount[]) {
    const usable = mounts.map((mount) => mount.readOnly ? { ...mount, fileSystem: readOnly(mount.fileSystem) } : mount);
    this.#table = new MountTable(root, usable);
    const all = this.#table.places.map(({ fileSystem }) => fileSystem);
    const writable = all.filter(({ openWrite }) => openWrite !== undefined);
    const has = (name: keyof FileSystem) => all.some((fileSystem) => fileSystem[name] !== undefined);
    if (all.every(({ listsSorted }) => listsSorted)) this.listsSorted = true;
    if (writable.length > 0 && writable.every((one) => one.uploadsAppearWhole)) this.uploadsAppearWhole = true;
    if (has("lstat")) this.lstat = (path, options) => this.#lstat(path, options);
    if (has("listNames")) this.listNames = (path, options) => this.#listNames(path, options);
    if (has("listTypes")) this.listTypes = (path, options) => this.#listTypes(path, options);
    if (has("openWrite")) this.openWrite = (path, mode, options) => this.#openWrite(path, mode, options);
    if (has("remove")) this.remove = (path, options) => this.#change("remove", path, options);
    if (has("makeDirectory")) this.makeDirectory = (path, options) => this.#change("makeDirectory", path, options);
    if (has("removeDirectory")) {
      this.removeDirectory = (path, options) => this.#change("removeDirectory", path, options);
    }
    if (has("rename")) this.rename = (from, to, options) => this.#rename(from, to, options);
    if (has("setModified")) {
      this.setModified = (path, time, options) => this.#change("setModified", path, time, options);
    }
    if (has("setMode")) this.setMode = (path, mode, options) => this.#change("setMode", path, mode, options);
    if (has("availableBytes")) this.availableBytes = (path, options) => this.#availableBytes(path, options);
    if (has("resumable")) this.resumable = (path, options) => this.#resumable(path, options);
    if (has("digest")) this.digest = (path, algorithm, options) => this.#digest(path, algorithm, options);
  }

  async stat(path: string, options: CallOptions): Promise<FileInfo> {
    const { place, inner } = this.#table.locate(path);
    try {
      const info = outerInfo(await place.fileSystem.stat(inner, options), place);
      if (info.type === "directory" || !this.#table.leadsToMount(path)) return info;
    } catch (error) {
      if (!isMissing(error) || !this.#table.leadsToMount(path)) throw error;
    }
    return BARE_DIRECTORY;
  }

  list(path: string, options: CallOptions): AsyncIterable<DirectoryEntry> {
    return this.#list(path, {
      start: ({ fileSystem }, inner) => fileSystem.list(inner, options),
      nameOf: ({ name }) => name,
      outer: outerEntry,
      own: async (name) => ({ name, info: await this.#ownInfo(joinPathname(path, name), options) }),
    });
  }

  async openRead(path: string, options: OpenReadOptions): Promise<ReadableFile> {
    if (this.#table.isFixed(path)) throw refusal("isDirectory", "read", path);
    const { place, inner } = this.#table.locate(path);
    return await place.fileSystem.openRead(inner, options);
  }

  async #lstat(path: string, options: CallOptions): Promise<FileInfo> {
    const { place, inner } = this.#table.locate(path);
    const { fileSystem } = place;
    if (this.#table.isFixed(path) || fileSystem.lstat === undefined) return await this.stat(path, options);
    return outerInfo(await fileSystem.lstat(inner, options), place);
  }

  #listNames(path: string, options: CallOptions): EntryBatches<string> {
    return this.#list(path, {
      start: ({ fileSystem }, inner) =>
        fileSystem.listNames?.(inner, options) ?? namesOf(fileSystem.list(inner, options)),
      nameOf: (name) => name,
      outer: (name) => name,
      own: (name) => name,
    });
  }

  #listTypes(path: string, options: CallOptions): EntryBatches<DirectoryEntry> {
    return this.#list(path, {
      start: ({ fileSystem }, inner) => fileSystem.listTypes?.(inner, options) ?? fileSystem.list(inner, options),
      nameOf: ({ name }) => name,
      outer: outerEntry,
      own: (name) => ({ name, info: BARE_DIRECTORY }),
    });
  }

  async #openWrite(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> {
    if (this.#table.isFixed(path)) {
      throw refusal(mode === "createNew" || mode === "place" ? "exists" : "isDirectory", "write", path);
    }
    const { place, inner } = this.#table.locate(path);
    const { fileSystem } = place;
    if (fileSystem.openWrite === undefined) throw refusal("unsupported", "write", path);
    const file = await fileSystem.openWrite(inner, fileSystem.uploadsAppearWhole ? wholeMode(mode) : mode, options);
    return file.path === undefined ? file : {
      path: outerPath(place, file.path),
      write: (bytes, options) => file.write(bytes, options),
      finish: (options) => file.finish(options),
      close: () => file.close(),
    };
  }

  async #change<Name extends Change>(
    name: Name,
    path: string,
    ...rest: Parameters<Required<FileSystem>[Name]> extends [string, ...infer Rest] ? Rest : never
  ): Promise<void> {
    if (name === "makeDirectory" && this.#table.isFixed(path)) throw refusal("exists", "make", path);
    if ((name === "remove" || name === "removeDirectory") && this.#table.isFixed(path)) {
      throw refusal("permissionDenied", "remove", path);
    }
    const { place: { fileSystem }, inner } = this.#table.locate(path);
    const method = fileSystem[name] as ((path: string, ...rest: unknown[]) => Promise<void>) | undefined;
    if (method === undefined) throw refusal("unsupported", "change", path);
    await method.call(fileSystem, inner, ...rest);
  }

  async #rename(from: string, to: string, options: CallOptions): Promise<void> {
    for (const path of [from, to]) {
      if (this.#table.isFixed(path)) throw refusal("permissionDenied", "rename", path);
    }
    const [source, target] = [this.#table.locate(from), this.#table.locate(to)];
    if (source.place !== target.place) throw refusal("permissionDenied", "rename out of its mount", from);
    const { fileSystem } = source.place;
    if (fileSystem.rename === undefined) throw refusal("unsupported", "rename", from);
    await fileSystem.rename(source.inner, target.inner, options);
  }

  async #availableBytes(path: string, options: CallOptions): Promise<number> {
    const { place: { fileSystem }, inner } = this.#table.locate(path);
    if (fileSystem.availableBytes === undefined) throw refusal("unsupported", "tell the room at", path);
    return await fileSystem.availableBytes(inner, options);
  }

  async #resumable(path: string, options: CallOptions): Promise<number | undefined> {
    if (this.#table.isFixed(path)) return undefined;
    const { place: { fileSystem }, inner } = this.#table.locate(path);
    return await fileSystem.resumable?.(inner, options);
  }

  async #digest(path: string, algorithm: HashAlgorithm, options: CallOptions): Promise<FileDigest | undefined> {
    if (this.#table.isFixed(path)) return undefined;
    const { place: { fileSystem }, inner } = this.#table.locate(path);
    return await fileSystem.digest?.(inner, algorithm, options);
  }

  #list<Entry>(path: string, listing: Listing<Entry>): EntryBatches<Entry> {
    return new EntryBatches(this.#merge(path, listing));
  }

  /** What the file system has in a directory, and the mounts in it, each in its turn by name. */
  async *#merge<Entry>(path: string, listing: Listing<Entry>): AsyncGenerator<readonly Entry[], void, undefined> {
    const { start, nameOf, outer, own } = listing;
    const { place, inner } = this.#table.locate(path);
    const names = this.#table.namesIn(path);
    let waiting = names;
    let hasBegun = false;
    const ownBefore = async (last?: string): Promise<Entry[]> => {
      const count = last === undefined ? waiting.length : waiting.findIndex((name) => name > last);
      const due = count < 0 ? waiting : waiting.slice(0, count);
      waiting = waiting.slice(due.length);
      return await Promise.all(due.map(own));
    };
    try {
      for await (const batch of batchesOf(start(place, inner))) {
        hasBegun = true;
        const theirs = batch.map((entry) => outer(entry, place));
        const last = batch.at(-1);
        yield names.length === 0 || last === undefined
          ? theirs
          : inOrder(theirs.filter((entry) => !names.includes(nameOf(entry))), await ownBefore(nameOf(last)), nameOf);
      }
    } catch (error) {
      // A directory that only leads to mounts is nowhere
      if (hasBegun || !isMissing(error) || !this.#table.leadsToMount(path)) throw error;
    }
    if (waiting.length > 0) yield await ownBefore();
  }

  /** One mount that does not answer leaves the others in the listing, and is in it as well. */
  async #ownInfo(path: string, options: CallOptions): Promise<FileInfo> {
    try {
      return await this.stat(path, options);
    } catch (error) {
      if (error instanceof FileSystemError) return BARE_DIRECTORY;
      throw error;
    }
  }
}

/** How a file system is asked where uploads appear whole. */
function wholeMode(mode: WriteMode): WriteMode {
  if (mode === "truncate") return "replace";
  return mode === "createNew" ? "place" : mode;
}

/** Puts a few entries among those of a batch, which stay in their order. */
function inOrder<Entry>(batch: Entry[], few: readonly Entry[], nameOf: (entry: Entry) => string): Entry[] {
  for (const entry of few) {
    const index = batch.findIndex((other) => nameOf(other) > nameOf(entry));
    batch.splice(index < 0 ? batch.length : index, 0, entry);
  }
  return batch;
}

function outerEntry({ name, info }: DirectoryEntry, place: Place): DirectoryEntry {
  return { name, info: outerInfo(info, place) };
}

/** Attributes under the root: numbers of files are told apart, and links lead to where the file system is. */
function outerInfo(info: FileInfo, place: Place): FileInfo {
  const { unique, target } = info;
  if (unique === undefined && target === undefined) return info;
  return {
    ...info,
    ...unique !== undefined && { unique: `${place.mark}-${unique}` },
    ...target !== undefined && { target: outerPath(place, target) },
  };
}

async function* namesOf(entries: AsyncIterable<DirectoryEntry>): AsyncGenerator<string, void, undefined> {
  for await (const { name } of entries) yield name;
}

function isMissing(error: unknown): boolean {
  return error instanceof FileSystemError && (error.kind === "notFound" || error.kind === "notDirectory");
}

function refusal(kind: FileSystemErrorKind, action: string, path: string): FileSystemError {
  const reason = kind === "unsupported" ? "its file system cannot do that" : "a mount point stays where it is";
  return new FileSystemError(kind, `Cannot ${action} ${JSON.stringify(path)}: ${reason}`);
}
