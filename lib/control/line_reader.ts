/**
 * Command lines as they come from a control connection.
 *
 * @module
 */

import { type DecodedLine, LineDecoder, type LineDecoderOptions } from "../protocol/line_decoder.ts";
import type { Connection } from "../transport/connection.ts";

/**
 * What may wait behind a transfer; a client that sends more is stopped by TCP. One more read may come, and a line counts as
 * its text and this much.
 */
const MAX_WAITING_CHARACTERS = 128 * 1024;
const LINE_OVERHEAD = 32;

/** So many lines that were taken are forgotten in one go. */
const MAX_TAKEN_LINES = 1024;

const LINE_FEED = 0x0a;

/** What a line does beyond its turn: it ends the running transfer, starts TLS, or ends the session. */
export type LineEffect = "interrupts" | "startsTls" | "quits";

/** Options of {@linkcode LineReader}. */
export interface LineReaderOptions extends LineDecoderOptions {
  /** Asked once for each line. Default: none has any. */
  readonly effectOf?: (line: DecodedLine) => LineEffect | undefined;
}

/** Reads lines one by one, or ahead of their turn. Does not own the connection. */
export class LineReader {
  readonly #connection: Connection;
  readonly #decoder: LineDecoder;
  readonly #effectOf: (line: DecodedLine) => LineEffect | undefined;
  /** Those before `#next` were taken. */
  #lines: DecodedLine[] = [];
  #next = 0;
  #taken: DecodedLine | undefined;
  #isPrompt = false;
  #waitingCharacters = 0;
  readonly #waitingEffects: Record<LineEffect, number> = { interrupts: 0, startsTls: 0, quits: 0 };
  /** The read that is under way. */
  #reading: Promise<boolean> | undefined;
  #arrival: PromiseWithResolvers<void> | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #ended = false;
  /** Whether a line came that does not end, behind which nothing is read. */
  #isEndless = false;
  #endsInsideLine = false;

  constructor(connection: Connection, options: LineReaderOptions) {
    this.#connection = connection;
    this.#decoder = new LineDecoder(options);
    this.#effectOf = options.effectOf ?? (() => undefined);
  }

  /** How many lines were received that {@linkcode LineReader.next} has not returned yet. */
  get waiting(): number {
    return this.#lines.length - this.#next;
  }

  /** Whether anything was received that {@linkcode LineReader.next} has not returned yet. */
  get hasPending(): boolean {
    return this.waiting > 0 || this.#endsInsideLine;
  }

  /** Whether so much is waiting that no more is read ahead: the peer's end would not be seen. */
  get isFull(): boolean {
    return this.#isEndless || this.#waitingCharacters >= MAX_WAITING_CHARACTERS;
  }

  /** Whether the line that was taken last was the first that came with the last read, and was waited for. */
  get isPrompt(): boolean {
    return this.#isPrompt;
  }

  /** Says that something was waited for since the line was taken. */
  delayed(): void {
    this.#isPrompt = false;
  }

  /** Returns whether a line with the effect is waiting. */
  waitsFor(effect: LineEffect): boolean {
    return this.#waitingEffects[effect] > 0;
  }

  /** Whether a line that starts TLS is waiting, or was the last one taken: what comes behind it may be a handshake. */
  get mayBecomeTls(): boolean {
    return this.waitsFor("startsTls") || (this.#taken !== undefined && this.#effectOf(this.#taken) === "startsTls");
  }

  /** The effect of the line that {@linkcode LineReader.next} returns next, if it is there and has one. */
  get nextEffect(): LineEffect | undefined {
    const line = this.#lines[this.#next];
    return line && this.#effectOf(line);
  }

  /**
   * Waits for the next line.
   *
   * @returns `null` at the end of the stream; bytes without a line end before it are dropped.
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  async next(): Promise<DecodedLine | null> {
    this.#taken = undefined;
    this.#isPrompt = this.waiting === 0;
    while (this.waiting === 0) {
      if (!await this.#receive()) return null;
    }
    return this.#take();
  }

  /**
   * Receives what comes next, without taking a line.
   *
   * @returns Whether there was anything; `false` at the end of the stream.
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  readAhead(): Promise<boolean> {
    return this.#receive();
  }

  /** Resolves when more has come, or the stream has ended. Somebody else has to read. */
  get arrival(): Promise<void> {
    this.#arrival ??= Promise.withResolvers();
    return this.#arrival.promise;
  }

  /** Resolves when less is waiting than may be. */
  get room(): Promise<void> {
    if (!this.isFull) return Promise.resolve();
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  #take(): DecodedLine | null {
    const line = this.#lines[this.#next++] ?? null;
    if (line === null) return null;
    this.#taken = line;
    this.#count(line, -1);
    if (this.#next === this.#lines.length || this.#next >= MAX_TAKEN_LINES) {
      this.#lines = this.#lines.slice(this.#next);
      this.#next = 0;
    }
    if (!this.isFull) {
      this.#room?.resolve();
      this.#room = undefined;
    }
    return line;
  }

  #count(line: DecodedLine, sign: 1 | -1): void {
    const effect = this.#effectOf(line);
    if (effect !== undefined) this.#waitingEffects[effect] += sign;
    this.#waitingCharacters += sign * (LINE_OVERHEAD + (line.kind === "line" ? line.text.length : 0));
  }

  /** Receives once; calls that come while one is under way share it. */
  #receive(): Promise<boolean> {
    return this.#reading ??= this.#readOnce();
  }

  async #readOnce(): Promise<boolean> {
    if (this.#ended) return false;
    const bytes = await this.#connection.read();
    this.#reading = undefined;
    if (bytes === null) {
      this.#ended = true;
    } else {
      this.#endsInsideLine = bytes.at(-1) !== LINE_FEED;
      for (const line of this.#decoder.push(bytes)) {
        this.#lines.push(line);
        this.#count(line, 1);
        this.#isEndless ||= line.kind === "endless";
      }
    }
    this.#arrival?.resolve();
    this.#arrival = undefined;
    return bytes !== null;
  }
}
