/**
 * One connection to a listener of the admin part: a stream over a connection of Deno's, with deadlines.
 *
 * @module
 */

import { Duplex } from "node:stream";

/** How long a request may take to arrive, with its body, and a connection may be without one, in milliseconds. */
const REQUEST_MS = 30_000;
/** How long a peer may take nothing of an answer, in milliseconds. */
const WRITE_MS = 30_000;
const READ_BYTES = 16 * 1024;
/** Requests of a connection that wait for the answer to the one before. */
const MAX_PIPELINED = 8;

/** How long a connection may be silent. */
export interface HttpConnectionOptions {
  /** Default 30,000. */
  readonly requestMs?: number | undefined;
  /** Default 30,000. */
  readonly writeMs?: number | undefined;
}

/** What `node:http` takes for a socket. It owns its connection, and ends it when a deadline has passed. */
export class HttpConnection extends Duplex {
  /** Numeric address of the peer; `""` for a Unix socket. */
  readonly host: string;
  readonly #conn: Deno.Conn;
  readonly #requestMs: number;
  readonly #writeMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(conn: Deno.Conn, { requestMs = REQUEST_MS, writeMs = WRITE_MS }: HttpConnectionOptions = {}) {
    super({ allowHalfOpen: false });
    const { remoteAddr } = conn;
    this.host = "hostname" in remoteAddr ? remoteAddr.hostname : "";
    this.#conn = conn;
    this.#requestMs = requestMs;
    this.#writeMs = writeMs;
    this.on("error", () => {}); // the peer has gone, or is too slow: `close` says that it is over
    this.expectRequest();
  }

  /** Whether a request is being answered. */
  get isAnswering(): boolean {
    return this.#waiting > 0;
  }

  /** Begins the time in which a request has to arrive whole. */
  expectRequest(): void {
    this.requestArrived();
    this.#timer = setTimeout(() => this.destroy(), this.#requestMs);
  }

  /** Ends that time. */
  requestArrived(): void {
    clearTimeout(this.#timer);
  }

  /** Answers a request once those before it are answered, so that only one answer is in memory. `answer` must not reject. */
  enqueue(answer: () => Promise<void>): void {
    if (++this.#waiting > MAX_PIPELINED) return void this.destroy();
    this.#last = this.#last.then(async () => {
      if (!this.destroyed) await answer();
      if (--this.#waiting === 0 && !this.destroyed) this.expectRequest();
    });
  }

  /** Resolves when all requests are answered. */
  get answered(): Promise<void> {
    return this.#last;
  }

  /** Closes it, once what was written has gone out; resolves when it is closed. */
  async closeSoon(): Promise<void> {
    if (this.closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.once("close", () => resolve());
    this.destroy();
    await promise;
  }

  override _read(): void {
    const bytes = new Uint8Array(READ_BYTES);
    this.#conn.read(bytes).then(
      (size) => void this.push(size === null ? null : bytes.subarray(0, size)),
      (error) => void this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#writeAll(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const { closeWrite } = this.#conn as { closeWrite?: () => Promise<void> };
    (closeWrite?.call(this.#conn) ?? Promise.resolve()).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    try {
      this.#conn.close();
    } catch {
      // It is closed.
    }
    done(error);
  }

  async #writeAll(chunk: Uint8Array): Promise<void> {
    const timer = setTimeout(() => this.destroy(), this.#writeMs);
    try {
      for (let at = 0; at < chunk.length;) at += await this.#conn.write(chunk.subarray(at));
    } finally {
      clearTimeout(timer);
    }
  }
}
