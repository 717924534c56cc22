/**
 * What a socket has received and nobody has taken yet.
 *
 * @module
 */

import type net from "node:net";
import type tls from "node:tls";
import type { Patience } from "./patience.ts";
import { reasonOf, WireError } from "./wire_error.ts";

/** Longest line that is read, in bytes. */
const MAX_LINE_BYTES = 8192;
/**
 * A connection with more than this waiting is given up, in bytes: nothing that is asked for is so large. It is not paused
 * instead: `node:tls` of Deno 2.9 can miss the end then.
 */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

const LF = 0x0a;

/** Reads from a socket, from its construction until it is detached. */
export class Inbox {
  readonly #stream: net.Socket | tls.TLSSocket;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #isEnded = false;
  #error: Error | undefined;
  #changed = Promise.withResolvers<void>();

  readonly #onData = (bytes: Uint8Array): void => {
    this.#pieces.push(new Uint8Array(bytes));
    this.#length += bytes.length;
    if (this.#length > MAX_WAITING_BYTES) {
      this.#stream.destroy(new WireError("tooLarge", "the server sends without end"));
    }
    this.#notify();
  };
  readonly #onEnd = (): void => {
    this.#isEnded = true;
    this.#notify();
  };
  readonly #onError = (error: Error): void => {
    this.#error ??= error;
    this.#onEnd();
  };

  constructor(stream: net.Socket | tls.TLSSocket) {
    this.#stream = stream;
    if (stream.closed) this.#isEnded = true;
    stream.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onEnd).on("error", this.#onError);
  }

  /** Stops reading, so that TLS can begin. Errors are listened for to the end. */
  detach(): void {
    this.#stream.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onEnd);
    this.#stream.pause();
  }

  /** Whether something is there that nobody has taken. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /**
   * Takes what has come, waiting for the first of it.
   *
   * @returns `undefined` at the end.
   * @throws {WireError} When nothing comes, or the connection fails.
   */
  async take(patience: Patience, what: string): Promise<Uint8Array | undefined> {
    while (this.#length === 0) {
      if (this.#error !== undefined) throw new WireError("failed", reasonOf(this.#error), { cause: this.#error });
      if (this.#isEnded) return undefined;
      await patience.wait(this.#changed.promise, what);
    }
    const all = this.#joined();
    this.#keep(new Uint8Array(0));
    return all;
  }

  /**
   * Takes a line, without its end.
   *
   * @throws {WireError} When none comes, or one that is too long.
   */
  async takeLine(patience: Patience, what: string): Promise<string> {
    for (;;) {
      const waiting = this.#joined();
      const end = waiting.indexOf(LF);
      if (end > MAX_LINE_BYTES || (end < 0 && waiting.length > MAX_LINE_BYTES)) {
        throw new WireError("tooLarge", `a line of more than ${MAX_LINE_BYTES} bytes in place of ${what}`);
      }
      if (end >= 0) {
        this.#keep(waiting.subarray(end + 1));
        return new TextDecoder().decode(waiting.subarray(0, end)).replace(/\r$/, "");
      }
      if (this.#error !== undefined) throw new WireError("failed", reasonOf(this.#error), { cause: this.#error });
      if (this.#isEnded) throw new WireError("ended", `the server closed the connection before ${what}`);
      await patience.wait(this.#changed.promise, what);
    }
  }

  #joined(): Uint8Array {
    const [first] = this.#pieces;
    if (first !== undefined && this.#pieces.length === 1) return first;
    const joined = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [joined];
    return joined;
  }

  #keep(rest: Uint8Array): void {
    this.#pieces = [rest];
    this.#length = rest.length;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
