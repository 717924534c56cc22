/**
 * Writing an object.
 *
 * @module
 */

import { abortable } from "../../deadline.ts";
import { isLost, type Lease } from "../../shared_port.ts";
import {
  type CallOptions,
  type Digest,
  type FileDigest,
  FileSystemError,
  type FinishOptions,
  type WritableFile,
} from "../filesystem.ts";
import { createDigest } from "../node_digest.ts";
import type { Appearance } from "./appearance.ts";
import { eitherSignal, within } from "./call_signals.ts";
import { bytesOf, type KeptUpload, type KeptUploads, wholeParts } from "./kept_uploads.ts";
import { ObjectReader } from "./object_reader.ts";
import type { ObjectStore, PutCondition, UploadedPart, UploadName } from "./object_store.ts";
import type { PartBuffer, PartBuffers } from "./part_buffers.ts";
import { type ByteRange, copyRanges, MAX_PARTS, nextPartSize, type PartBounds } from "./part_plan.ts";
import { PartUploads } from "./part_uploads.ts";
import { answer, failureOf, isRefusal } from "./store_failure.ts";

/** How long closing waits for what is on its way, and for the store to give the rest up. */
const MAX_CLOSE_MS = 10_000;
/** Pieces in which what is kept of an old object is read, where it is too small to copy. */
const PIECE_BYTES = 64 * 1024;

/** What all uploads of a file system share. */
export interface UploadContext {
  readonly store: ObjectStore;
  readonly kept: KeptUploads;
  readonly buffers: PartBuffers;
  /** Account, whose share of the memory the parts have. */
  readonly owner: string;
  readonly bounds: PartBounds;
  /** Least bytes of any part but the last. */
  readonly minPartSize: number;
  /** Most bytes of an object. */
  readonly maxBytes: number;
  readonly keepPartsForMs: number;
  readonly now: () => number;
}

/** How an upload begins. */
export interface UploadStart {
  readonly key: string;
  readonly claim: Lease;
  readonly appearance: Appearance;
  /** What is told of it, once it has parts. */
  readonly upload: Omit<KeptUpload, "uploadId" | "parts" | "keptUntil">;
  /** What of the old object is before the first byte that is written. */
  readonly headBytes: number;
  /** What it goes on with. */
  readonly resumed?: {
    readonly uploadId: string;
    readonly parts: readonly UploadedPart[];
  } | undefined;
}

/**
 * An object open for writing. It gathers parts and sends them side by side; one that is smaller than a part is put in one
 * request. Nothing is visible before {@linkcode ObjectUpload.finish} has made the object of its parts.
 */
export class ObjectUpload implements WritableFile {
  readonly #context: UploadContext;
  readonly #start: UploadStart;
  readonly #parts: PartUploads;
  /** Ends everything that is on its way: the claim is lost, or the file was closed. */
  readonly #stop = new AbortController();
  readonly #digest: Digest | undefined;
  #upload: UploadName | undefined;
  #nextNumber: number;
  /** Bytes of all parts that have been begun. */
  #partBytes: number;
  #buffer: PartBuffer | undefined;
  #hasBegun = false;
  /** What has gone wrong: bytes are missing, or the place is taken. */
  #failure: { readonly error: unknown } | undefined;
  #state: "open" | "finished" | "closed" = "open";
  /** Settles when the object has appeared, or has not. */
  #appearing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(context: UploadContext, start: UploadStart) {
    this.#context = context;
    this.#start = start;
    const { resumed, claim, key, headBytes } = start;
    this.#parts = new PartUploads(resumed?.parts ?? []);
    this.#upload = resumed && { key, uploadId: resumed.uploadId };
    this.#hasBegun = resumed !== undefined;
    this.#nextNumber = (resumed?.parts.length ?? 0) + 1;
    this.#partBytes = bytesOf(resumed?.parts ?? []);
    // The state of a digest cannot be kept, and what the store copies does not pass here
    const seesAll = resumed === undefined && headBytes < context.minPartSize;
    this.#digest = seesAll ? createDigest("SHA-256") : undefined;
    claim.lost?.addEventListener("abort", () => this.#stop.abort(lost(key)), { once: true });
    if (claim.lost?.aborted) this.#stop.abort(lost(key));
  }

  async write(bytes: Uint8Array, options: CallOptions): Promise<void> {
    this.#assertUsable("write");
    if (bytes.length === 0) return;
    using signals = eitherSignal(options.signal, this.#stop.signal);
    try {
      await this.#begin(signals.signal);
      await this.#append(bytes, signals.signal);
    } catch (error) {
      throw this.#fail(error, signals.signal);
    }
  }

  async finish(options: FinishOptions): Promise<void> {
    this.#assertUsable("finish");
    using signals = eitherSignal(options.signal, this.#stop.signal);
    const { signal } = signals;
    try {
      if (this.#isUnchanged()) return this.#end();
      this.#parts.onProgress = options.onProgress;
      await this.#begin(signal);
      await this.#appendTail(signal);
      if (this.#upload === undefined) await this.#put(signal);
      else await this.#complete(this.#upload, { ...options, signal });
    } catch (error) {
      throw this.#fail(error, signal);
    } finally {
      this.#parts.onProgress = undefined;
    }
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Bytes from the beginning of the object to where writing goes on. */
  get #position(): number {
    return this.#partBytes + (this.#buffer?.length ?? 0);
  }

  /** Nothing was written, and what is there is to stay. */
  #isUnchanged(): boolean {
    const { upload, headBytes } = this.#start;
    const isWhole = upload.base !== undefined && (upload.base.keepsTail || headBytes === upload.base.size);
    return !this.#hasBegun && isWhole;
  }

  /** Takes over what is before the first byte: by copying, or where it is too small for that by reading. */
  async #begin(signal: AbortSignal): Promise<void> {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { headBytes } = this.#start;
    if (headBytes >= this.#context.minPartSize) await this.#copy({ from: 0, to: headBytes }, signal);
    else await this.#read({ from: 0, to: headBytes }, signal);
  }

  async #append(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      this.#parts.throwIfFailed();
      const { maxBytes, buffers, owner } = this.#context;
      if (this.#position + rest.length > maxBytes) throw tooLarge(`Cannot upload more than ${maxBytes} bytes`);
      const buffer = this.#buffer ??= await buffers.acquire(this.#nextPartSize(), { signal, owner });
      const count = await buffer.write(rest, { signal });
      this.#digest?.update(rest.subarray(0, count));
      rest = rest.subarray(count);
      if (buffer.length === buffer.capacity) await this.#flush(signal);
    }
  }

  #nextPartSize(): number {
    return nextPartSize({ number: this.#nextNumber, before: this.#partBytes }, this.#context.bounds);
  }

  /** Sends what has been gathered as a part. */
  async #flush(signal: AbortSignal): Promise<void> {
    const { store } = this.#context;
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    buffer.seal();
    const upload = await this.#beginUpload(signal);
    const part = this.#takeNumber(buffer.length);
    this.#buffer = undefined;
    const send = () => store.uploadPart(upload, part.number, buffer.body(), { signal: this.#stop.signal });
    await this.#parts.upload(part, send, { memory: buffer, signal });
  }

  #takeNumber(size: number): { readonly number: number; readonly size: number } {
    if (this.#nextNumber > MAX_PARTS) {
      throw tooLarge(`Cannot upload more than ${MAX_PARTS} parts: give them more memory`);
    }
    this.#partBytes += size;
    return { number: this.#nextNumber++, size };
  }

  async #beginUpload(signal: AbortSignal): Promise<UploadName> {
    if (this.#upload !== undefined) return this.#upload;
    const { store, kept, keepPartsForMs, now } = this.#context;
    const { key, appearance, upload } = this.#start;
    const uploadId = await store.beginUpload(key, { metadata: appearance.metadata, signal });
    this.#upload = { key, uploadId };
    await kept.set(key, { ...upload, uploadId, keptUntil: now() + keepPartsForMs }, { signal });
    return this.#upload;
  }

  /** Has the store copy from the old object, while other bytes come. */
  async #copy(range: ByteRange, signal: AbortSignal): Promise<void> {
    const { store, minPartSize } = this.#context;
    const { key, upload: { base } } = this.#start;
    if (base === undefined) return;
    const upload = await this.#beginUpload(signal);
    for (const { from, to } of copyRanges(range, minPartSize)) {
      const part = this.#takeNumber(to - from);
      const source = { key, etag: base.etag, from, to };
      this.#parts.copy(part, () => store.copyPart(upload, part.number, source, { signal: this.#stop.signal }));
    }
  }

  async #read({ from, to }: ByteRange, signal: AbortSignal): Promise<void> {
    const { key, upload: { base } } = this.#start;
    if (base === undefined || from >= to) return;
    const reader = new ObjectReader(this.#context.store, key, { etag: base.etag, size: to }, from);
    try {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, to - from));
      for (
        let count = await reader.read(piece, { signal });
        count !== null;
        count = await reader.read(piece, { signal })
      ) {
        await this.#append(piece.subarray(0, count), signal);
      }
    } finally {
      await reader.close();
    }
  }

  /**
   * Takes over what is behind the last byte, where that stays: no part but the last may be too small, so that a few bytes are
   * read, and the rest is copied.
   */
  async #appendTail(signal: AbortSignal): Promise<void> {
    const { minPartSize } = this.#context;
    const { base } = this.#start.upload;
    if (!base?.keepsTail) return;
    for (;;) {
      const [from, to] = [this.#position, base.size];
      const held = this.#buffer?.length ?? 0;
      if (from >= to) return;
      if (to - from < minPartSize) return await this.#read({ from, to }, signal);
      if (held === 0 || held >= minPartSize) {
        await this.#flush(signal);
        return await this.#copy({ from, to }, signal);
      }
      await this.#read({ from, to: from + minPartSize - held }, signal);
    }
  }

  async #put(signal: AbortSignal): Promise<void> {
    const { store } = this.#context;
    const { key, appearance: { metadata } } = this.#start;
    const body = this.#buffer?.body() ?? [];
    const put = (condition: PutCondition) =>
      store.put(key, body, { ...condition, metadata, signal: this.#stop.signal });
    await abortable(this.#appear("put", put), signal);
  }

  async #complete(upload: UploadName, { signal, onProgress }: FinishOptions): Promise<void> {
    const { store } = this.#context;
    await this.#flush(signal);
    await this.#parts.settled(signal);
    const parts = this.#parts.arrived.toSorted((one, other) => one.number - other.number);
    const begunWith = this.#start.appearance.metadata;
    const settings = { signal: this.#stop.signal, begunWith, ...onProgress && { onProgress } };
    const complete = (condition: PutCondition) => store.completeUpload(upload, parts, { ...condition, ...settings });
    await abortable(this.#appear("complete", complete), signal);
  }

  /**
   * Lets the object appear. That goes on when whoever waits for it has gone: the store may have done it, and closing is to know
   * what has come of it.
   */
  #appear(by: "put" | "complete", send: (condition: PutCondition) => Promise<string>): Promise<void> {
    const { signal } = this.#stop;
    const digest = this.#digestOf();
    this.#assertHeld();
    this.#appearing = this.#start.appearance.appear(send, by, { digest, signal }).then(async () => {
      this.#assertHeld();
      this.#state = "finished";
      // What is left says where nothing can go on: whoever meets it finds that out, and the sweep
      if (by === "complete") await this.#context.kept.delete(this.#start.key, { signal }).catch(() => {});
      this.#end();
    });
    this.#appearing.catch(() => {}); // for when nobody waits any more
    return this.#appearing;
  }

  /** Called once: what has gone wrong is not begun again. */
  #digestOf(): FileDigest | undefined {
    return this.#digest && { hex: this.#digest.hex(), bytes: this.#position };
  }

  /** It has appeared: from here on others may write there. */
  #end(): void {
    this.#state = "finished";
    this.#release();
  }

  #release(): void {
    this.#buffer?.[Symbol.dispose]();
    this.#buffer = undefined;
    this.#start.claim[Symbol.dispose]();
  }

  async #close(): Promise<void> {
    const appearing = this.#appearing;
    if (appearing !== undefined) await within(MAX_CLOSE_MS, () => appearing).catch(() => {}); // told by `finish()`
    const isFinished = this.#state === "finished";
    this.#state = "closed";
    try {
      // What has no claim any more may be another's by now
      if (!isFinished && !this.#hasLost()) await this.#keep();
    } finally {
      this.#stop.abort(new FileSystemError("unavailable", "The file is closed"));
      await this.#parts.settled(new AbortController().signal).catch(() => {}); // that they were stopped is no news
      await appearing?.catch(() => {}); // as above
      this.#release();
    }
  }

  /** Refuses to make appear, or to call done, what somebody else may be writing by now. */
  #assertHeld(): void {
    if (this.#hasLost()) throw lost(this.#start.key);
  }

  #hasLost(): boolean {
    return isLost(this.#start.claim);
  }

  /** Keeps the parts that are whole, or gives all up. */
  async #keep(): Promise<void> {
    const { store, kept, minPartSize, keepPartsForMs, now } = this.#context;
    const { key, upload } = this.#start;
    const pending = this.#upload;
    if (pending === undefined) return;
    const isRefused = this.#failure !== undefined && isRefusedPlace(this.#failure.error);
    // A part that has failed is not kept, nor is one that takes too long
    if (!isRefused) await within(MAX_CLOSE_MS, (signal) => this.#parts.settled(signal)).catch(() => {});
    if (this.#hasLost()) return;
    const parts = isRefused ? [] : wholeParts(this.#parts.arrived, minPartSize);
    await within(MAX_CLOSE_MS, async (signal) => {
      const { uploadId } = pending;
      const keptUntil = now() + keepPartsForMs;
      // A writer that comes too late leaves alone what another has begun since
      const record = await kept.get(key, { signal });
      const isOurs = record === undefined || record.uploadId === uploadId;
      if (parts.length > 0 && isOurs) return await kept.set(key, { ...upload, uploadId, parts, keptUntil }, { signal });
      if (isOurs) await kept.delete(key, { signal });
      await answer(store.abortUpload(pending, { signal }), signal);
    });
  }

  #fail(error: unknown, signal: AbortSignal): unknown {
    const cause = isRefusal(error) ? error : error instanceof FileSystemError ? error.cause : undefined;
    const isChanged = isRefusal(cause, "changed", "missing") && !isRefusedPlace(error);
    const message =
      `Cannot write "${this.#start.key}": the upload was ended, or the old object changed, by somebody else`;
    const failure = isChanged ? new FileSystemError("busy", message, { cause }) : failureOf(error, signal);
    this.#failure ??= { error: failure };
    return failure;
  }

  #assertUsable(verb: string): void {
    const state = this.#closing === undefined ? this.#state : "closed";
    if (state !== "open") throw new TypeError(`Cannot ${verb} file: it is ${state}`);
    this.#stop.signal.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** Returns whether something else is where the object was to be put: then nothing can go on with its parts. */
function isRefusedPlace(error: unknown): boolean {
  return error instanceof FileSystemError && ["busy", "exists", "notFound"].includes(error.kind);
}

function lost(key: string): FileSystemError {
  return new FileSystemError("unavailable", `The claim on "${key}" was lost`);
}

function tooLarge(message: string): FileSystemError {
  return new FileSystemError("noSpace", message);
}
