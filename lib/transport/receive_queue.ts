/**
 * Pull reads over a stream that pushes.
 *
 * @module
 */

import { ConnectionError, type PeerEnding } from "./connection.ts";
import { closedError } from "./connection_failure.ts";

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
  #paused = false;
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;
  #end: PeerEnding | ConnectionError | undefined;
  #ending: PeerEnding | undefined;

  /**
   * @param source Socket to pause. It is not touched before it has brought too much.
   * @param limitBytes Bytes held unread at which the socket is paused; one more chunk may come. 1: each chunk pauses it.
   */
  constructor(source: FlowControl, limitBytes: number) {
    this.#source = source;
    this.#limitBytes = limitBytes;
  }

  /** How the peer ended; `undefined` until {@linkcode ReceiveQueue.read} has returned `null`. */
  get ending(): PeerEnding | undefined {
    return this.#ending;
  }

  /** Takes bytes from the stream. */
  push(bytes: Uint8Array): void {
    if (this.#end !== undefined || bytes.length === 0) return;
    if (this.#reader !== undefined) {
      this.#reader.resolve(bytes);
      this.#reader = undefined;
      return;
    }
    this.#chunks.push(bytes);
    this.#queuedBytes += bytes.length;
    if (!this.#paused && this.#queuedBytes >= this.#limitBytes) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  /** Takes the end of the stream, good or bad, for after the bytes before it. The first one stays. */
  settle(end: PeerEnding | ConnectionError): void {
    this.#end ??= end;
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    this.#finish(reader);
  }

  /** Drops what is unread; pending and later reads reject with kind `"closed"`. */
  close(): void {
    this.#chunks = [];
    this.#end = closedError();
    this.settle(this.#end);
  }

  /** Takes out all unread bytes, for another owner of the stream. */
  drain(): Uint8Array[] {
    return this.#chunks.splice(0);
  }

  /** Waits for bytes; see `Connection.read`. */
  read(): Promise<Uint8Array | null> {
    if (this.#reader !== undefined) return Promise.reject(new TypeError("Cannot read: a read is pending"));
    const bytes = this.#chunks.shift();
    if (bytes !== undefined) {
      this.#queuedBytes -= bytes.length;
      if (this.#chunks.length === 0) this.#resume();
      return Promise.resolve(bytes);
    }
    const reader = Promise.withResolvers<Uint8Array | null>();
    if (this.#end === undefined) this.#reader = reader;
    else this.#finish(reader);
    return reader.promise;
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
