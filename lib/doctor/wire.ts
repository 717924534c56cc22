/**
 * One connection to a server that is examined: TCP, and TLS above it. Every wait has an end, and what is received is bounded.
 *
 * @module
 */

import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { ipFamily } from "../protocol/host_port.ts";
import { Inbox } from "./inbox.ts";
import type { Patience } from "./patience.ts";
import { reasonOf, WireError } from "./wire_error.ts";

/** Where to connect. */
export interface WireTarget {
  /** Name or address. */
  readonly host: string;
  readonly port: number;
}

/** How TLS is begun. */
export interface WireTls {
  /** Name that is asked for (SNI); an address is not sent (RFC 6066 §3). */
  readonly name: string;
  /**
   * PEM of the authorities that are trusted, in place of the runtime's own. With it Deno 2.9 resumes no session: each connection
   * has a store of sessions of its own then.
   */
  readonly ca?: string | undefined;
  /** Session to resume. */
  readonly session?: Uint8Array | undefined;
}

/** A connection, to be disposed of by who has dialled it. */
export class Wire implements AsyncDisposable {
  readonly #tcp: net.Socket;
  readonly #patience: Patience;
  #stream: net.Socket | tls.TLSSocket;
  #inbox: Inbox;
  #session: Uint8Array | undefined;

  private constructor(tcp: net.Socket, patience: Patience) {
    this.#tcp = tcp;
    this.#stream = tcp;
    this.#patience = patience;
    this.#inbox = new Inbox(tcp);
  }

  /**
   * Connects.
   *
   * @throws {WireError} When that fails.
   */
  static async dial({ host, port }: WireTarget, patience: Patience): Promise<Wire> {
    const tcp = net.connect({ host, port });
    await opened(tcp, "connect", patience, `connection to port ${port}`);
    if (tcp.localPort === port && tcp.localAddress === tcp.remoteAddress) {
      // Nobody listens there: the kernel gave us the same port, and so joined us to ourselves (RFC 793 §3.4).
      await destroyed(tcp);
      throw new WireError("refused", "connection refused");
    }
    return new Wire(tcp, patience);
  }

  /** Address that has been dialled. */
  get address(): string {
    return this.#tcp.remoteAddress ?? "";
  }

  /** Our own address. */
  get localAddress(): string {
    return this.#tcp.localAddress ?? "";
  }

  /** The TLS socket, once TLS has begun. */
  get tls(): tls.TLSSocket | undefined {
    return this.#stream instanceof tls.TLSSocket ? this.#stream : undefined;
  }

  /** SHA-256 of the server's certificate; empty without TLS. */
  get fingerprint(): string {
    return this.tls?.getPeerX509Certificate()?.fingerprint256 ?? "";
  }

  /** The session that another connection may resume. */
  get session(): Uint8Array | undefined {
    return this.#session ?? this.tls?.getSession();
  }

  /**
   * Makes the handshake. The certificate is not judged: what is to be said of it is in `tls.authorizationError`.
   *
   * @throws {WireError} When that fails.
   */
  async startTls({ name, ca, session }: WireTls): Promise<void> {
    if (!this.#inbox.isEmpty) throw new WireError("failed", "the server sent bytes in clear before the handshake");
    this.#inbox.detach();
    const stream = tls.connect({
      socket: streamOf(this.#tcp),
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...ipFamily(name) === undefined && { servername: name },
      ...ca !== undefined && { ca },
      ...session !== undefined && { session: session as NonNullable<tls.ConnectionOptions["session"]> },
    });
    stream.on("session", (given: Uint8Array) => this.#session = given);
    this.#stream = stream;
    await opened(stream, "secureConnect", this.#patience, "TLS handshake");
    this.#inbox = new Inbox(stream);
  }

  /** Takes a line. See {@linkcode Inbox.takeLine}. */
  readLine(what: string): Promise<string> {
    return this.#inbox.takeLine(this.#patience, what);
  }

  /** Takes what has come, waiting for the first of it; `undefined` at the end. */
  read(what: string): Promise<Uint8Array | undefined> {
    return this.#inbox.take(this.#patience, what);
  }

  /**
   * Takes everything until the end.
   *
   * @throws {WireError} When there is more than `maxBytes`, or nothing comes.
   */
  async readAll(maxBytes: number, what: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (let piece = await this.read(what); piece !== undefined; piece = await this.read(what)) {
      length += piece.length;
      if (length > maxBytes) throw new WireError("tooLarge", `more than ${maxBytes} bytes of ${what}`);
      pieces.push(piece);
    }
    return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  }

  /** Sends bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return; // which a TLS socket fails to write
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#stream.write(bytes, (error) => error ? reject(new WireError("failed", reasonOf(error))) : resolve());
    await this.#patience.wait(promise, "room for what was sent");
  }

  /** Ends in order: close_notify, where TLS is on, and FIN. */
  async finish(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stream.end(() => resolve());
    await this.#patience.wait(promise, "end of what was sent");
  }

  /** Ends by FIN alone, without close_notify. */
  async cut(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tcp.end(() => resolve());
    await this.#patience.wait(promise, "end of what was sent");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.destroy();
    await destroyed(this.#tcp);
  }
}

/** Waits for the event that says that a connection is open; a socket that fails is destroyed. */
async function opened(stream: net.Socket, event: string, patience: Patience, what: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.once(event, () => resolve());
  stream.once("close", () => reject(new WireError("ended", `the server closed the connection before the ${what}`)));
  stream.on("error", (error: Error & { readonly code?: string }) => { // Stays: a later one must not end the process.
    const isRefused = error.code === "ECONNREFUSED";
    reject(
      new WireError(isRefused ? "refused" : "failed", isRefused ? "connection refused" : reasonOf(error), {
        cause: error,
      }),
    );
  });
  try {
    await patience.wait(promise, what);
  } catch (error) {
    promise.catch(() => {}); // Its end, after the deadline
    await destroyed(stream);
    throw error;
  }
}

async function destroyed(stream: net.Socket): Promise<void> {
  if (stream.closed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.once("close", () => resolve());
  stream.destroy();
  await promise;
}

/**
 * Makes a stream of a socket. Over a socket of its own, `node:tls` of Deno 2.9 sometimes misses the end of more than 128 KiB,
 * and waits for ever; over a stream it does not. Destroying either destroys the other.
 */
function streamOf(socket: net.Socket): net.Socket {
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (bytes, _encoding, done) => void socket.write(bytes, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (bytes: Uint8Array) => {
    if (!stream.push(bytes)) socket.pause();
  });
  socket.once("end", () => stream.push(null));
  socket.on("error", (error: Error) => stream.destroy(error));
  socket.once("close", () => stream.destroy());
  return stream as net.Socket; // all that `node:tls` asks of it
}
