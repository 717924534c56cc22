/**
 * Reading from a `node:net` or `node:tls` socket with deadlines.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** A socket, clear or protected. */
export type AnySocket = Socket | TLSSocket;

/** How a peer ended: by FIN (in TLS: close_notify or FIN), or by RST and other failures. */
export type SocketEnding = "end" | "error";

/**
 * Waits for a promise.
 *
 * @throws {Error} When it has not settled after `deadlineMs` milliseconds; the message names `what`.
 */
export async function withDeadline<T>(promise: Promise<T>, what: string, deadlineMs: number): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Waited ${deadlineMs} ms in vain for ${what}`)), deadlineMs);
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** More than any test waits for: a peer that sends without end must not use up the memory. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Collects what a socket receives, from its creation until it is detached or the socket closes. */
export class SocketReader {
  readonly #socket: AnySocket;
  readonly #deadlineMs: number;
  readonly #mostBytes: number;
  /** Pieces that were not taken yet; joined only when somebody looks. */
  #pieces: Uint8Array[] = [];
  #length = 0;
  #ending: SocketEnding | undefined;
  #error: Error | undefined;
  #changed = Promise.withResolvers<void>();

  readonly #onData = (bytes: Uint8Array): void => {
    this.#pieces.push(new Uint8Array(bytes)); // no Buffer, which is not equal to the same bytes
    this.#length += bytes.length;
    if (this.#length > this.#mostBytes) {
      this.#socket.destroy(new Error(`Received ${this.#length} bytes that nobody took`));
    }
    this.#notify();
  };
  readonly #onEnd = (): void => {
    this.#ending ??= "end";
    this.#notify();
  };
  readonly #onError = (error: Error): void => {
    this.#error ??= error;
    this.#ending ??= "error";
    this.#notify();
  };

  /** Starts to read. Waits last at most `deadlineMs` milliseconds each; more than `mostBytes` end the connection. */
  constructor(socket: AnySocket, deadlineMs: number, mostBytes = MAX_BYTES) {
    this.#socket = socket;
    this.#deadlineMs = deadlineMs;
    this.#mostBytes = mostBytes;
    // A peer that was quicker has no event left.
    if (socket.closed) this.#ending = socket.errored === null ? "end" : "error";
    socket.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onEnd).on("error", this.#onError);
  }

  /** Stops to read, so that the socket can be upgraded to TLS. */
  detach(): void {
    this.#socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onEnd);
    this.#socket.pause();
  }

  /** What arrived and was not taken yet. */
  get pending(): Uint8Array {
    if (this.#pieces.length === 1 && this.#pieces[0] !== undefined) return this.#pieces[0];
    const joined = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [joined];
    return joined;
  }

  /** Takes bytes up to and including the first LF. Rejects when the peer ends before. */
  async line(what: string): Promise<Uint8Array> {
    let length = 0;
    await this.#until(() => (length = this.pending.indexOf(10) + 1) > 0, what);
    const line = this.pending.subarray(0, length);
    this.#keep(this.pending.subarray(length));
    return line;
  }

  /** Takes everything until the peer ends. Rejects when it ends by a failure. */
  async all(what: string): Promise<Uint8Array> {
    if (await this.ended(what) === "error") throw this.#failure(what);
    const all = this.pending;
    this.#keep(new Uint8Array(0));
    return all;
  }

  /** Waits until the peer has ended. */
  async ended(what: string): Promise<SocketEnding> {
    while (this.#ending === undefined) await withDeadline(this.#changed.promise, what, this.#deadlineMs);
    return this.#ending;
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.#ending !== undefined) throw this.#failure(what);
      await withDeadline(this.#changed.promise, what, this.#deadlineMs);
    }
  }

  #failure(what: string): Error {
    const text = new TextDecoder().decode(this.pending);
    return new Error(`The connection ended (${this.#ending}) before ${what}; received "${text}"`, {
      cause: this.#error,
    });
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
