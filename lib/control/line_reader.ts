/**
 * Command lines as they come from a control connection.
 *
 * @module
 */

import { type DecodedLine, LineDecoder, type LineDecoderOptions } from "../protocol/line_decoder.ts";
import type { Connection } from "../transport/connection.ts";

/** How many lines may wait behind a transfer; a client that sends more is stopped by TCP. */
const LARGEST_PIPELINE = 64;

const LINE_FEED = 0x0a;

/** Reads lines one by one, or ahead of their turn. Does not own the connection. */
export class LineReader {
  readonly #connection: Connection;
  readonly #decoder: LineDecoder;
  readonly #waiting: DecodedLine[] = [];
  /** The read that is under way. */
  #reading: Promise<boolean> | undefined;
  #ended = false;
  #endsInsideLine = false;

  constructor(connection: Connection, options: LineDecoderOptions) {
    this.#connection = connection;
    this.#decoder = new LineDecoder(options);
  }

  /** Lines that were received and that {@linkcode LineReader.next} has not given yet. */
  get waiting(): readonly DecodedLine[] {
    return this.#waiting;
  }

  /** Whether anything was received that {@linkcode LineReader.next} has not given yet. */
  get hasPending(): boolean {
    return this.#waiting.length > 0 || this.#endsInsideLine;
  }

  /**
   * Waits for the next line.
   *
   * @returns `null` at the end of the stream; bytes without a line end before it are dropped.
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  async next(): Promise<DecodedLine | null> {
    while (this.#waiting.length === 0) {
      if (!await this.#receive()) return null;
    }
    return this.#waiting.shift() ?? null;
  }

  /**
   * Waits for more lines than are known already, without taking any.
   *
   * @returns The new ones; `null` at the end of the stream, `undefined` when enough are waiting.
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  async lookAhead(): Promise<readonly DecodedLine[] | null | undefined> {
    if (this.#waiting.length >= LARGEST_PIPELINE) return undefined;
    const known = this.#waiting.length;
    return await this.#receive() ? this.#waiting.slice(known) : null;
  }

  /** Receives once; calls that come while one is under way share it. */
  async #receive(): Promise<boolean> {
    if (this.#ended) return false;
    this.#reading ??= this.#readOnce();
    return await this.#reading;
  }

  async #readOnce(): Promise<boolean> {
    const bytes = await this.#connection.read();
    this.#reading = undefined;
    if (bytes === null) {
      this.#ended = true;
      return false;
    }
    this.#endsInsideLine = bytes.at(-1) !== LINE_FEED;
    for (const line of this.#decoder.push(bytes)) this.#waiting.push(line);
    return true;
  }
}
