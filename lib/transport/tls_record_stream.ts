/**
 * The stream between a TLS engine and its TCP socket: it sees the records go by (RFC 5246 §6.2.1, RFC 8446 §5.1), and can
 * hold back what the server would send during an upload.
 *
 * Why it exists: TLS 1.3 sends session tickets right after the handshake. A client that uploads and never reads leaves them
 * in its receive buffer, and closing with unread bytes makes its kernel send RST and drop the end of the file. And
 * `node:tls` on a socket of its own takes both that reset and a missing close_notify for a proper end, and does not stop
 * reading when it is paused. See docs/decisions/0001-upload-transport.md.
 *
 * @module
 */

import type net from "node:net";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type { ConnectionError } from "./connection.ts";
import { SOCKET_CLOSED_ERROR, toConnectionError } from "./connection_failure.ts";
import { guarded } from "./error_scope.ts";
import type { Done } from "./pending_call.ts";
import { releaseBuffer } from "./buffer_release.ts";

const HEADER_BYTES = 5;
const APPLICATION_DATA = 23;

/** Feeds a TLS engine from a socket, and the socket from the engine. The owner closes the socket. */
export class TlsRecordStream extends Duplex {
  readonly #socket: net.Socket;
  readonly #onFailure: (error: ConnectionError) => void;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #bodyBytesLeft = 0;
  #isHolding: boolean;
  #peerSentData = false;
  #held: Uint8Array[] = [];
  #writesInFlight = 0;
  #onceWritten: (() => void) | undefined;
  #sawFin = false;
  readonly #written = guarded((done?: Done) => {
    this.#writesInFlight--;
    done?.();
    if (this.#writesInFlight === 0) this.#onceWritten?.();
  });

  /**
   * Takes over a paused socket, and leaves it paused: see {@linkcode TlsRecordStream.start}.
   *
   * @param options.holdReplies Hold back what TLS writes after the client's first type-23 record (its first data in TLS 1.2,
   * its Finished in TLS 1.3), until {@linkcode TlsRecordStream.release} or
   * {@linkcode TlsRecordStream.finish}.
   * @param options.onFailure Called when the socket fails or is closed, perhaps more than once.
   */
  constructor(
    socket: net.Socket,
    options: { readonly holdReplies: boolean; readonly onFailure: (error: ConnectionError) => void },
  ) {
    super({ autoDestroy: false, emitClose: false });
    this.#socket = socket;
    this.#isHolding = options.holdReplies;
    this.#onFailure = options.onFailure;
    this.once("end", () => this.#sawFin = true);
    socket.on("error", guarded((error) => options.onFailure(toConnectionError(error))));
    socket.once("close", guarded(() => options.onFailure(SOCKET_CLOSED_ERROR)));
  }

  /**
   * Starts reading from the socket: first what waits in it, then what comes. Call it once the engine has started. Bytes that
   * fail an engine before its start end the process.
   */
  start(): void {
    const socket = this.#socket;
    socket.on("data", guarded((bytes: Uint8Array) => this.#feed(bytes)));
    // A turn later, so that the engine has reported a close_notify first.
    const takeEnd = guarded(() => void setImmediate(guarded(() => this.push(null))));
    if (socket.readableEnded) takeEnd();
    else socket.once("end", takeEnd);
    if (socket.destroyed) this.#onFailure(SOCKET_CLOSED_ERROR);
    else socket.resume();
  }

  /** Whether the engine has received the peer's FIN. If it reports the end before that, close_notify was received. */
  get sawFin(): boolean {
    return this.#sawFin;
  }

  /** Whether the bytes so far end inside a record. At the end of the stream, something is missing then. */
  get isInsideRecord(): boolean {
    return this.#headerBytes > 0 || this.#bodyBytesLeft > 0;
  }

  /** Releases what was held, and holds nothing back any more. */
  release(): void {
    this.#isHolding = false;
    for (const bytes of this.#held.splice(0)) this.#send(bytes);
  }

  /** Releases what was held, then sends FIN behind all that the engine has written, its close_notify included. */
  finish(done: Done): void {
    this.release();
    this.#end(done);
  }

  // Flow is controlled on the socket, by the owner: the engine takes everything at once.
  override _read(): void {}

  override _write(bytes: Uint8Array, _encoding: string, done: Done): void {
    if (this.#isHolding && this.#peerSentData) {
      this.#held.push(bytes);
      done();
    } else {
      this.#send(bytes, done);
    }
  }

  // TLSSocket destroys its stream before the microtask that brings its close_notify here.
  override destroy(): this {
    return this;
  }

  #send(bytes: Uint8Array, done?: Done): void {
    this.#writesInFlight++;
    // Failures come as the socket's "error" event.
    this.#socket.write(bytes, () => this.#written(done));
  }

  // The engine's last records come in a microtask, or once the write before them is done.
  #end(done: Done): void {
    setImmediate(guarded(() => {
      this.#onceWritten = undefined;
      if (this.#writesInFlight > 0) this.#onceWritten = () => this.#end(done);
      else if (this.#socket.destroyed) done(); // as when it fails: the owner knows
      else this.#socket.end(guarded(done));
    }));
  }

  /** Hands received bytes to the engine, and over: nobody else may need them. */
  #feed(bytes: Uint8Array): void {
    this.#walkRecords(bytes);
    this.push(bytes);
    if (this.readableLength === 0) releaseBuffer(bytes); // the engine has taken them
  }

  #walkRecords(bytes: Uint8Array): void {
    let index = 0;
    while (index < bytes.length) {
      if (this.#bodyBytesLeft > 0) {
        const skipped = Math.min(this.#bodyBytesLeft, bytes.length - index);
        this.#bodyBytesLeft -= skipped;
        index += skipped;
      } else {
        this.#header[this.#headerBytes++] = bytes[index++] ?? 0;
        if (this.#headerBytes === HEADER_BYTES) this.#startRecord();
      }
    }
  }

  #startRecord(): void {
    const [type, , , high = 0, low = 0] = this.#header;
    this.#headerBytes = 0;
    this.#bodyBytesLeft = high << 8 | low;
    if (type === APPLICATION_DATA) this.#peerSentData = true;
  }
}
