/**
 * Files in an object store with the interface of S3.
 *
 * @module
 */

import { parentPath, randomSuffix } from "../../protocol/pathname.ts";
import type { StateRecords } from "../../state/records.ts";
import { EntryBatches } from "../entry_batches.ts";
import type { FileClaims } from "../file_claims.ts";
import {
  type CallOptions,
  type CreateOptions,
  type DirectoryEntry,
  type FileDigest,
  type FileInfo,
  type FileSystem,
  FileSystemError,
  type HashAlgorithm,
  type OpenReadOptions,
  type ReadableFile,
  type WritableFile,
  type WriteMode,
} from "../filesystem.ts";
import { bytesOf, KeptUploads } from "./kept_uploads.ts";
import { ObjectFacts } from "./object_facts.ts";
import { ObjectKeys } from "./object_keys.ts";
import { describe, directoryInfo, fileInfo, infoOf, PageEntries, type PageEntry, pagesOf } from "./object_listing.ts";
import { ObjectReader } from "./object_reader.ts";
import { findIntent, finishRename, renameDirectory, renameObject } from "./object_rename.ts";
import type { ListPage, ObjectInfo, ObjectStore } from "./object_store.ts";
import { type SweepResult, sweepStore } from "./object_sweep.ts";
import { both, type Node, ObjectTree } from "./object_tree.ts";
import type { PartBuffers } from "./part_buffers.ts";
import { maxObjectBytes, MIN_PART_BYTES } from "./part_plan.ts";
import { answer, failureOf, isRefusal } from "./store_failure.ts";
import { claimName, type OpeningContext, openUpload, partsOf } from "./upload_opening.ts";

/** Bytes of the first part of an upload. */
const PART_SIZE = 8 * 2 ** 20;
/** What a part may take of the memory for all. */
const MEMORY_SHARE = 1 / 4;

/** Options of {@linkcode ObjectFileSystem}. */
export interface ObjectFileSystemOptions {
  /** Virtual path of the root below the prefix of the store. @default {"/"} */
  readonly path?: string;
  /** Account: who may go on with uploads that were interrupted. */
  readonly owner: string;
  /** Shared by all that write to the store. */
  readonly claims: FileClaims;
  /** Where uploads, renames, times and digests are kept. What is lost with the process is swept later, or is not known any more. */
  readonly records: StateRecords;
  /** Memory for the parts of all uploads. */
  readonly buffers: PartBuffers;
  /** Bytes of the first part of an upload; S3 wants 5 MiB or more. @default {8 MiB} */
  readonly partSize?: number;
  /** How long parts of an interrupted upload are kept, in seconds. @default {86400} */
  readonly keepPartsForSeconds?: number;
  /** Most objects in a directory that can be renamed. @default {1000} */
  readonly maxRenamedObjects?: number;
  /** Most bytes of a file. @default {as many as fit in 10,000 parts of the memory that there is, at most 5 TiB} */
  readonly maxUploadBytes?: number;
  /** Called with what goes wrong and refuses nothing: a digest that cannot be kept. @default {() => {}} */
  readonly report?: (error: unknown) => void;
  /** Clock, in milliseconds since 1970. @default {Date.now} */
  readonly now?: () => number;
}

/**
 * A tree of files in a bucket: the path of a file is its key. An upload is seen when it is whole, and not before.
 *
 * It owns nothing: the store and the memory are disposed of by whoever has made them. What happens when is in
 * `docs/object-stores.md`.
 */
export class ObjectFileSystem implements FileSystem {
  readonly uploadsAppearWhole = true;
  readonly #store: ObjectStore;
  readonly #tree: ObjectTree;
  readonly #facts: ObjectFacts;
  readonly #uploads: OpeningContext;
  readonly #options: Required<Pick<ObjectFileSystemOptions, "keepPartsForSeconds" | "maxRenamedObjects" | "now">>;
  readonly #records: StateRecords;
  readonly #claims: FileClaims;

  /**
   * Makes a file system; nothing is asked of the store yet.
   *
   * @throws {RangeError} When the memory does not hold a part.
   * @throws {FileSystemError} When `path` cannot be a key.
   */
  constructor(store: ObjectStore, options: ObjectFileSystemOptions) {
    const { records, claims, buffers, owner, partSize = PART_SIZE, report = () => {} } = options;
    const { keepPartsForSeconds = 86_400, maxRenamedObjects = 1000, now = Date.now } = options;
    if (!(partSize >= 1 && partSize <= buffers.maxOwnerBytes)) {
      throw new RangeError(
        `Cannot upload parts of ${partSize} bytes: there is memory for 1 to ${buffers.maxOwnerBytes}`,
      );
    }
    const bounds = { partSize, maxPartSize: Math.max(partSize, Math.floor(buffers.maxBytes * MEMORY_SHARE)) };
    this.#store = store;
    this.#records = records;
    this.#claims = claims;
    this.#options = { keepPartsForSeconds, maxRenamedObjects, now };
    this.#tree = new ObjectTree(store, new ObjectKeys(store.prefix, options.path ?? "/"));
    this.#facts = new ObjectFacts(records, store.name);
    this.#uploads = {
      store,
      claims,
      buffers,
      bounds,
      report,
      now,
      tree: this.#tree,
      facts: this.#facts,
      kept: new KeptUploads(records, store.name, owner),
      owner,
      minPartSize: Math.min(MIN_PART_BYTES, partSize),
      maxBytes: options.maxUploadBytes ?? maxObjectBytes({ number: 1, before: 0 }, bounds),
      keepPartsForMs: keepPartsForSeconds * 1000,
    };
  }

  stat(path: string, options: CallOptions): Promise<FileInfo> {
    return run(options, async () => {
      const node = await this.#tree.get(path, options);
      const modified = await this.#facts.modified(versionOf(node), options);
      return node.type === "file" ? fileInfo(node.info, modified) : directoryInfo(modified);
    });
  }

  list(path: string, options: CallOptions): AsyncIterable<DirectoryEntry> {
    return new EntryBatches(this.#list(path, options, (entries) => describe(entries, this.#facts, options)));
  }

  listNames(path: string, options: CallOptions): AsyncIterable<string> {
    return new EntryBatches(this.#list(path, options, (entries) => entries.map(({ name }) => name)));
  }

  listTypes(path: string, options: CallOptions): AsyncIterable<DirectoryEntry> {
    const describe = (entry: PageEntry) => ({ name: entry.name, info: infoOf(entry, undefined) });
    return new EntryBatches(this.#list(path, options, (entries) => entries.map(describe)));
  }

  openRead(path: string, options: OpenReadOptions): Promise<ReadableFile> {
    return run(options, async () => {
      const { key, info } = await this.#tree.getFile(path, options);
      return new ObjectReader(this.#store, key, info, options.offset ?? 0);
    });
  }

  openWrite(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> {
    return run(options, () => openUpload(this.#uploads, path, mode, options));
  }

  remove(path: string, options: CallOptions): Promise<void> {
    return run(options, async () => {
      assertNotRoot(path);
      const node = await this.#tree.get(path, options);
      if (node.type === "directory") throw new FileSystemError("isDirectory", `Cannot remove directory "${path}"`);
      await this.#removeKey(path, node.key, options);
    });
  }

  makeDirectory(path: string, { signal }: CreateOptions): Promise<void> {
    return run({ signal }, async () => {
      if (path === "/") throw exists(path);
      const { key, node } = await this.#tree.findIn(path, { signal });
      if (node !== undefined) throw exists(path);
      const { conditions } = await this.#store.abilities({ signal });
      try {
        await this.#store.put(`${key}/`, [], { signal, ...conditions.put && { ifMatch: "nothing" } });
      } catch (error) {
        if (isRefusal(error, "condition")) throw exists(path);
        throw error;
      }
    });
  }

  removeDirectory(path: string, options: CallOptions): Promise<void> {
    return run(options, async () => {
      assertNotRoot(path);
      const key = this.#tree.keys.ofFile(path);
      const prefix = `${key}/`;
      const [file, { objects }] = await both(
        this.#store.head(key, options),
        this.#store.list({ prefix, limit: 2, signal: options.signal }),
      );
      if (file !== undefined) throw new FileSystemError("notDirectory", `Cannot remove "${path}": it is a file`);
      if (objects.some((object) => object.key !== prefix)) {
        throw new FileSystemError("directoryNotEmpty", `Cannot remove "${path}": it is not empty`);
      }
      if (objects.length === 0) await this.#tree.explain(path, options);
      await this.#removeKey(path, prefix, options);
    });
  }

  rename(from: string, to: string, options: CallOptions): Promise<void> {
    return run(options, () => this.#rename(from, to, options));
  }

  setModified(path: string, modified: Date, options: CallOptions): Promise<void> {
    return run(options, async () => {
      const node = await this.#tree.get(path, options);
      await this.#facts.setModified(versionOf(node), modified, options);
    });
  }

  resumable(path: string, options: CallOptions): Promise<number | undefined> {
    return run(options, async () => {
      if (path === "/") return undefined;
      const key = this.#tree.keys.ofFile(path);
      const kept = await this.#uploads.kept.get(key, options);
      if (kept === undefined) return undefined;
      const parts = kept.parts ?? await this.#partsAfterCrash(key, options);
      return parts === undefined || parts.length === 0 ? undefined : bytesOf(parts);
    });
  }

  digest(path: string, algorithm: HashAlgorithm, options: CallOptions): Promise<FileDigest | undefined> {
    return run(options, async () => {
      if (algorithm !== "SHA-256" || path === "/") return undefined;
      const key = this.#tree.keys.ofFile(path);
      const info = await this.#store.head(key, options);
      return info && await this.#facts.digest({ key, etag: info.etag }, options);
    });
  }

  /**
   * Gives up uploads below the root that are older than parts are kept, and brings renames to an end that were cut, as
   * {@linkcode sweepStore} does for the whole store.
   */
  sweepUploads(signal: AbortSignal): Promise<SweepResult> {
    const prefix = this.#tree.keys.root;
    return sweepStore(this.#store, { ...this.#options, claims: this.#claims, records: this.#records, prefix, signal });
  }

  async *#list<Item>(
    path: string,
    options: CallOptions,
    describe: (entries: readonly PageEntry[]) => readonly Item[] | Promise<readonly Item[]>,
  ): AsyncGenerator<readonly Item[], void, undefined> {
    const prefix = this.#tree.keys.ofDirectory(path);
    const first = await run(options, () => this.#firstPage(path, prefix, options));
    const entries = new PageEntries(prefix);
    for await (const page of pagesOf(this.#store, { prefix, delimiter: "/", first, signal: options.signal })) {
      yield await run(options, async () => await describe(entries.of(page)));
    }
  }

  /** The first page of a directory, which has to be one. */
  async #firstPage(path: string, prefix: string, options: CallOptions): Promise<ListPage> {
    const asked = this.#store.list({ prefix, delimiter: "/", signal: options.signal });
    if (path === "/") return await asked;
    const [page, file] = await both(asked, this.#store.head(prefix.slice(0, -1), options));
    if (file !== undefined) throw new FileSystemError("notDirectory", `Cannot list "${path}": it is a file`);
    if (page.objects.length + page.prefixes.length === 0) await this.#tree.explain(path, options);
    return page;
  }

  /** Removes an object, and lets its directory stay. */
  async #removeKey(path: string, key: string, options: CallOptions): Promise<void> {
    await this.#store.remove([key], options);
    await this.#facts.forget(key, options);
    await this.#tree.keepDirectory(parentPath(path), options);
  }

  async #rename(from: string, to: string, options: CallOptions): Promise<void> {
    assertNotRoot(from);
    assertNotRoot(to);
    if (to.startsWith(`${from}/`)) {
      throw new FileSystemError("invalidName", `Cannot rename "${from}" to "${to}": that is below it`);
    }
    await this.#finishCutRename(from, options);
    const [source, target] = await both(this.#tree.get(from, options), this.#tree.findIn(to, options));
    if (from === to) return;
    if (target.node !== undefined && (source.type === "directory" || target.node.type === "directory")) {
      throw exists(to);
    }
    const intent = {
      id: randomSuffix() + randomSuffix(),
      from: source.key,
      to: target.key,
      begun: this.#options.now(),
    };
    if (source.type === "directory") {
      await renameDirectory(this.#renameContext(), { ...intent, to: `${target.key}/` }, options);
    } else {
      const { info } = source;
      await renameObject(this.#renameContext(), { ...intent, info, replaced: fileIn(target.node) }, options);
    }
    await this.#tree.keepDirectory(parentPath(from), options);
  }

  /** Whoever renames again what was cut meets what is left of it. */
  async #finishCutRename(from: string, options: CallOptions): Promise<void> {
    const key = this.#tree.keys.ofFile(from);
    const [file, directory] = await both(
      findIntent(this.#renameContext(), key, options),
      findIntent(this.#renameContext(), `${key}/`, options),
    );
    for (const intent of [file, directory]) {
      if (intent !== undefined) await finishRename(this.#renameContext(), intent, options);
    }
  }

  #renameContext() {
    const { maxRenamedObjects } = this.#options;
    return { store: this.#store, records: this.#records, claims: this.#claims, facts: this.#facts, maxRenamedObjects };
  }

  /** Parts of an upload whose writer was killed; of one that is being written nothing. */
  async #partsAfterCrash(key: string, { signal }: CallOptions) {
    try {
      using _claim = await answer(this.#claims.claim(claimName(this.#store.name, key), signal), signal);
      const kept = await this.#uploads.kept.get(key, { signal });
      if (kept === undefined) return undefined;
      const parts = kept.parts ?? await partsOf(this.#uploads, key, kept, { signal });
      if (parts === undefined) await this.#uploads.kept.delete(key, { signal });
      return parts;
    } catch (error) {
      if (error instanceof FileSystemError && error.kind === "busy") return undefined;
      throw error;
    }
  }
}

/** Lets nothing through but errors of file systems and the reason of the signal. */
async function run<Value>({ signal }: CallOptions, call: () => Promise<Value>): Promise<Value> {
  try {
    return await call();
  } catch (error) {
    throw failureOf(error, signal);
  }
}

function versionOf(node: Node): { readonly key: string; readonly etag: string } {
  return { key: node.key, etag: node.type === "file" ? node.info.etag : "" };
}

function fileIn(node: Node | undefined): ObjectInfo | undefined {
  return node?.type === "file" ? node.info : undefined;
}

function assertNotRoot(path: string): void {
  if (path === "/") throw new FileSystemError("permissionDenied", "Cannot change the root");
}

function exists(path: string): FileSystemError {
  return new FileSystemError("exists", `Cannot create "${path}": it exists`);
}
