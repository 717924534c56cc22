/**
 * What a CA asks on port 80 (RFC 8555 §8.3): a server of HTTP that is open only while there is something to answer, and knows one
 * kind of request.
 *
 * @module
 */

import { Watchdog } from "../deadline.ts";
import { AcmeError } from "./acme_error.ts";

/** Where it listens, and what it allows. */
export interface ChallengeListenerOptions {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  /** Longest time of a connection, in milliseconds. @default {5_000} */
  readonly timeoutMs?: number;
}

/** A request has no more than that; what a CA sends has some 300 bytes. */
const MAX_REQUEST_BYTES = 4096;
/** Connections at once. Where one more comes, the oldest one goes: a CA needs its own for a moment only. */
const MAX_CONNECTIONS = 64;
/** How long the end of a client is waited for, so that it gets the answer. */
const LINGER_MS = 1_000;

const REQUEST = /^GET \/\.well-known\/acme-challenge\/([A-Za-z0-9_-]{1,256}) HTTP\/1\.[01]\r\n/;
const HEADERS = "Content-Type: text/plain\r\nX-Content-Type-Options: nosniff\r\nConnection: close";
const NOT_FOUND = response("404 Not Found", "not found\n");
const BAD_REQUEST = response("400 Bad Request", "bad request\n");

/** Answers challenges. It listens from the first answer to the last one that is taken back. */
export class ChallengeListener implements AsyncDisposable {
  readonly #options: ChallengeListenerOptions;
  readonly #answers = new Map<string, string>();
  readonly #connections = new Map<Deno.Conn, Promise<void>>();
  #listener: Deno.Listener | undefined;
  #accepting: Promise<void> = Promise.resolve();

  constructor(options: ChallengeListenerOptions) {
    this.#options = options;
  }

  /** Port that is open; `undefined` while none is. */
  get port(): number | undefined {
    return (this.#listener?.addr as Deno.NetAddr | undefined)?.port;
  }

  /** How many requests can be answered now. */
  get size(): number {
    return this.#answers.size;
  }

  /**
   * Answers for these tokens from now on, and for no others.
   *
   * @param answers Key authorizations by token; none closes the port.
   * @throws {AcmeError} When the port cannot be had.
   */
  async use(answers: ReadonlyMap<string, string>): Promise<void> {
    if (answers.size > 0) this.#open();
    this.#answers.clear();
    for (const [token, text] of answers) this.#answers.set(token, text);
    if (answers.size === 0) await this.#close();
  }

  /** Closes the port. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#answers.clear();
    await this.#close();
  }

  #open(): void {
    if (this.#listener !== undefined) return;
    const { host, port } = this.#options;
    try {
      this.#listener = Deno.listen({ hostname: host, port });
    } catch (cause) {
      throw explainListening(host, port, cause);
    }
    this.#accepting = this.#accept(this.#listener);
  }

  async #close(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    for (const connection of this.#connections.keys()) closeQuietly(connection);
    await Promise.all([this.#accepting, ...this.#connections.values()]);
  }

  async #accept(listener: Deno.Listener): Promise<void> {
    for (;;) {
      try {
        this.#start(await listener.accept());
      } catch (error) {
        if (this.#listener !== listener) return;
        // A client that has left already, or no descriptor: others may have one soon.
        if (!(error instanceof Deno.errors.ConnectionReset)) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  #start(connection: Deno.Conn): void {
    if (this.#listener === undefined) return closeQuietly(connection);
    if (this.#connections.size >= MAX_CONNECTIONS) {
      const [oldest] = this.#connections.keys();
      if (oldest !== undefined) closeQuietly(oldest);
    }
    const done = this.#serve(connection).finally(() => this.#connections.delete(connection));
    this.#connections.set(connection, done);
  }

  /** Never rejects. */
  async #serve(connection: Deno.Conn): Promise<void> {
    const { timeoutMs = 5_000 } = this.#options;
    try {
      using _deadline = new Watchdog(timeoutMs, () => closeQuietly(connection));
      const head = await readHead(connection);
      if (head === undefined) return;
      await writeAll(connection, this.#answerTo(head));
      await connection.closeWrite();
      await readToEnd(connection);
    } catch {
      // it has left
    } finally {
      closeQuietly(connection);
    }
  }

  #answerTo(head: string): Uint8Array {
    const [, token] = REQUEST.exec(head) ?? [];
    const answer = token === undefined ? undefined : this.#answers.get(token);
    if (answer !== undefined) return response("200 OK", answer);
    return /^[A-Z]{1,16} \S+ HTTP\/1\.[01]\r\n/.test(head) ? NOT_FOUND : BAD_REQUEST;
  }
}

/** Reads to the empty line; `undefined` where none comes, or not in time. */
async function readHead(connection: Deno.Conn): Promise<string | undefined> {
  const buffer = new Uint8Array(MAX_REQUEST_BYTES);
  for (let length = 0; length < buffer.length;) {
    const count = await connection.read(buffer.subarray(length));
    if (count === null) return undefined;
    length += count;
    const text = new TextDecoder("latin1").decode(buffer.subarray(0, length));
    if (text.includes("\r\n\r\n")) return text;
  }
  return ""; // which is a bad request
}

/** Without that, what a client sends late lets the system drop the answer that is on its way. */
async function readToEnd(connection: Deno.Conn): Promise<void> {
  using _deadline = new Watchdog(LINGER_MS, () => closeQuietly(connection));
  const rest = new Uint8Array(1024);
  for (let bytes = 0; bytes < MAX_REQUEST_BYTES;) {
    const count = await connection.read(rest);
    if (count === null) return;
    bytes += count;
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
}

function response(status: string, body: string): Uint8Array {
  return new TextEncoder().encode(`HTTP/1.1 ${status}\r\n${HEADERS}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // it is closed
  }
}

function explainListening(host: string, port: number, cause: unknown): AcmeError {
  const where = `${host} port ${port}`;
  if (cause instanceof Deno.errors.AddrInUse) {
    return new AcmeError(
      "local",
      `${where} is in use (tls.acme.httpPort): let the web server there forward /.well-known/acme-challenge/ to another one`,
      { cause },
    );
  }
  if (cause instanceof Deno.errors.PermissionDenied) {
    return new AcmeError(
      "local",
      `not allowed to listen on ${where} (tls.acme.httpPort): ports below 1024 need CAP_NET_BIND_SERVICE`,
      { cause },
    );
  }
  if (cause instanceof Deno.errors.NotCapable) {
    const net = `--allow-net=${host.includes(":") ? `[${host}]` : host}:${port}`;
    return new AcmeError("local", `Deno does not permit to listen on ${where}; add ${net}`, { cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AcmeError("local", `cannot listen on ${where} (tls.acme.httpHost): ${reason}`, { cause });
}
