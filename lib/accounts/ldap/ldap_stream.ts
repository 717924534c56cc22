/**
 * The bytes between us and a directory, as `ldapts` wants them: a stream of Node over a connection.
 *
 * The library takes whatever comes. So a bound on it is here, and bytes go to it in small pieces: it calls itself for each message
 * of a piece, and what it throws would else be nobody's.
 *
 * @module
 */

import { Duplex } from "node:stream";

/** Most bytes of the answers to one operation. */
const MAX_ANSWER_BYTES = 1 << 20;
/** Most bytes of a piece: some hundred of the shortest messages. */
const PIECE_BYTES = 2048;

/** What bytes come from and go to: a `Deno.Conn`, or TLS over one. */
export interface ByteChannel {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

/** Owns a connection, which ends with it. */
export class LdapStream extends Duplex {
  /** What `ldapts` looks at to know that it is connected. */
  readonly connecting = false;
  readonly readyState = "open";
  readonly #connection: ByteChannel;
  #allowedBytes: number;
  #isReading = false;

  /** @param allowedBytes How much may be read; {@linkcode LdapStream.beginOperation} sets it anew. */
  constructor(connection: ByteChannel, allowedBytes: number = MAX_ANSWER_BYTES) {
    super({ allowHalfOpen: false });
    this.#connection = connection;
    this.#allowedBytes = allowedBytes;
    this.on("error", () => {}); // whoever waits for an answer learns it
  }

  /** Allows the bytes of another operation. */
  beginOperation(): void {
    this.#allowedBytes = MAX_ANSWER_BYTES;
  }

  override _read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#pump().catch((error) => this.destroy(error instanceof Error ? error : new Error(String(error))));
  }

  async #pump(): Promise<void> {
    const buffer = new Uint8Array(PIECE_BYTES);
    let wantsMore = true;
    while (wantsMore && !this.destroyed) {
      const count = await this.#connection.read(buffer);
      if (this.destroyed) return;
      if (count === null) {
        this.#isReading = false;
        this.push(null);
        return;
      }
      this.#allowedBytes -= count;
      if (this.#allowedBytes < 0) throw new Error(`it has answered more than ${MAX_ANSWER_BYTES} bytes`);
      wantsMore = this.push(new Uint8Array(buffer.subarray(0, count)));
    }
    this.#isReading = false;
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#writeAll(chunk).then(() => callback(), callback);
  }

  async #writeAll(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await this.#connection.write(rest));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    try {
      this.#connection.close();
    } catch {
      // it is closed
    }
    callback(error);
  }
}
