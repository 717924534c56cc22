/**
 * Command lines out of the bytes of a control connection: RFC 959 §4.1.3 and §5.3, Telnet commands of RFC 854.
 *
 * @module
 */

import { undoubleIac } from "./command_line.ts";
import { UTF8 } from "./text_encoding.ts";

/** One line, or what makes it unusable. */
export type DecodedLine =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "tooLong" }
  | { readonly kind: "nul" }
  | { readonly kind: "undecodable" }
  /** Far too long, and still not at its end: nothing behind it is looked at any more. */
  | { readonly kind: "endless" };

/** Options of {@linkcode LineDecoder}. */
export interface LineDecoderOptions {
  /** Longest line in bytes, its terminator and Telnet commands before it not counted. */
  readonly maxLineBytes: number;
  /**
   * Returns the text of a line, `undefined` when its bytes mean none. ASCII is a part of what it decodes.
   *
   * @default {UTF8.decode}
   */
  readonly decode?: (line: Uint8Array) => string | undefined;
}

/** Where the decoder is: at the start of a line, behind IAC, before the option of a Telnet command, in the text. */
type Position = "start" | "command" | "option" | "text";

const LF = 0x0a;
const CR = 0x0d;
/** Telnet commands are 0xF0 and above; WILL, WON'T, DO and DON'T have an option behind them; IAC goes before each. */
const FIRST_TELNET = 0xf0;
const WILL = 0xfb;
const IAC = 0xff;
/** What may come beyond the longest line, Telnet commands counted, before no end of it is waited for any more. */
const MAX_DROPPED_BYTES = 1024 * 1024;
const ABORT_REGEXP = /^abor\r$/i;

/**
 * Cuts a stream of bytes into lines that end with CR LF or a bare LF. The result does not depend on how the stream is
 * cut into chunks, with one exception: a chunk that ends with the line `ABOR` and CR yields that line at once, because
 * clients send it as urgent data, of which the final LF may never arrive; if it does, it is swallowed.
 *
 * Telnet commands at the start of a line are dropped, whole or not, because an urgent byte of theirs may be lost. In the
 * text of a line a doubled 0xFF is one byte of data. Of a line without end no more is kept than `maxLineBytes` and its CR;
 * when 1 MiB beyond that has come, it is given as `endless`, and is the last.
 */
export class LineDecoder {
  readonly #maxLineBytes: number;
  readonly #decodeText: (line: Uint8Array) => string | undefined;
  #position: Position = "start";
  #held: Uint8Array = new Uint8Array(0);
  #heldLength = 0;
  #tooLong = false;
  /** Bytes of the line that has not ended, with those that were dropped. */
  #receivedBytes = 0;
  #isEndless = false;
  #swallowLineFeed = false;

  /** Makes a decoder at the start of a line. */
  constructor(options: LineDecoderOptions) {
    this.#maxLineBytes = options.maxLineBytes;
    this.#decodeText = options.decode ?? UTF8.decode;
  }

  /** Bytes held of a line that has not ended; of one that is too long already, none. */
  get pendingBytes(): number {
    return this.#heldLength;
  }

  /** Takes the next bytes, which the caller may reuse afterwards, and returns the lines that end in them. */
  push(bytes: Uint8Array): DecodedLine[] {
    const lines: DecodedLine[] = [];
    if (this.#isEndless) return lines;
    let from = this.#skipSwallowed(bytes);
    while (from < bytes.length) {
      const start = from;
      from = this.#skipTelnet(bytes, from);
      const end = bytes.indexOf(LF, from);
      if (!this.#mayGoOn((end < 0 ? bytes.length : end) - start)) return [...lines, { kind: "endless" }];
      if (end < 0) {
        this.#hold(bytes.subarray(from));
        break;
      }
      lines.push(this.#complete(bytes.subarray(from, end)));
      from = end + 1;
    }
    if (this.#holdsAbort()) {
      lines.push(this.#complete(new Uint8Array(0)));
      this.#swallowLineFeed = true;
    }
    return lines;
  }

  /** Counts bytes of the line; what is dropped costs time, too. */
  #mayGoOn(bytes: number): boolean {
    this.#receivedBytes += bytes;
    if (this.#receivedBytes <= this.#maxLineBytes + MAX_DROPPED_BYTES) return true;
    this.#isEndless = true;
    this.#release();
    return false;
  }

  #skipSwallowed(bytes: Uint8Array): number {
    if (!this.#swallowLineFeed || bytes.length === 0) return 0;
    this.#swallowLineFeed = false;
    return bytes[0] === LF ? 1 : 0;
  }

  #skipTelnet(bytes: Uint8Array, from: number): number {
    let index = from;
    for (; index < bytes.length && this.#position !== "text"; index++) {
      this.#position = nextPosition(this.#position, bytes[index] ?? 0);
      if (this.#position === "text") return index;
    }
    return index;
  }

  #hold(part: Uint8Array): void {
    const length = this.#heldLength + part.length;
    // The byte over the limit may be the CR of the terminator.
    const capacity = this.#maxLineBytes + 1;
    if (this.#tooLong || length > capacity) {
      this.#release();
      this.#tooLong = true;
      return;
    }
    if (length > this.#held.length) {
      const grown = new Uint8Array(Math.min(capacity, Math.max(length, 2 * this.#held.length)));
      grown.set(this.#held.subarray(0, this.#heldLength));
      this.#held = grown;
    }
    this.#held.set(part, this.#heldLength);
    this.#heldLength = length;
  }

  #complete(lastPart: Uint8Array): DecodedLine {
    let line = lastPart;
    if (this.#heldLength > 0) {
      this.#hold(lastPart);
      line = this.#held.subarray(0, this.#heldLength);
    }
    const decoded = this.#decode(line.at(-1) === CR ? line.subarray(0, -1) : line);
    this.#release();
    this.#tooLong = false;
    this.#receivedBytes = 0;
    this.#position = "start";
    return decoded;
  }

  #decode(line: Uint8Array): DecodedLine {
    if (this.#tooLong || line.length > this.#maxLineBytes) return { kind: "tooLong" };
    if (line.includes(0)) return { kind: "nul" };
    const text = this.#decodeText(undoubleIac(line));
    return text === undefined ? { kind: "undecodable" } : { kind: "line", text };
  }

  #release(): void {
    this.#held = new Uint8Array(0);
    this.#heldLength = 0;
  }

  #holdsAbort(): boolean {
    return this.#heldLength === 5 && ABORT_REGEXP.test(String.fromCharCode(...this.#held.subarray(0, 5)));
  }
}

function nextPosition(position: Position, byte: number): Position {
  if (position === "option") return "start";
  if (byte === IAC) return "command";
  if (byte < FIRST_TELNET) return "text";
  return position === "command" && byte >= WILL ? "option" : "start";
}
