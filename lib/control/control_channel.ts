/**
 * The wire of a control connection: command lines in, replies out, in clear and then over TLS.
 *
 * @module
 */

import { Watchdog } from "../deadline.ts";
import { formatReply, type Reply } from "../protocol/reply.ts";
import { doubleIac } from "../protocol/command_line.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import type { ControlTransport, TlsInfo } from "../transport/connection.ts";
import { LineReader, type LineReaderOptions } from "./line_reader.ts";

/** What a channel obeys. */
export interface ControlChannelOptions {
  readonly maxLineBytes: number;
  /** Encoding of the dialogue at this moment. */
  readonly encoding: () => TextEncoding;
  /** See {@linkcode LineReaderOptions}. */
  readonly effectOf?: LineReaderOptions["effectOf"];
  /** Called with the text of each reply. */
  readonly onReply?: (text: string) => void;
  /** How long the client may leave a reply unread, in milliseconds; 0: no limit. */
  readonly writeTimeoutMs: number;
  /** Called when that was exceeded. */
  readonly onWriteTimeout: () => void;
}

/** Owns the transport, in clear and then of TLS, until {@linkcode ControlChannel.close}. */
export class ControlChannel {
  #transport: ControlTransport;
  #lines: LineReader;
  readonly #options: ControlChannelOptions;
  /** The last write; the next one, or the end, waits for it, so that replies never mix. */
  #written: Promise<void> = Promise.resolve();
  #unsentReplies = 0;
  /** Runs while a reply is on its way. */
  readonly #writeWatchdog: Watchdog;
  #isHandshaking = false;
  #isFinishing = false;

  constructor(transport: ControlTransport, options: ControlChannelOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#lines = this.#readerOf(transport);
    this.#writeWatchdog = new Watchdog(options.writeTimeoutMs, options.onWriteTimeout, {
      isSuspended: () => this.#unsentReplies === 0,
    });
  }

  /** What the client says. Another one after {@linkcode ControlChannel.startTls}. */
  get lines(): LineReader {
    return this.#lines;
  }

  /** Whether nothing can be said, because a handshake is under way. */
  get isHandshaking(): boolean {
    return this.#isHandshaking;
  }

  /** Whether nothing more is sent: the last reply is on its way, or the end of the connection. */
  get isFinishing(): boolean {
    return this.#isFinishing;
  }

  /**
   * Sends a reply in one piece, behind those that are on their way, unless the last one was sent.
   *
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  send(reply: Reply): Promise<void> {
    if (this.#isFinishing) return Promise.resolve();
    const text = formatReply(reply);
    this.#options.onReply?.(text);
    return this.#inTurn(() => this.#transport.write(doubleIac(this.#options.encoding().encode(text))));
  }

  /**
   * Goes on over TLS, as the server.
   *
   * @throws {ConnectionError} When bytes came in clear behind AUTH, or when the handshake fails.
   */
  async startTls(): Promise<TlsInfo> {
    this.#isHandshaking = true;
    const transport = await this.#transport.startTls();
    this.#isHandshaking = false;
    this.#transport = transport;
    this.#lines = this.#readerOf(transport);
    if (transport.tls === undefined) throw new Error("startTls() returned a clear connection");
    return transport.tls;
  }

  /**
   * Ends our direction in order, behind the replies that are on their way and a last one.
   *
   * @throws {ConnectionError} When the connection was reset or closed.
   */
  async finish(last?: Reply): Promise<void> {
    const sent = last && this.send(last);
    this.#isFinishing = true;
    await sent;
    await this.#inTurn(() => this.#transport.finish());
  }

  /** Interrupts everything. May be called twice. */
  close(): void {
    this.#writeWatchdog[Symbol.dispose]();
    this.#transport.close();
  }

  /** At once, where nothing is on its way. */
  #inTurn(send: () => Promise<void>): Promise<void> {
    const sending = () => {
      this.#writeWatchdog.touch();
      return send();
    };
    const sent = this.#unsentReplies++ === 0 ? sending() : this.#written.then(sending);
    this.#written = sent;
    sent.then(this.#sent, () => {}); // whoever sends is told, and nothing is sent behind a failure
    return sent;
  }

  readonly #sent = (): void => void this.#unsentReplies--;

  #readerOf(transport: ControlTransport): LineReader {
    return new LineReader(transport, {
      maxLineBytes: this.#options.maxLineBytes,
      decode: (line) => this.#options.encoding().decode(line),
      ...this.#options.effectOf && { effectOf: this.#options.effectOf },
    });
  }
}
