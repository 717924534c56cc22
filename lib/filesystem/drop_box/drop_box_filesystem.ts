/**
 * A file system for those who only bring files.
 *
 * @module
 */

import { baseName, joinPathname, parentPath, randomSuffix } from "../../protocol/pathname.ts";
import { EntryBatches } from "../entry_batches.ts";
import {
  type CallOptions,
  type CreateOptions,
  type DirectoryEntry,
  type FileInfo,
  type FileSystem,
  FileSystemError,
  type FileSystemErrorKind,
  type FinishOptions,
  type OpenReadOptions,
  type ReadableFile,
  type WritableFile,
  type WriteMode,
} from "../filesystem.ts";

/** Options of {@linkcode DropBoxFileSystem}. */
export interface DropBoxOptions {
  /**
   * Virtual paths of the directories that files are brought into, beside the root. Those above them are there, too; what
   * others the file system has does not show.
   *
   * @default {[]}
   */
  readonly folders?: readonly string[];
}

/** Another name is tried so many times; of 36⁸ only one that can take no file at all fails twice. */
const NAME_TRIES = 3;
/** Longest name in bytes that most file systems take. */
const MAX_NAME_BYTES = 255;
const MAX_EXTENSION_LENGTH = 16;
/** All that is told of a directory: its times and links would tell of files that others bring. */
const BARE_DIRECTORY: FileInfo = { type: "directory", size: 0 };
/** What may be refused because of something that has the name. Under a name that nothing has it is refused as well, or not. */
const NAME_KINDS: ReadonlySet<FileSystemErrorKind> = new Set<FileSystemErrorKind>([
  "busy",
  "exists",
  "isDirectory",
  "notDirectory",
  "notFound",
  "notRegularFile",
  "permissionDenied",
]);

/**
 * A view in which files can be stored and nothing else: not listed, read, resumed, overwritten, renamed or removed. Nothing tells
 * whether a name is taken: a file of such a name gets another, `report.k3x0q9ab.pdf` for `report.pdf`, and the client hears
 * nothing of it. The directories are those of the options, and empty to whoever lists them: clients that look before they
 * store find what they expect.
 *
 * A file keeps the name it was opened with, whether it is finished or not; with `replace` and `place` it appears when it is
 * finished. Where another process has taken the name by then, finishing rejects with kind `unavailable`, and the client
 * tries again.
 *
 * @example
 * ```ts
 * import { DropBoxFileSystem, MemoryFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const scans = new MemoryFileSystem();
 * const authorizer = new VirtualAuthorizer();
 * authorizer.addUser("scanner", "scan to ftp", new DropBoxFileSystem(scans), { permissions: "elw" });
 * authorizer.addUser("archive", "correct horse", scans, { permissions: "elrd" });
 * ```
 */
export class DropBoxFileSystem implements FileSystem {
  /** The names of directories are listed in order. */
  readonly listsSorted: true = true;
  readonly uploadsAppearWhole?: true;
  readonly #files: FileSystem;
  /** Names of the directories in each directory. */
  readonly #folders: ReadonlyMap<string, ReadonlySet<string>>;
  /** Paths of the files that are open, whether or not they have appeared. */
  readonly #taken = new Set<string>();

  /** Makes the view of a file system that takes files. */
  constructor(fileSystem: FileSystem, { folders = [] }: DropBoxOptions = {}) {
    this.#files = fileSystem;
    this.#folders = foldersByParent(folders);
    if (fileSystem.uploadsAppearWhole) this.uploadsAppearWhole = true;
  }

  stat(path: string, _options: CallOptions): Promise<FileInfo> {
    return Promise.try(() => {
      this.#namesIn(path);
      return BARE_DIRECTORY;
    });
  }

  list(path: string, _options: CallOptions): AsyncIterable<DirectoryEntry> {
    return new EntryBatches(this.#entries(path));
  }

  openRead(path: string, _options: OpenReadOptions): Promise<ReadableFile> {
    return Promise.try(() => {
      this.#namesIn(path);
      throw refusal("isDirectory", "read", path);
    });
  }

  async openWrite(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> {
    if (this.#folders.has(path)) throw refusal("isDirectory", "store", path);
    this.#namesIn(parentPath(path));
    if (mode === "append" || typeof mode === "object") throw refusal("notFound", "go on with", path);
    const mayAppearWhole = mode === "replace" || mode === "place" || this.#files.uploadsAppearWhole === true;
    for (let tries = 0;; tries++) {
      const name = tries === 0 ? path : joinPathname(parentPath(path), otherName(baseName(path)));
      if (this.#taken.has(name)) continue;
      try {
        return await this.#open(name, mayAppearWhole ? "place" : "createNew", options);
      } catch (error) {
        const mayBeName = error instanceof FileSystemError && NAME_KINDS.has(error.kind);
        if (!mayBeName || tries >= NAME_TRIES) throw error;
      }
    }
  }

  /** Opens a file under a name that is kept for it until it has appeared, or been given up. */
  async #open(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> {
    if (this.#files.openWrite === undefined) throw refusal("unsupported", "store", path);
    this.#taken.add(path);
    try {
      const file = await this.#files.openWrite(path, mode, options);
      return new BroughtFile(file, path, () => this.#taken.delete(path));
    } catch (error) {
      this.#taken.delete(path);
      throw error;
    }
  }

  async *#entries(path: string): AsyncGenerator<readonly DirectoryEntry[], void, undefined> {
    yield [...this.#namesIn(path)].sort().map((name) => ({ name, info: BARE_DIRECTORY }));
  }

  /** The names of the directories in a directory; nothing else is there. */
  #namesIn(path: string): ReadonlySet<string> {
    const names = this.#folders.get(path);
    if (names === undefined) throw refusal("notFound", "look at", path);
    return names;
  }
}

/** A file that nobody else is given the name of. */
class BroughtFile implements WritableFile {
  readonly path: string;
  readonly #file: WritableFile;
  readonly #release: () => void;

  constructor(file: WritableFile, path: string, release: () => void) {
    this.path = file.path ?? path;
    this.#file = file;
    this.#release = release;
  }

  write(bytes: Uint8Array, options: CallOptions): Promise<void> {
    return this.#file.write(bytes, options);
  }

  async finish(options: FinishOptions): Promise<void> {
    try {
      await this.#file.finish(options);
    } catch (cause) {
      if (!(cause instanceof FileSystemError && NAME_KINDS.has(cause.kind))) throw cause;
      throw new FileSystemError("unavailable", `Cannot keep an upload: ${cause.message}`, { cause });
    }
  }

  close(): void | Promise<void> {
    const closing = this.#file.close();
    if (!(closing instanceof Promise)) return this.#release();
    return closing.finally(this.#release);
  }
}

function foldersByParent(folders: readonly string[]): Map<string, Set<string>> {
  const byParent = new Map<string, Set<string>>([["/", new Set()]]);
  for (const folder of folders) {
    for (let at = folder; at !== "/"; at = parentPath(at)) {
      const parent = parentPath(at);
      byParent.set(at, byParent.get(at) ?? new Set());
      byParent.set(parent, (byParent.get(parent) ?? new Set()).add(baseName(at)));
    }
  }
  return byParent;
}

/** A name that nothing has, with the same extension, and no longer than names may be where the given one is not either. */
function otherName(name: string): string {
  const dot = name.lastIndexOf(".");
  const hasExtension = dot > 0 && name.length - dot <= MAX_EXTENSION_LENGTH;
  const extension = hasExtension ? name.slice(dot) : "";
  const stem = hasExtension ? name.slice(0, dot) : name;
  const end = `.${randomSuffix()}${extension}`;
  const encoder = new TextEncoder();
  const given = encoder.encode(name).length;
  const characters = [...stem];
  while (given <= MAX_NAME_BYTES && encoder.encode(characters.join("") + end).length > MAX_NAME_BYTES) characters.pop();
  return characters.join("") + end;
}

function refusal(kind: FileSystemErrorKind, action: string, path: string): FileSystemError {
  return new FileSystemError(kind, `Cannot ${action} ${JSON.stringify(path)}: files are only brought here`);
}
