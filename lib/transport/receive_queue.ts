/**
 * Pull reads over a stream that pushes.
 *
 * @module
 */

import { ConnectionError, type PeerEnding } from "./connection.ts";
import { guarded } from "./error_scope.ts";
import { releaseBuffer } from "./buffer_release.ts";

/** The socket that brings the bytes; pausing it leaves them to TCP. */
export interface FlowControl {
  pause(): unknown;
  resume(): unknown;
}

/** Received bytes between a pushing stream and a pulling reader; full, it pauses the socket below. */
export class ReceiveQueue {
  readonly #source: FlowControl;
  readonly #limitBytes: number;
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #joined = new Uint8Array(0);
  /** What the last read has, if that is a chunk as it came. */
  #lent: Uint8Array | undefined;
  #paused = false;
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;
  #isDelivering = false;
  #end: PeerEnding | ConnectionError | undefined;
  #ending: PeerEnding | undefined;

  /**
   * @param source Socket to pause. It is not touched before it has brought too much.
   * @param limitBytes Bytes held unread at which the socket is paused; one more chunk may come. Also the most that several
   * chunks together may make one read. 1: each chunk pauses the socket, and is read by itself.
   */
  constructor(source: FlowControl, limitBytes: number) {
    this.#source = source;
    this.#limitBytes = limitBytes;
  }

  /** How the peer ended; `undefined` until {@linkcode ReceiveQueue.read} has returned `null`. */
  get ending(): PeerEnding | undefined {
    return this.#ending;
  }

  /** Takes bytes from the stream; they belong to the queue then. */
  push(bytes: Uint8Array): void {
    if (this.#end !== undefined || bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#reader !== undefined) return this.#deliverSoon();
    if (!this.#paused && this.#queuedBytes >= this.#limitBytes) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  /** Takes the end of the stream, good or bad, for after the bytes before it. The first one stays. */
  settle(end: PeerEnding | ConnectionError): void {
    this.#end ??= end;
    const reader = this.#reader;
    if (reader === undefined || this.#chunks.length > 0) return;
    this.#reader = undefined;
    this.#finish(reader);
  }

  /** Drops what is unread; pending and later reads reject with the error. */
  close(error: ConnectionError): void {
    this.#chunks = [];
    this.#queuedBytes = 0;
    this.#end = error;
    this.settle(error);
  }

  /** Takes out all unread bytes, for another owner of the stream. */
  drain(): Uint8Array[] {
    this.#queuedBytes = 0;
    return this.#chunks.splice(0);
  }

  /** Waits for bytes; see `Connection.read`. */
  read(): Promise<Uint8Array | null> {
    if (this.#reader !== undefined) return Promise.reject(new TypeError("Cannot read: a read is pending"));
    if (this.#chunks.length > 0) return Promise.resolve(this.#take());
    const reader = Promise.withResolvers<Uint8Array | null>();
    if (this.#end === undefined) this.#reader = reader;
    else this.#finish(reader);
    return reader.promise;
  }

  /** A turn of the microtasks later, so that all that came in one go is delivered at once. */
  #deliverSoon(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    queueMicrotask(this.#deliver);
  }

  readonly #deliver = guarded(() => {
    this.#isDelivering = false;
    if (this.#chunks.length === 0) return;
    this.#reader?.resolve(this.#take());
    this.#reader = undefined;
  });

  /** Takes a chunk, and those behind it as far as the limit allows. */
  #take(): Uint8Array {
    let length = 0;
    const fits = this.#chunks.findIndex((chunk, index) => (length += chunk.length) > this.#limitBytes && index > 0);
    const chunks = this.#chunks.splice(0, fits < 0 ? Infinity : fits);
    const bytes = this.#join(chunks);
    this.#queuedBytes -= bytes.length;
    if (this.#chunks.length === 0) this.#resume();
    return bytes;
  }

  /** Valid until the next call: large arrays are costly to make. */
  #join(chunks: readonly Uint8Array[]): Uint8Array {
    if (this.#lent !== undefined) releaseBuffer(this.#lent);
    const [first] = chunks;
    this.#lent = chunks.length === 1 ? first : undefined;
    if (this.#lent !== undefined) return this.#lent;
    const length = chunks.reduce((length, chunk) => length + chunk.length, 0);
    if (this.#joined.length < length) this.#joined = new Uint8Array(Math.max(length, 2 * this.#joined.length));
    let offset = 0;
    for (const chunk of chunks) {
      this.#joined.set(chunk, offset);
      offset += chunk.length;
      releaseBuffer(chunk);
    }
    return this.#joined.subarray(0, length);
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.resume();
  }

  #finish(reader: PromiseWithResolvers<Uint8Array | null>): void {
    const end = this.#end;
    if (end instanceof ConnectionError) return reader.reject(end);
    this.#ending = end;
    reader.resolve(null);
  }
}
