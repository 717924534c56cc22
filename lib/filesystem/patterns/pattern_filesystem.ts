/**
 * A view of a file system in which names are closed by patterns.
 *
 * @module
 */

import { baseName } from "../../protocol/pathname.ts";
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
import { NamePatterns } from "./name_patterns.ts";

/** Patterns of names: `*` for any characters, `?` for one, `[a-z]` and `[!a-z]` for one of a set or outside it. */
export interface ClosedNames {
  /** What is not there for anybody who looks, with all that is below, and cannot be made. @default {[]} */
  readonly hide?: readonly string[];
  /** What can be read, listed and removed, and not stored, made or renamed to. @default {[]} */
  readonly deny?: readonly string[];
}

/**
 * A view of a file system without some of its names.
 *
 * A path with a hidden component is `notFound` to whoever reads, lists, changes or removes it, and `permissionDenied` to whoever
 * would make it, whether or not it exists: the file system is never asked. To store, make or rename to a denied name is refused
 * as `invalidName`. Names match in upper and lower case. A directory can be renamed whatever is in it, as the names in it stay.
 *
 * Two things still tell of hidden files: a directory that holds some, and nothing else, cannot be removed (`directoryNotEmpty`),
 * and a symbolic link under another name leads to them.
 *
 * @example
 * ```ts
 * import { MemoryFileSystem, PatternFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const fileSystem = new PatternFileSystem(new MemoryFileSystem(), { hide: [".*"], deny: ["*.exe"] });
 * new VirtualAuthorizer().addUser("alice", "correct horse", fileSystem, { permissions: "elrw" });
 * ```
 */
export class PatternFileSystem implements FileSystem {
  readonly listsSorted?: true;
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
  readonly quotas?: NonNullable<FileSystem["quotas"]>;
  readonly #files: FileSystem;
  readonly #hidden: NamePatterns;
  readonly #denied: NamePatterns;

  /**
   * Makes the view.
   *
   * @throws {SyntaxError} When a pattern is empty, or has a `/`, CR, LF or NUL.
   */
  constructor(fileSystem: FileSystem, { hide = [], deny = [] }: ClosedNames) {
    this.#files = fileSystem;
    this.#hidden = new NamePatterns(hide);
    this.#denied = new NamePatterns(deny);
    const { listsSorted, uploadsAppearWhole } = fileSystem;
    if (listsSorted) this.listsSorted = true;
    if (uploadsAppearWhole) this.uploadsAppearWhole = true;
    Object.assign(this, this.#reading(fileSystem), this.#changing(fileSystem));
  }

  async stat(path: string, options: CallOptions): Promise<FileInfo> {
    this.#assertSeen(path);
    return this.#shown(await this.#files.stat(path, options));
  }

  list(path: string, options: CallOptions): AsyncIterable<DirectoryEntry> {
    return new EntryBatches(this.#entries(path, () => this.#files.list(path, options)));
  }

  async openRead(path: string, options: OpenReadOptions): Promise<ReadableFile> {
    this.#assertSeen(path);
    return await this.#files.openRead(path, options);
  }

  /** The other methods that only look, as far as there are any. */
  #reading(files: FileSystem): Partial<FileSystem> {
    const { lstat, listNames, listTypes, availableBytes, resumable, digest, quotas } = files;
    return {
      ...quotas && { quotas: quotas.bind(files) },
      ...lstat && {
        lstat: async (path: string, options: CallOptions): Promise<FileInfo> => {
          this.#assertSeen(path);
          return this.#shown(await lstat.call(files, path, options));
        },
      },
      ...listNames && {
        listNames: (path: string, options: CallOptions): EntryBatches<string> =>
          new EntryBatches(this.#names(path, () => listNames.call(files, path, options))),
      },
      ...listTypes && {
        listTypes: (path: string, options: CallOptions): EntryBatches<DirectoryEntry> =>
          new EntryBatches(this.#entries(path, () => listTypes.call(files, path, options))),
      },
      ...availableBytes && { availableBytes: this.#seen(availableBytes) },
      ...resumable && {
        // A name that is closed has no upload, as one that is free has none
        resumable: async (path: string, options: CallOptions): Promise<number | undefined> =>
          this.#hidden.matchWithin(path) ? undefined : await resumable.call(files, path, options),
      },
      ...digest && {
        digest: async (
          path: string,
          algorithm: HashAlgorithm,
          options: CallOptions,
        ): Promise<FileDigest | undefined> => {
          this.#assertSeen(path);
          return await digest.call(files, path, algorithm, options);
        },
      },
    };
  }

  /** The methods that change something, as far as there are any. */
  #changing(files: FileSystem): Partial<FileSystem> {
    const { openWrite, remove, makeDirectory, removeDirectory, rename, setModified, setMode } = files;
    return {
      ...openWrite && {
        openWrite: async (path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> => {
          this.#assertMakeable(path);
          return await openWrite.call(files, path, mode, options);
        },
      },
      ...makeDirectory && {
        makeDirectory: async (path: string, options: CreateOptions): Promise<void> => {
          this.#assertMakeable(path);
          await makeDirectory.call(files, path, options);
        },
      },
      ...rename && {
        rename: async (from: string, to: string, options: CallOptions): Promise<void> => {
          this.#assertSeen(from);
          this.#assertMakeable(to);
          await rename.call(files, from, to, options);
        },
      },
      ...remove && { remove: this.#seen(remove) },
      ...removeDirectory && { removeDirectory: this.#seen(removeDirectory) },
      ...setModified && { setModified: this.#seen(setModified) },
      ...setMode && { setMode: this.#seen(setMode) },
    };
  }

  /** Hands a call on, unless its path is hidden. */
  #seen<Rest extends unknown[], Result>(
    method: (path: string, ...rest: Rest) => Promise<Result>,
  ): (path: string, ...rest: Rest) => Promise<Result> {
    return async (path, ...rest) => {
      this.#assertSeen(path);
      return await method.call(this.#files, path, ...rest);
    };
  }

  async *#entries(
    path: string,
    start: () => AsyncIterable<DirectoryEntry>,
  ): AsyncGenerator<readonly DirectoryEntry[], void, undefined> {
    this.#assertSeen(path);
    for await (const batch of batchesOf(start())) {
      yield this.#hidden.isEmpty ? batch : batch.filter(({ name }) => !this.#hidden.matches(name))
        .map(({ name, info }) => ({ name, info: this.#shown(info) }));
    }
  }

  async *#names(path: string, start: () => AsyncIterable<string>): AsyncGenerator<readonly string[], void, undefined> {
    this.#assertSeen(path);
    for await (const batch of batchesOf(start())) yield batch.filter((name) => !this.#hidden.matches(name));
  }

  /** Leaves out what tells of hidden names: how many directories one holds, and where a link leads. */
  #shown(info: FileInfo): FileInfo {
    const { type, links, target } = info;
    if (this.#hidden.isEmpty) return info;
    const tellsLinks = type === "directory" && links !== undefined;
    const tellsTarget = target !== undefined && this.#hidden.matchWithin(target);
    if (!tellsLinks && !tellsTarget) return info;
    return { ...info, ...tellsLinks && { links: undefined }, ...tellsTarget && { target: undefined } };
  }

  #assertSeen(path: string): void {
    if (this.#hidden.matchWithin(path)) throw refusal("notFound", path, "hidden");
  }

  #assertMakeable(path: string): void {
    if (this.#hidden.matchWithin(path)) throw refusal("permissionDenied", path, "hidden");
    if (this.#denied.matches(baseName(path))) throw refusal("invalidName", path, "denied");
  }
}

function refusal(kind: FileSystemErrorKind, path: string, how: "hidden" | "denied"): FileSystemError {
  return new FileSystemError(kind, `Cannot use ${JSON.stringify(path)}: such names are ${how}`);
}
