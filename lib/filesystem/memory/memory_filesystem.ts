/**
 * A file system that lives in memory: for tests, and for servers that hand out what they make.
 *
 * @module
 */

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
import { pathNames, POSIX_RULES } from "../local/host_path.ts";
import { type FileNode, MemoryReadableFile, MemoryWritableFile, Volume } from "./memory_file.ts";

/** Options of {@linkcode MemoryFileSystem}. */
export interface MemoryFileSystemOptions {
  /** Most bytes of all files together; what exceeds them gets kind `"noSpace"`. @default {Infinity} */
  readonly maxBytes?: number;
  /** Clock for modification times. @default {() => new Date()} */
  readonly now?: () => Date;
  /**
   * Whether an upload appears only when it is finished, as in an object store; one that is interrupted can go on.
   *
   * @default {false}
   */
  readonly uploadsAppearWhole?: boolean;
}

/** An upload that has not appeared yet. */
interface PendingUpload {
  readonly file: FileNode;
  readonly how: "replace" | "place";
}

interface DirectoryNode {
  readonly type: "directory";
  readonly id: number;
  readonly children: Map<string, Node>;
  modified: Date;
  mode: number;
}

type Node = FileNode | DirectoryNode;

/** A name in a directory, whether or not something has it. */
interface Slot {
  readonly parent: DirectoryNode;
  readonly name: string;
  readonly node: Node | undefined;
}

/**
 * A tree of files in memory, with every optional method.
 *
 * @example
 * ```ts
 * import { MemoryFileSystem } from "@ftpsd/ftpsd";
 *
 * const fileSystem = MemoryFileSystem.of({ "/docs/hello.txt": "Hello" });
 * console.assert((await fileSystem.stat("/docs/hello.txt")).size === 5);
 * ```
 */
export class MemoryFileSystem implements FileSystem {
  readonly uploadsAppearWhole?: true;
  /** Uploads that were interrupted, by path. */
  readonly #interrupted = new Map<string, PendingUpload>();
  /** Paths of uploads that have not appeared yet. */
  readonly #uploading = new Set<string>();
  readonly #volume: Volume;
  readonly #root: DirectoryNode;
  #lastId = 0;

  /** Makes an empty file system. */
  constructor(options: MemoryFileSystemOptions = {}) {
    this.#volume = new Volume(options.maxBytes ?? Infinity, options.now ?? (() => new Date()));
    this.#root = this.#newDirectory();
    if (options.uploadsAppearWhole) this.uploadsAppearWhole = true;
  }

  /** Makes a file system with files of the given paths and contents, and the directories they need. */
  static of(
    files: Readonly<Record<string, string | Uint8Array>>,
    options: MemoryFileSystemOptions = {},
  ): MemoryFileSystem {
    const fileSystem = new MemoryFileSystem(options);
    for (const [path, content] of Object.entries(files)) fileSystem.#put(path, content);
    return fileSystem;
  }

  stat(path: string, _options?: Partial<CallOptions>): Promise<FileInfo> {
    return Promise.try(() => toFileInfo(this.#find(path)));
  }

  async *list(path: string, _options?: Partial<CallOptions>): AsyncGenerator<DirectoryEntry, void, undefined> {
    const { children } = this.#findDirectory(path);
    // A copy, as a file system on a disk would not show what changes meanwhile twice either
    for (const [name, node] of [...children]) yield { name, info: toFileInfo(node) };
  }

  openRead(path: string, options: Partial<OpenReadOptions> = {}): Promise<ReadableFile> {
    return Promise.try(() => new MemoryReadableFile(asFile(this.#find(path), path), options.offset ?? 0));
  }

  openWrite(path: string, mode: WriteMode, options: Partial<CreateOptions> = {}): Promise<WritableFile> {
    return Promise.try(() => {
      if (path === "/") throw new FileSystemError("isDirectory", "Cannot write to the root");
      const slot = this.#slot(path);
      if (slot.node !== undefined && (mode === "createNew" || mode === "place")) throw taken(path);
      if (this.uploadsAppearWhole) return this.#openWhole(path, mode, options);
      if (mode === "replace" || mode === "place") return this.#openReplacement(path, slot, mode, options);
      if (slot.node === undefined && typeof mode === "object") throw missing(path);
      if (slot.node !== undefined) return new MemoryWritableFile(this.#volume, asFile(slot.node, path), mode);
      const file = this.#link(slot, this.#newFile(options));
      return new MemoryWritableFile(this.#volume, file, mode, { unlink: () => this.#unlinkIfSame(slot, file) });
    });
  }

  remove(path: string, _options?: Partial<CallOptions>): Promise<void> {
    return Promise.try(() => {
      const slot = this.#slot(path);
      if (slot.node === undefined) throw missing(path);
      this.#volume.releaseSpace(asFile(slot.node, path));
      this.#unlink(slot);
    });
  }

  makeDirectory(path: string, options: Partial<CreateOptions> = {}): Promise<void> {
    return Promise.try(() => {
      if (path === "/") throw taken(path);
      const slot = this.#slot(path);
      if (slot.node !== undefined) throw taken(path);
      this.#link(slot, this.#newDirectory(options));
    });
  }

  removeDirectory(path: string, _options?: Partial<CallOptions>): Promise<void> {
    return Promise.try(() => {
      const slot = this.#slot(path);
      const { children } = asDirectory(slot.node, path);
      if (children.size > 0) throw new FileSystemError("directoryNotEmpty", `Cannot remove "${path}": it is not empty`);
      this.#unlink(slot);
    });
  }

  rename(from: string, to: string, _options?: Partial<CallOptions>): Promise<void> {
    return Promise.try(() => {
      const source = this.#slot(from);
      const target = this.#slot(to);
      if (source.node === undefined) throw missing(from);
      if (target.node !== undefined) assertUnwritten(target.node);
      if (source.node === target.node) return;
      if (to.startsWith(`${from}/`)) {
        throw new FileSystemError("invalidName", `Cannot rename "${from}" to "${to}": that is below it`);
      }
      if (target.node !== undefined) {
        if (source.node.type === "directory" || target.node.type === "directory") throw taken(to);
        this.#volume.releaseSpace(target.node);
      }
      this.#unlink(source);
      this.#link(target, source.node);
    });
  }

  setModified(path: string, modified: Date, _options?: Partial<CallOptions>): Promise<void> {
    return Promise.try(() => {
      this.#find(path).modified = modified;
    });
  }

  setMode(path: string, mode: number, _options?: Partial<CallOptions>): Promise<void> {
    return Promise.try(() => {
      this.#find(path).mode = mode;
    });
  }

  availableBytes(path: string, _options?: Partial<CallOptions>): Promise<number> {
    return Promise.try(() => {
      this.#find(path);
      return this.#volume.freeBytes;
    });
  }

  resumable(path: string, _options?: Partial<CallOptions>): Promise<number | undefined> {
    return Promise.resolve(this.#interrupted.get(path)?.file.size);
  }

  #openReplacement(
    path: string,
    { node }: Slot,
    how: "replace" | "place",
    options: Partial<CreateOptions>,
  ): MemoryWritableFile {
    if (node !== undefined) asFile(node, path);
    const file = this.#newFile(options);
    const link = () => this.#linkWhole(path, { file, how });
    return new MemoryWritableFile(this.#volume, file, "createNew", { link });
  }

  /** Opens an upload that appears at its end; when it is interrupted it is kept. */
  #openWhole(path: string, mode: WriteMode, options: Partial<CreateOptions>): MemoryWritableFile {
    if (this.#uploading.has(path)) throw new FileSystemError("busy", `Cannot write "${path}": it is being written`);
    const upload = this.#beginWhole(path, mode, options);
    this.#uploading.add(path);
    return new MemoryWritableFile(this.#volume, upload.file, typeof mode === "object" ? mode : "append", {
      link: () => {
        this.#linkWhole(path, upload);
        this.#uploading.delete(path);
      },
      keep: () => {
        this.#uploading.delete(path);
        if (upload.file.size === 0) return;
        this.#interrupted.set(path, upload);
      },
    });
  }

  #beginWhole(path: string, mode: WriteMode, options: Partial<CreateOptions>): PendingUpload {
    const { node } = this.#slot(path);
    const old = node && asFile(node, path);
    const continues = mode === "append" || typeof mode === "object";
    const interrupted = this.#interrupted.get(path);
    if (continues && interrupted !== undefined) {
      if (typeof mode === "object" && mode.offset > interrupted.file.size) {
        throw new FileSystemError(
          "invalidOffset",
          `Cannot go on at ${mode.offset}: ${interrupted.file.size} bytes are there`,
        );
      }
      this.#interrupted.delete(path);
      return interrupted;
    }
    if (old === undefined && typeof mode === "object") throw missing(path);
    if (interrupted !== undefined) this.#volume.releaseSpace(interrupted.file);
    this.#interrupted.delete(path);
    const file = this.#newFile(options);
    if (continues && old !== undefined) {
      this.#volume.resize(file, old.size);
      file.bytes.set(old.bytes.subarray(0, old.size));
    }
    return { file, how: mode === "place" || mode === "createNew" ? "place" : "replace" };
  }

  #linkWhole(path: string, { file, how }: PendingUpload): void {
    const slot = this.#slot(path);
    if (slot.node !== undefined && how === "place") throw taken(path);
    if (slot.node !== undefined) {
      assertUnwritten(slot.node);
      file.mode = slot.node.mode;
      this.#volume.releaseSpace(asFile(slot.node, path));
    }
    this.#link(slot, file);
  }

  #put(path: string, content: string | Uint8Array): void {
    const names = pathNames(path, POSIX_RULES);
    for (let depth = 1; depth < names.length; depth++) {
      const slot = this.#slot(`/${names.slice(0, depth).join("/")}`);
      if (slot.node === undefined) this.#link(slot, this.#newDirectory());
    }
    const node = this.#link(this.#slot(path), this.#newFile());
    const file = new MemoryWritableFile(this.#volume, node, "createNew");
    file.append(typeof content === "string" ? new TextEncoder().encode(content) : content);
    file.close();
  }

  #find(path: string): Node {
    let node: Node | undefined = this.#root;
    for (const name of pathNames(path, POSIX_RULES)) node = asDirectory(node, path).children.get(name);
    if (node === undefined) throw missing(path);
    return node;
  }

  #findDirectory(path: string): DirectoryNode {
    return asDirectory(this.#find(path), path);
  }

  #slot(path: string): Slot {
    const names = pathNames(path, POSIX_RULES);
    const name = names.pop();
    if (name === undefined) throw new FileSystemError("permissionDenied", "Cannot change the root");
    const parent = this.#findDirectory(`/${names.join("/")}`);
    return { parent, name, node: parent.children.get(name) };
  }

  #link<Kind extends Node>({ parent, name }: Slot, node: Kind): Kind {
    parent.children.set(name, node);
    parent.modified = this.#volume.now();
    return node;
  }

  #unlink({ parent, name }: Slot): void {
    parent.children.delete(name);
    parent.modified = this.#volume.now();
  }

  /** Unlinks a file, unless it was renamed meanwhile. */
  #unlinkIfSame(slot: Slot, file: FileNode): void {
    if (slot.parent.children.get(slot.name) !== file) return;
    this.#unlink(slot);
    this.#volume.releaseSpace(file);
  }

  #newDirectory({ umask = 0 }: Partial<CreateOptions> = {}): DirectoryNode {
    const id = ++this.#lastId;
    return { type: "directory", id, children: new Map(), modified: this.#volume.now(), mode: 0o755 & ~umask };
  }

  #newFile({ umask = 0 }: Partial<CreateOptions> = {}): FileNode {
    const id = ++this.#lastId;
    return {
      type: "file",
      id,
      bytes: new Uint8Array(),
      size: 0,
      modified: this.#volume.now(),
      mode: 0o644 & ~umask,
      isWritten: false,
      isRemoved: false,
    };
  }
}

function assertUnwritten(node: Node): void {
  if (node.type === "file" && node.isWritten) {
    throw new FileSystemError("busy", "Cannot replace a file that is being written");
  }
}

function asFile(node: Node, path: string): FileNode {
  if (node.type === "file") return node;
  throw new FileSystemError("isDirectory", `Cannot use directory "${path}" as a file`);
}

function asDirectory(node: Node | undefined, path: string): DirectoryNode {
  if (node === undefined) throw missing(path);
  if (node.type === "directory") return node;
  throw new FileSystemError("notDirectory", `Cannot use "${path}": a file is where a directory is needed`);
}

function toFileInfo(node: Node): FileInfo {
  const size = node.type === "file" ? node.size : 0;
  return { type: node.type, size, modified: node.modified, mode: node.mode, links: 1, unique: node.id.toString(16) };
}

function missing(path: string): FileSystemError {
  return new FileSystemError("notFound", `Cannot find "${path}"`);
}

function taken(path: string): FileSystemError {
  return new FileSystemError("exists", `Cannot create "${path}": it exists`);
}
