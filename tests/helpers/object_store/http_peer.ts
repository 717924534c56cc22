/**
 * One end of a connection that speaks HTTP/1.1, byte by byte, so that a message can be broken anywhere.
 *
 * @module
 */

const BUFFER_BYTES = 64 * 1024;
const MAX_HEAD_BYTES = 64 * 1024;

/** First lines of a message, up to and with the empty one. */
export interface MessageHead {
  /** Request line or status line. */
  readonly first: string;
  readonly headers: Headers;
  /** As it came. */
  readonly bytes: Uint8Array;
}

/** How long a body is: a number of bytes, until the last chunk, or until the connection ends. */
export type BodyLength = number | "chunked" | "end";

/** A connection; it is closed by whoever opened it. */
export class HttpPeer {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #pending = new Uint8Array(0);

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Reads the next head; `undefined` when the other end has closed instead. */
  async readHead(): Promise<MessageHead | undefined> {
    let bytes = new Uint8Array(0);
    for (;;) {
      const piece = await this.read();
      if (piece === undefined) return undefined;
      bytes = concatenate(bytes, piece);
      const end = headEnd(bytes);
      if (end < 0 && bytes.length > MAX_HEAD_BYTES) throw new TypeError("The head of the message is too long");
      if (end < 0) continue;
      this.#pending = bytes.slice(end);
      return parseHead(bytes.slice(0, end));
    }
  }

  /** Yields a body as it is on the wire, chunks with what is around them. */
  async *readBody(length: BodyLength): AsyncGenerator<Uint8Array> {
    if (length === "chunked") return yield* this.#readChunks();
    for (let left = length === "end" ? Infinity : length; left > 0;) {
      const piece = await this.read(left);
      if (piece === undefined) return;
      left -= piece.length;
      yield piece;
    }
  }

  /** Reads what is there, at most so many bytes; `undefined` at the end. The array is used again by the next call. */
  async read(limit = Infinity): Promise<Uint8Array | undefined> {
    if (this.#pending.length === 0) {
      const count = await this.#connection.read(this.#buffer);
      if (count === null) return undefined;
      this.#pending = this.#buffer.subarray(0, count);
    }
    const piece = this.#pending.subarray(0, limit);
    this.#pending = this.#pending.subarray(piece.length);
    return piece;
  }

  /** Writes all of it. */
  async write(bytes: Uint8Array | string): Promise<void> {
    let rest = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    while (rest.length > 0) rest = rest.subarray(await this.#connection.write(rest));
  }

  async *#readChunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const line = await this.#readLine();
      yield new TextEncoder().encode(line);
      const length = parseInt(line, 16);
      if (length > 0) {
        yield* this.readBody(length + "\r\n".length);
        continue;
      }
      for (let trailer = await this.#readLine();; trailer = await this.#readLine()) {
        yield new TextEncoder().encode(trailer);
        if (trailer.trim() === "") return;
      }
    }
  }

  async #readLine(): Promise<string> {
    let line = "";
    while (!line.endsWith("\n")) {
      const piece = await this.read(1);
      if (piece === undefined) return "";
      line += String.fromCharCode(piece[0] as number);
    }
    return line;
  }
}

/** Length of the body of a request or a response; HEAD, 204 and 304 have none. */
export function bodyLength({ headers }: MessageHead, otherwise: 0 | "end"): BodyLength {
  if (headers.get("transfer-encoding") === "chunked") return "chunked";
  const length = headers.get("content-length");
  return length === null ? otherwise : Number(length);
}

function parseHead(bytes: Uint8Array): MessageHead {
  const [first = "", ...lines] = new TextDecoder("latin1").decode(bytes).trimEnd().split("\r\n");
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim());
  return { first, headers, bytes };
}

function headEnd(bytes: Uint8Array): number {
  for (let at = 3; at < bytes.length; at++) {
    if (bytes[at] === 0x0a && bytes[at - 1] === 0x0d && bytes[at - 2] === 0x0a && bytes[at - 3] === 0x0d) return at + 1;
  }
  return -1;
}

function concatenate(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(left.length + right.length);
  joined.set(left);
  joined.set(right, left.length);
  return joined;
}
