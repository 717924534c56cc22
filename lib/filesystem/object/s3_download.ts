/**
 * The body of an object, which goes on where a connection breaks.
 *
 * @module
 */

import { Watchdog } from "../../deadline.ts";
import { FileSystemError } from "../filesystem.ts";
import type { GetOptions } from "./object_store.ts";
import { StoreRefusal } from "./object_store.ts";
import { readETag, readOrRefuse, readWhole } from "./s3_answers.ts";
import type { StoreRequests } from "./s3_requests.ts";
import type { StreamAnswer } from "./s3_transport.ts";

/** How often a body is asked for again, unless much of it has come meanwhile. */
const MAX_RESUMPTIONS = 5;
const MUCH_BYTES = 67_108_864;

/** Reads an object from a byte on, to the end of the version that was asked for. */
export class Download implements UnderlyingDefaultSource<Uint8Array> {
  readonly #requests: StoreRequests;
  readonly #key: string;
  readonly #options: GetOptions;
  readonly #doing: string;
  /** Where the next byte is. */
  #at: number;
  #end = 0;
  #resumptions = 0;
  #resumedAt: number;
  #connection: Connection | undefined;
  /** Aborts when no more bytes are wanted. */
  readonly #lifetime = new AbortController();
  #onAbort = () => {};

  /** Asks for nothing yet. */
  constructor(requests: StoreRequests, key: string, options: GetOptions) {
    this.#requests = requests;
    this.#key = key;
    this.#options = options;
    this.#doing = `get ${JSON.stringify(key)}`;
    this.#at = options.from;
    this.#resumedAt = options.from;
  }

  /** Asks for the object. Call it before the stream is made. */
  async begin(): Promise<void> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    this.#onAbort = () => this.#lifetime.abort(signal.reason);
    signal.addEventListener("abort", this.#onAbort, { once: true });
    try {
      this.#connection = await this.#connect();
      this.#end = this.#connection.end;
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const { signal } = this.#lifetime;
    const fail = () => {
      if (!this.#options.signal.aborted) return; // it is closed, then
      this.#close();
      controller.error(signal.reason);
    };
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const chunk = await this.#next();
      if (chunk !== undefined) controller.enqueue(chunk);
      if (this.#at < this.#end) return;
      this.#close();
      controller.close();
    } catch (error) {
      this.#close();
      this.#options.signal.throwIfAborted();
      throw error;
    }
  }

  cancel(): void {
    this.#close();
  }

  /** The next bytes; `undefined` at the end. */
  async #next(): Promise<Uint8Array | undefined> {
    while (this.#at < this.#end) {
      this.#connection ??= await this.#resume();
      const chunk = await this.#connection.read();
      if (chunk !== undefined && chunk.length <= this.#end - this.#at) {
        this.#at += chunk.length;
        return chunk;
      }
      if (chunk !== undefined) {
        throw new FileSystemError("unavailable", `Cannot ${this.#doing}: too many bytes have come`);
      }
      this.#connection[Symbol.dispose]();
      this.#connection = undefined;
    }
    return undefined;
  }

  async #resume(): Promise<Connection> {
    this.#lifetime.signal.throwIfAborted();
    if (this.#at - this.#resumedAt >= MUCH_BYTES) this.#resumptions = 0;
    if (++this.#resumptions > MAX_RESUMPTIONS) {
      throw new FileSystemError(
        "unavailable",
        `Cannot ${this.#doing}: it has broken off too often, at byte ${this.#at}`,
      );
    }
    this.#resumedAt = this.#at;
    const connection = await this.#connect();
    if (connection.end === this.#end) return connection;
    connection[Symbol.dispose]();
    throw new FileSystemError("unavailable", `Cannot ${this.#doing}: it has got another size`);
  }

  async #connect(): Promise<Connection> {
    const { etag } = this.#options;
    const { signal } = this.#lifetime;
    const controller = new AbortController();
    const abort = () => controller.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const headers = { "if-match": etag, ...this.#at > 0 && { range: `bytes=${this.#at}-` } };
    try {
      const settled = await this.#requests.open(
        { method: "GET", key: this.#key, headers, doing: this.#doing },
        controller,
      );
      if (settled.error === undefined) return this.#connectionOf(settled.answer, controller);
      // There is nothing from the end on.
      if (settled.refusal?.status === 416) return new Connection(this.#requests, controller, undefined, this.#at);
      const isChanged = settled.error instanceof StoreRefusal && settled.error.kind === "condition";
      throw isChanged ? new StoreRefusal("changed", settled.error.message) : settled.error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Checks that it is the answer to the question: a proxy may know of no ranges, and send all, or another version. */
  #connectionOf({ status, headers, body }: StreamAnswer, controller: AbortController): Connection {
    try {
      return readOrRefuse(() => {
        const length = readWhole(headers.get("content-length") ?? "");
        const range = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "");
        const from = status === 206 && range !== null ? Number(range[1]) : 0;
        if (from !== this.#at) {
          throw new SyntaxError(`Cannot ${this.#doing} from ${this.#at}: it has come from ${from}`);
        }
        if (readETag(headers.get("etag") ?? "") !== readETag(this.#options.etag)) {
          throw new SyntaxError(`Cannot ${this.#doing}: another version has come`);
        }
        return new Connection(this.#requests, controller, body, from + length);
      });
    } catch (error) {
      controller.abort();
      this.#requests.forget(controller);
      throw error;
    }
  }

  #close(): void {
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#lifetime.abort();
    this.#connection?.[Symbol.dispose]();
    this.#connection = undefined;
  }
}

/** A body that is being read. */
class Connection implements Disposable {
  /** Where the object ends. */
  readonly end: number;
  readonly #requests: StoreRequests;
  readonly #controller: AbortController;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #watch: Watchdog;

  constructor(
    requests: StoreRequests,
    controller: AbortController,
    body: ReadableStream<Uint8Array> | undefined,
    end: number,
  ) {
    this.end = end;
    this.#requests = requests;
    this.#controller = controller;
    this.#reader = body?.getReader();
    this.#watch = new Watchdog(requests.stallMs, () => controller.abort(new Error("The store has stopped sending")));
    this.#watch.pause();
  }

  /** The next bytes; `undefined` when no more come, for whatever reason. */
  async read(): Promise<Uint8Array | undefined> {
    this.#watch.resume();
    try {
      return (await this.#reader?.read())?.value;
    } catch {
      return undefined; // it is asked for again, and whatever is wrong comes out then
    } finally {
      this.#watch.pause();
    }
  }

  /** Ends it; what has not come yet is not wanted. */
  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#requests.forget(this.#controller);
    this.#controller.abort();
    void this.#reader?.cancel().catch(() => {}); // it has been aborted
  }
}
