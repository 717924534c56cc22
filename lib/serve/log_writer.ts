/**
 * A queue between the server and its log, so that no trouble of the log is one of the server; and the runtime's own warnings in
 * that log.
 *
 * @module
 */

import process from "node:process";

/** Where a log goes, such as `Deno.stderr`. */
export interface LogTarget {
  /** Writes some of the bytes, off the event loop; resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Options of {@linkcode LogWriter}. */
export interface LogWriterOptions {
  /** Bytes that may wait, up to `Infinity`; lines beyond are dropped. @default {1_048_576} */
  readonly maxBytes?: number;
}

/** Told of what happens to a log. */
export interface LogListeners {
  /** The log takes lines again after so many were dropped. */
  readonly onDropped?: (count: number) => void;
  /** Writing has failed for the first time since it last worked; it is tried again. */
  readonly onFailed?: (error: unknown) => void;
}

const MAX_WAITING_BYTES = 1 << 20;
/** Lines that wait are written together, up to so many bytes. */
const MAX_WRITE_BYTES = 1 << 16;
/** Pauses before another try, each twice the one before. A pipe that is full may have room a moment later. */
const MIN_RETRY_MS = 10;
const MAX_RETRY_MS = 1000;

/**
 * Writes lines in order, one write at a time, and never waits for that: a pipe that nobody reads, a full disk and a terminal
 * that is gone stop nobody who logs. Lines wait while nothing can be written; those that find no room are dropped and
 * counted. No line is ever written in part and another behind it.
 */
export class LogWriter {
  readonly #target: LogTarget;
  readonly #maxBytes: number;
  readonly #encoder = new TextEncoder();
  #listeners: LogListeners = {};
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;
  #isFailing = false;
  #retryMs = MIN_RETRY_MS;
  #retry: PromiseWithResolvers<void> | undefined;
  #isEnding = false;

  /** The target is not closed by this. */
  constructor(target: LogTarget, options: LogWriterOptions = {}) {
    this.#target = target;
    this.#maxBytes = options.maxBytes ?? MAX_WAITING_BYTES;
  }

  /** Lets others know from now on; in the place of those before. What they throw is lost. */
  listen(listeners: LogListeners): void {
    this.#listeners = listeners;
  }

  /** Adds a line, given without its end. Never throws. */
  write(line: string): void {
    if (this.#dropped > 0) {
      // Half of the room is free before lines are taken again, so that a slow reader does not get a report after each line.
      if (this.#waitingBytes * 2 > this.#maxBytes) return void this.#dropped++;
      this.#tellDropped();
    }
    this.#add(this.#encoder.encode(`${line}\n`));
  }

  /**
   * Waits until all is written, but neither longer than `timeoutMs`, up to `Infinity`, nor for a target that fails other than by being full for
   * a moment. Nothing more should be written then: the program ends.
   *
   * @returns Whether all is written.
   */
  async end(timeoutMs: number): Promise<boolean> {
    this.#isEnding = true;
    this.#tellDropped();
    this.#retry?.resolve();
    const timeout = Promise.withResolvers<void>();
    const timer = timeoutMs === Infinity ? undefined : setTimeout(timeout.resolve, timeoutMs);
    await Promise.race([this.#writing, timeout.promise]);
    clearTimeout(timer);
    return this.#writing === undefined && this.#waitingBytes === 0;
  }

  #add(bytes: Uint8Array): void {
    if (this.#waitingBytes + bytes.length > this.#maxBytes) return void this.#dropped++;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writing ??= this.#writeWaiting();
  }

  /** Never rejects. */
  async #writeWaiting(): Promise<void> {
    await undefined; // lets more lines of the same moment come
    while (this.#waitingBytes > 0) {
      const bytes = this.#takeSome();
      try {
        this.#putBack(bytes.subarray(await this.#target.write(bytes)));
        this.#isFailing = false;
        this.#retryMs = MIN_RETRY_MS;
      } catch (error) {
        this.#putBack(bytes);
        if (!this.#mayTryAgain(error)) break;
        await this.#pause();
      }
      if (this.#waitingBytes === 0) this.#tellDropped();
    }
    // In the turn in which nothing was left: a line that comes behind it begins to write anew.
    this.#writing = undefined;
  }

  #takeSome(): Uint8Array {
    let length = 0;
    let count = 0;
    for (const { length: next } of this.#waiting) {
      if (count > 0 && length + next > MAX_WRITE_BYTES) break;
      length += next;
      count++;
    }
    const taken = this.#waiting.splice(0, count);
    this.#waitingBytes -= length;
    if (count === 1 && taken[0] !== undefined) return taken[0];
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const line of taken) {
      bytes.set(line, offset);
      offset += line.length;
    }
    return bytes;
  }

  #putBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#waiting.unshift(bytes);
    this.#waitingBytes += bytes.length;
  }

  #mayTryAgain(error: unknown): boolean {
    const isFull = error instanceof Deno.errors.WouldBlock || codeOf(error) === "EAGAIN";
    if (!isFull && !this.#isFailing) {
      this.#isFailing = true;
      this.#tell(() => this.#listeners.onFailed?.(error));
    }
    return isFull || !this.#isEnding;
  }

  async #pause(): Promise<void> {
    this.#retry = Promise.withResolvers();
    const timer = setTimeout(this.#retry.resolve, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
    await this.#retry.promise;
    clearTimeout(timer);
    this.#retry = undefined;
  }

  #tellDropped(): void {
    const count = this.#dropped;
    if (count === 0) return;
    this.#dropped = 0;
    this.#tell(() => this.#listeners.onDropped?.(count));
  }

  #tell(listener: () => void): void {
    try {
      listener();
    } catch {
      // Nobody is left to report that to.
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/**
 * Takes the runtime's warnings of this event loop from now on. Left to the runtime, they are written to standard error in the
 * event loop, where a full pipe stops it, and a full disk ends the process.
 *
 * @param onWarning Given one line.
 */
export function takeWarnings(onWarning: (text: string) => void): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => onWarning(`warning of the runtime: ${name}: ${message}`));
}
