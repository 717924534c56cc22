/**
 * An object store in memory that keeps to the rules of S3, counts its requests and fails when it is told to.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { abortable } from "../../../lib/deadline.ts";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import {
  type Body,
  type CompleteOptions,
  type CopyOptions,
  type GetOptions,
  type ListedObject,
  type ListOptions,
  type ListPage,
  type ObjectInfo,
  type ObjectStore,
  type PendingMultipart,
  type PutCondition,
  type PutOptions,
  type StoreAbilities,
  StoreRefusal,
  type UploadedPart,
  type UploadName,
  type UploadsPage,
} from "../../../lib/filesystem/object/object_store.ts";
import type { CallOptions } from "../../../lib/filesystem/filesystem.ts";

/** Name of a request. */
export type Operation = Extract<keyof ObjectStore, string>;

/** A request, as failures are chosen by it. */
export interface StoreRequest {
  readonly operation: Operation;
  readonly key: string;
  /** From 1 on, over all requests. */
  readonly count: number;
}

/**
 * What becomes of a request: it fails before anything is done, or its answer is lost when all is done. A promise is waited for.
 */
export type Fault = "before" | "after" | undefined;

/** Options of {@linkcode MemoryObjectStore}. */
export interface MemoryObjectStoreOptions {
  readonly name?: string;
  readonly prefix?: string;
  /** Least bytes of any part but the last. */
  readonly minPartBytes?: number;
  /** Most bytes of an object that is copied at once. */
  readonly maxCopyBytes?: number;
  readonly conditions?: StoreAbilities["conditions"];
  /** Most bytes in a piece of a body that is read. */
  readonly pieceBytes?: number;
  readonly now?: () => Date;
}

interface StoredObject extends ObjectInfo {
  readonly bytes: Uint8Array;
}

interface Upload extends PendingMultipart {
  readonly metadata: Readonly<Record<string, string>>;
  readonly parts: Map<number, { readonly bytes: Uint8Array; readonly etag: string }>;
}

/** Objects in memory. */
export class MemoryObjectStore implements ObjectStore {
  readonly name: string;
  readonly prefix: string;
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Upload>();
  /** Names of the operations that were asked for, with the bytes that came. */
  readonly requests: StoreRequest[] = [];
  /** Bytes that came in parts and objects. */
  bytesReceived = 0;
  /** Chooses what fails. */
  fault: (request: StoreRequest) => Fault | Promise<Fault> = () => undefined;
  /** Bodies that are open. */
  openBodies = 0;
  readonly #options: Required<Omit<MemoryObjectStoreOptions, "name" | "prefix">>;
  #sorted: readonly string[] | undefined;
  #lastUpload = 0;

  constructor(options: MemoryObjectStoreOptions = {}) {
    this.name = options.name ?? "memory";
    this.prefix = options.prefix ?? "";
    this.#options = {
      minPartBytes: 1,
      maxCopyBytes: 5 * 2 ** 30,
      conditions: { put: true, copy: true, complete: true },
      pieceBytes: 64 * 1024,
      now: () => new Date(),
      ...options,
    };
  }

  /** Puts an object without a request. */
  set(key: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    this.#store(key, { bytes, etag: etagOf(bytes), metadata: {} });
  }

  /** Content of an object. */
  text(key: string): string | undefined {
    const object = this.objects.get(key);
    return object && new TextDecoder().decode(object.bytes);
  }

  /** How many requests there were of an operation, or of all. */
  count(operation?: Operation): number {
    return this.requests.filter((request) => operation === undefined || request.operation === operation).length;
  }

  abilities(options: CallOptions): Promise<StoreAbilities> {
    options.signal.throwIfAborted();
    return Promise.resolve({ conditions: this.#options.conditions });
  }

  head(key: string, options: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#request("head", key, options, () => {
      const object = this.objects.get(key);
      return object && infoOf(object);
    });
  }

  list(options: ListOptions): Promise<ListPage> {
    return this.#request("list", options.prefix, options, () => this.#list(options));
  }

  get(key: string, options: GetOptions): Promise<ReadableStream<Uint8Array>> {
    return this.#request("get", key, options, () => {
      const { bytes } = this.#version(key, options.etag);
      return this.#stream(bytes.subarray(options.from), options);
    });
  }

  put(key: string, body: Body, options: PutOptions): Promise<string> {
    return this.#request("put", key, options, () => {
      this.#check(key, options, this.#options.conditions.put);
      const bytes = this.#receive(body);
      return this.#store(key, { bytes, etag: etagOf(bytes), metadata: options.metadata ?? {} });
    });
  }

  copy(from: string, to: string, options: CopyOptions): Promise<string> {
    return this.#request("copy", to, options, () => {
      const { bytes, metadata } = this.#version(from, options.etag);
      if (bytes.length > this.#options.maxCopyBytes) throw new StoreRefusal("tooLarge", "Too large to copy");
      this.#check(to, options, this.#options.conditions.copy);
      return this.#store(to, { bytes, etag: etagOf(bytes), metadata: options.metadata ?? metadata });
    });
  }

  remove(keys: readonly string[], options: CallOptions): Promise<void> {
    return this.#request("remove", keys[0] ?? "", options, () => {
      for (const key of keys) this.objects.delete(key);
      this.#sorted = undefined;
    });
  }

  beginUpload(key: string, options: Omit<PutOptions, "ifMatch">): Promise<string> {
    return this.#request("beginUpload", key, options, () => {
      const uploadId = `upload${++this.#lastUpload}`;
      const { metadata = {} } = options;
      this.uploads.set(uploadId, { key, uploadId, begun: this.#options.now(), metadata, parts: new Map() });
      return uploadId;
    });
  }

  uploadPart(upload: UploadName, number: number, body: Body, options: CallOptions): Promise<string> {
    return this.#request("uploadPart", upload.key, options, () => {
      const { parts } = this.#upload(upload);
      const bytes = this.#receive(body);
      if (!(number >= 1 && number <= 10_000) || bytes.length === 0) throw new RangeError(`Wrong part ${number}`);
      parts.set(number, { bytes, etag: etagOf(bytes) });
      return etagOf(bytes);
    });
  }

  copyPart(
    upload: UploadName,
    number: number,
    source: { readonly key: string; readonly etag: string; readonly from: number; readonly to: number },
    options: CallOptions,
  ): Promise<string> {
    return this.#request("copyPart", upload.key, options, () => {
      const { parts } = this.#upload(upload);
      const { bytes: all } = this.#version(source.key, source.etag);
      const { from, to } = source;
      if (!(from < to && to <= all.length)) throw new RangeError("Wrong range");
      const bytes = all.slice(from, to);
      if (bytes.length < this.#options.minPartBytes) throw new RangeError("Range too small to copy");
      parts.set(number, { bytes, etag: etagOf(bytes) });
      return etagOf(bytes);
    });
  }

  completeUpload(
    upload: UploadName,
    parts: readonly UploadedPart[],
    options: CompleteOptions,
  ): Promise<string> {
    return this.#request("completeUpload", upload.key, options, () => {
      const held = this.#upload(upload);
      const bodies = parts.map(({ number, etag, size }, index) => {
        const part = held.parts.get(number);
        const isLast = index === parts.length - 1;
        if (part?.etag !== etag || part.bytes.length !== size) throw new RangeError(`Part ${number} is not that`);
        if (!isLast && size < this.#options.minPartBytes) throw new RangeError(`Part ${number} has ${size} bytes`);
        if (!isLast && number >= (parts[index + 1]?.number ?? 0)) throw new RangeError("Parts are out of order");
        return part.bytes;
      });
      if (bodies.length === 0) throw new RangeError("No parts");
      this.#check(upload.key, options, this.#options.conditions.complete);
      this.uploads.delete(upload.uploadId);
      options.onProgress?.();
      const bytes = joined(bodies);
      return this.#store(upload.key, {
        bytes,
        etag: `${etagOf(bytes).slice(0, -1)}-${parts.length}"`,
        metadata: held.metadata,
      });
    });
  }

  abortUpload(upload: UploadName, options: CallOptions): Promise<void> {
    return this.#request("abortUpload", upload.key, options, () => void this.uploads.delete(upload.uploadId));
  }

  listParts(upload: UploadName, options: CallOptions): Promise<readonly UploadedPart[]> {
    return this.#request("listParts", upload.key, options, () =>
      [...this.#upload(upload).parts]
        .map(([number, { bytes, etag }]) => ({ number, etag, size: bytes.length }))
        .sort((one, other) => one.number - other.number));
  }

  listUploads(
    options: CallOptions & { readonly prefix: string; readonly next?: UploadsPage["next"] },
  ): Promise<UploadsPage> {
    return this.#request("listUploads", options.prefix, options, () => {
      const all = [...this.uploads.values()].filter(({ key }) => key.startsWith(options.prefix));
      const start = options.next === undefined
        ? 0
        : all.findIndex(({ uploadId }) => uploadId === options.next?.uploadId) + 1;
      const uploads = all.slice(start, start + 2).map(({ key, uploadId, begun }) => ({ key, uploadId, begun }));
      const last = uploads.at(-1);
      return { uploads, next: last !== undefined && start + 2 < all.length ? last : undefined };
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  async #request<Result>(
    operation: Operation,
    key: string,
    { signal }: CallOptions,
    run: () => Result,
  ): Promise<Result> {
    signal.throwIfAborted();
    if (!key.startsWith(this.prefix)) throw new RangeError(`"${key}" is not below the prefix`);
    const request = { operation, key, count: this.requests.length + 1 };
    this.requests.push(request);
    const fault = await abortable(Promise.resolve(this.fault(request)), signal);
    signal.throwIfAborted();
    if (fault === "before") throw new FileSystemError("unavailable", `Planned failure of ${operation}`);
    const result = run();
    if (fault === "after" && result instanceof ReadableStream) await result.cancel();
    if (fault === "after") throw new FileSystemError("unavailable", `Planned loss of the answer to ${operation}`);
    return result;
  }

  #list({ prefix, delimiter, next, after, limit = 1000 }: ListOptions): ListPage {
    this.#sorted ??= [...this.objects.keys()].sort(compareBytes);
    const objects: ListedObject[] = [];
    const prefixes: string[] = [];
    const from = next ?? after ?? "";
    let last = "";
    for (let index = indexBehind(this.#sorted, from === "" ? prefix : from, from === "");; index++) {
      const key = this.#sorted[index];
      if (key === undefined || !key.startsWith(prefix)) return { objects, prefixes, next: undefined };
      const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
      const common = end < 0 ? undefined : key.slice(0, end + 1);
      if (common !== undefined && (common === last || (next?.endsWith("/") && key.startsWith(next)))) continue;
      if (objects.length + prefixes.length === limit) return { objects, prefixes, next: last };
      last = common ?? key;
      const object = this.objects.get(key);
      if (common !== undefined) prefixes.push(common);
      else if (object !== undefined) objects.push({ key, ...infoOf(object) });
    }
  }

  #stream(bytes: Uint8Array, { signal }: CallOptions): ReadableStream<Uint8Array> {
    let position = 0;
    this.openBodies++;
    const close = () => this.openBodies--;
    return new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (signal.aborted) {
          close();
          return controller.error(signal.reason);
        }
        if (position === bytes.length) {
          close();
          return controller.close();
        }
        const piece = bytes.slice(position, position + this.#options.pieceBytes);
        position += piece.length;
        controller.enqueue(piece);
      },
      cancel: () => void close(),
    }, { highWaterMark: 0 });
  }

  #check(key: string, { ifMatch }: PutCondition, isObeyed: boolean): void {
    if (!isObeyed || ifMatch === undefined) return;
    const etag = this.objects.get(key)?.etag;
    const isMet = ifMatch === "nothing" ? etag === undefined : etag === ifMatch.etag;
    if (!isMet) throw new StoreRefusal("condition", `Something else is at "${key}"`);
  }

  #version(key: string, etag: string): StoredObject {
    const object = this.objects.get(key);
    if (object === undefined) throw new StoreRefusal("missing", `No object "${key}"`);
    if (object.etag !== etag) throw new StoreRefusal("changed", `"${key}" is another version`);
    return object;
  }

  #upload({ uploadId, key }: UploadName): Upload {
    const upload = this.uploads.get(uploadId);
    if (upload?.key !== key) throw new StoreRefusal("missing", `No upload "${uploadId}" of "${key}"`);
    return upload;
  }

  #receive(body: Body): Uint8Array {
    const bytes = joined(body);
    this.bytesReceived += bytes.length;
    return bytes;
  }

  #store(key: string, { bytes, etag, metadata }: Pick<StoredObject, "bytes" | "etag" | "metadata">): string {
    if (new TextEncoder().encode(key).length > 1024) throw new RangeError(`Key of more than 1,024 bytes`);
    if (!this.objects.has(key)) this.#sorted = undefined;
    this.objects.set(key, { size: bytes.length, etag, modified: this.#options.now(), metadata, bytes });
    return etag;
  }
}

function infoOf({ size, etag, modified, metadata }: StoredObject): ObjectInfo {
  return { size, etag, modified, metadata };
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}

function joined(pieces: Body): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.length;
  }
  return bytes;
}

/** Index of the first key behind `from`, or at it. */
function indexBehind(sorted: readonly string[], from: string, includesIt: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareBytes(sorted[middle] ?? "", from);
    if (order < 0 || (order === 0 && !includesIt)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The order of UTF-8 bytes is that of code points. */
function compareBytes(one: string, other: string): number {
  for (let index = 0; index < one.length && index < other.length; index++) {
    const [left, right] = [one.charCodeAt(index), other.charCodeAt(index)];
    if (left === right) continue;
    const isPair = (code: number) => code >= 0xd800 && code < 0xe000;
    return isPair(left) === isPair(right) ? left - right : isPair(left) ? 1 : -1;
  }
  return one.length - other.length;
}
