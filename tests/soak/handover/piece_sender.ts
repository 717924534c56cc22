/**
 * Bytes of a client that go out in planned pieces, and may break off at a planned place.
 *
 * @module
 */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";

/** How a client ends in the middle: half-closed, by RST, by closing, by an alert and FIN, or not at all. */
export const ENDINGS = ["fin", "rst", "close", "closeNotify", "stay"] as const;

/** One of {@linkcode ENDINGS}. */
export type Ending = typeof ENDINGS[number];

/** How bytes are sent. */
export interface CutPlan {
  /** Sizes of the first pieces; what is behind them goes out as it comes. */
  readonly pieces: readonly number[];
  /** Pauses in milliseconds behind the first pieces. */
  readonly gapsMs: readonly number[];
  /** After so many bytes the client ends; absent: never. */
  readonly endAt?: number;
  readonly ending?: Ending;
  /** Into how many TLS records the first record is cut before anything else. */
  readonly records?: number;
}

/** An alert in clear, as during a handshake: warning, close_notify (RFC 5246 §7.2). */
const CLOSE_NOTIFY = Uint8Array.of(21, 3, 3, 0, 2, 1, 0);
const HEADER_BYTES = 5;

/** Sends bytes over a socket as a plan says. */
export class PieceSender {
  readonly #socket: Socket;
  readonly #plan: CutPlan;
  #sent = 0;
  #pieceCount = 0;
  #sending: Promise<void> = Promise.resolve();
  #hasEnded = false;

  constructor(socket: Socket, plan: CutPlan) {
    this.#socket = socket;
    this.#plan = plan;
  }

  /** Whether the client has ended in the middle. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Settles when all that was given until now is sent, or the client has ended. */
  get idle(): Promise<void> {
    return this.#sending;
  }

  /** Sends bytes behind those before. Never rejects. */
  send(bytes: Uint8Array): Promise<void> {
    this.#sending = this.#sending.then(() => this.#send(bytes));
    return this.#sending;
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const { pieces, gapsMs, endAt = Infinity } = this.#plan;
    let rest = bytes;
    while (rest.length > 0 && !this.#hasEnded) {
      const size = Math.min(pieces[this.#pieceCount] ?? rest.length, rest.length, endAt - this.#sent);
      if (size > 0) await this.#write(rest.subarray(0, size));
      rest = rest.subarray(size);
      this.#sent += size;
      if (this.#sent >= endAt) this.#end();
      else if (this.#pieceCount < pieces.length) await pause(gapsMs[this.#pieceCount] ?? 0);
      this.#pieceCount++;
    }
  }

  #write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once("close", resolve);
      this.#socket.write(bytes, () => {
        this.#socket.off("close", resolve);
        resolve();
      });
    });
  }

  #end(): void {
    this.#hasEnded = true;
    const socket = this.#socket;
    switch (this.#plan.ending) {
      case "fin":
        return void socket.end();
      case "rst":
        return void socket.resetAndDestroy();
      case "close":
        return void socket.destroy();
      case "closeNotify":
        socket.write(CLOSE_NOTIFY);
        return void socket.end();
    }
  }
}

/** The stream under a client's TLS engine: what the engine writes is sent in pieces. */
export class CutStream extends Duplex {
  readonly #socket: Socket;
  readonly #sender: PieceSender;
  readonly #records: number;
  #isFirst = true;

  constructor(socket: Socket, plan: CutPlan) {
    super();
    this.#socket = socket;
    this.#sender = new PieceSender(socket, plan);
    this.#records = plan.records ?? 1;
    socket.on("error", () => {});
    socket.once("close", () => this.destroy());
  }

  /** Settles when all that the engine wrote until now is sent. */
  get idle(): Promise<void> {
    return this.#sender.idle;
  }

  /** Hands the server's bytes to the engine, first those that were read before. */
  begin(first: Uint8Array): void {
    if (first.length > 0) this.push(first);
    this.#socket.on("data", (bytes: Uint8Array) => this.push(bytes));
    this.#socket.once("end", () => this.push(null));
    this.#socket.resume();
  }

  override _read(): void {}

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    void this.#sender.send(isFirst ? fragmented(bytes, this.#records) : new Uint8Array(bytes));
    done();
  }

  override _final(done: () => void): void {
    this.#sender.idle.then(() => {
      if (!this.#sender.hasEnded) this.#socket.end();
      done();
    });
  }

  override _destroy(_error: Error | null, done: () => void): void {
    this.#sender.idle.then(() => {
      if (!this.#sender.hasEnded) this.#socket.destroy();
    });
    done();
  }
}

/** Puts what is in the first record into several (RFC 8446 §5.1: handshake messages may be fragmented). */
function fragmented(bytes: Uint8Array, records: number): Uint8Array {
  const body = bytes.subarray(HEADER_BYTES, HEADER_BYTES + ((bytes[3] ?? 0) << 8 | (bytes[4] ?? 0)));
  const size = Math.max(1, Math.ceil(body.length / records));
  const result: number[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    result.push(...bytes.subarray(0, 3), part.length >> 8, part.length & 0xff, ...part);
  }
  return Uint8Array.from([...result, ...bytes.subarray(HEADER_BYTES + body.length)]);
}

/** A pause; 0 lets the event loop turn, so that pieces are written one by one. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => ms > 0 ? setTimeout(resolve, ms) : setImmediate(resolve));
}
