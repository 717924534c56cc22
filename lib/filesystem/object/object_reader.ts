/**
 * Reading an object.
 *
 * @module
 */

import { type CallOptions, FileSystemError, type ReadableFile } from "../filesystem.ts";
import type { ObjectInfo, ObjectStore } from "./object_store.ts";
import { failureOf, isRefusal } from "./store_failure.ts";

/**
 * An object open for reading: one request, made when the first byte is wanted. Holds no more than the piece that has come.
 */
export class ObjectReader implements ReadableFile {
  readonly size: number;
  readonly #store: ObjectStore;
  readonly #key: string;
  readonly #etag: string;
  readonly #closing = new AbortController();
  #position: number;
  #body: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #piece: Uint8Array = new Uint8Array();

  constructor(store: ObjectStore, key: string, info: Pick<ObjectInfo, "etag" | "size">, offset: number) {
    this.#store = store;
    this.#key = key;
    this.#etag = info.etag;
    this.size = info.size;
    this.#position = offset;
  }

  async read(buffer: Uint8Array, { signal }: CallOptions): Promise<number | null> {
    if (this.#position >= this.size || buffer.length === 0) return null;
    signal.throwIfAborted();
    const abort = () => this.#closing.abort(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      while (this.#piece.length === 0) await this.#readPiece();
    } catch (error) {
      throw failureOf(error, signal);
    } finally {
      signal.removeEventListener("abort", abort);
    }
    const count = Math.min(buffer.length, this.#piece.length, this.size - this.#position);
    buffer.set(this.#piece.subarray(0, count));
    this.#piece = this.#piece.subarray(count);
    this.#position += count;
    return count;
  }

  async close(): Promise<void> {
    this.#closing.abort(new DOMException("The file is closed", "AbortError"));
    this.#piece = new Uint8Array();
    const body = this.#body;
    this.#body = undefined;
    await body?.cancel().catch(() => {}); // it has failed already, and been reported
  }

  async #readPiece(): Promise<void> {
    this.#closing.signal.throwIfAborted();
    const options = { from: this.#position, etag: this.#etag, signal: this.#closing.signal };
    try {
      this.#body ??= (await this.#store.get(this.#key, options)).getReader();
      const { done, value } = await this.#body.read();
      if (done) {
        throw new FileSystemError("unavailable", `"${this.#key}" has ended at ${this.#position} of ${this.size}`);
      }
      this.#piece = value;
    } catch (error) {
      if (!isRefusal(error, "changed", "missing")) throw error;
      const message = `"${this.#key}" was replaced or removed while it was read`;
      throw new FileSystemError("unavailable", message, { cause: error });
    }
  }
}
