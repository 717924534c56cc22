/**
 * One connection to PostgreSQL: a statement at a time, each with a deadline.
 *
 * The protocol is that of `pg-protocol`, the part of node-postgres that only makes and reads messages. The clients `pg` 8.23 and
 * `postgres` 3.4.9 both read variables of the environment that no option can stand in for, so that they need a permission of
 * their own; neither ends a statement that a dead host does not answer. Here a statement takes one round trip: without a name,
 * parsed and run in one go, which a pooler in transaction mode allows. What misses its deadline closes the connection.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { DatabaseError, parse, serialize } from "pg-protocol";
import { Authentication, type ServerMessage } from "./authentication.ts";
import type { DatabaseAddress } from "./database_address.ts";

/** A value of a statement; an array becomes one of PostgreSQL. */
export type SqlValue = string | number | boolean | null | Uint8Array | readonly (string | number)[];

/** A row: texts as PostgreSQL writes them. */
export type SqlRow = Readonly<Record<string, string | null>>;

/** How a connection is opened. */
export interface OpenConnectionOptions {
  /** Authorities that are trusted beside those of the system, PEM. */
  readonly authorities?: readonly string[];
  /** Told of notifications. Must not throw. */
  readonly onNotification?: (channel: string, payload: string) => void;
  /** Most bytes of an answer; more ends the connection. @default {64 MiB} */
  readonly maxAnswerBytes?: number;
  /** Ends the opening. */
  readonly signal: AbortSignal;
}

/** The database cannot be reached, or does not answer in time. */
export class DatabaseUnavailableError extends Error {
  /** The name of the class. */
  override readonly name = "DatabaseUnavailableError";
}

interface Pending {
  readonly resolve: (rows: readonly SqlRow[]) => void;
  readonly reject: (reason: unknown) => void;
  readonly rows: SqlRow[];
  columns: readonly string[];
  error: DatabaseError | undefined;
  /** Statements whose rows nobody wants, before the one that counts. */
  passed: number;
}

const READ_BYTES = 16 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Before it is ready, a server says its version and some settings. */
const MAX_STARTUP_BYTES = 64 * 1024;
/** How much longer than here the database may work on a statement: a late answer is no use, but one that waits takes a connection. */
const SERVER_EXTRA_MS = 500;
const LIMIT_TIME = "SELECT set_config('statement_timeout', $1, true)";
const SSL_ACCEPTED = "S".charCodeAt(0);

/** An open connection. Whoever opens it closes it. */
export class DatabaseConnection implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #onNotification: (channel: string, payload: string) => void;
  readonly #maxAnswerBytes: number;
  readonly #ended = new AbortController();
  /** Bytes of what is being received: the start, an answer, a notification. */
  #answerBytes = 0;
  /** Takes what was read, to call back with messages. */
  #receive: (bytes: Buffer) => void = () => {};
  /** Takes messages before the connection is ready. */
  #onStartup: ((message: ServerMessage) => void) | undefined;
  #pending: Pending | undefined;

  private constructor(conn: Deno.Conn, { onNotification = () => {}, maxAnswerBytes }: OpenConnectionOptions) {
    this.#conn = conn;
    this.#onNotification = onNotification;
    this.#maxAnswerBytes = maxAnswerBytes ?? MAX_ANSWER_BYTES;
    // The parser wants a stream, of which it uses no more than this.
    const stream = { on: (event: string, listen: (bytes: Buffer) => void) => void this.#listen(event, listen) };
    parse(
      stream as unknown as Parameters<typeof parse>[0],
      (message) => this.#take(message as unknown as ServerMessage),
    )
      .catch((error) => this.#close(error)); // it never settles: the stream has no end
  }

  /**
   * Connects, with TLS as the address says, and authenticates.
   *
   * @throws {DatabaseUnavailableError} When it cannot, or is too late.
   * @throws {DatabaseError} When the database refuses.
   */
  static async open(address: DatabaseAddress, options: OpenConnectionOptions): Promise<DatabaseConnection> {
    const { signal } = options;
    let conn: Deno.Conn | undefined;
    const cut = () => closeQuietly(conn);
    signal.addEventListener("abort", cut, { once: true });
    try {
      signal.throwIfAborted();
      const { host: hostname, port } = address;
      const plain = conn = await Deno.connect({ hostname, port, signal });
      signal.throwIfAborted(); // in the turn in which it has connected, nothing was there to be closed
      if (address.isEncrypted) {
        await askForTls(plain);
        const secured = conn = await Deno.startTls(plain, { hostname, caCerts: [...options.authorities ?? []] });
        signal.throwIfAborted(); // from here on, an abort closes this one
        await secured.handshake();
      }
      const connection = new DatabaseConnection(conn, options);
      await connection.#start(address);
      signal.throwIfAborted();
      return connection;
    } catch (cause) {
      closeQuietly(conn);
      if (cause instanceof DatabaseError || cause instanceof Deno.errors.NotCapable) throw cause;
      throw new DatabaseUnavailableError(signal.aborted ? "It does not answer in time" : reasonOf(cause), { cause });
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  /** Aborts when the connection has ended. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Runs a statement; one after the other.
   *
   * @param timeoutMs How long it may take; then the connection is closed, and nobody knows whether it was run.
   * @throws {DatabaseError} When the database refuses it.
   * @throws {DatabaseUnavailableError} When the connection has ended.
   */
  query(text: string, values: readonly SqlValue[], timeoutMs: number): Promise<readonly SqlRow[]> {
    // All up to the sync is one transaction, and one round trip. The database does not see that a client has gone while a
    // statement waits for a lock, so that it has to end by itself what is given up here.
    return this.#run([
      serialize.parse({ text: LIMIT_TIME }),
      serialize.bind({ values: [String(Math.ceil(timeoutMs) + SERVER_EXTRA_MS)] }),
      serialize.execute(),
      serialize.parse({ text }),
      serialize.bind({ values: values.map(encode) }),
      serialize.describe({ type: "P" }),
      serialize.execute(),
      serialize.sync(),
    ], { timeoutMs, passed: 1 });
  }

  /** The same with several statements at once, which take no values. */
  script(text: string, timeoutMs: number): Promise<readonly SqlRow[]> {
    return this.#run([serialize.query(text)], { timeoutMs, passed: 0 });
  }

  async #run(
    messages: readonly Buffer[],
    { timeoutMs, passed }: { readonly timeoutMs: number; readonly passed: number },
  ): Promise<readonly SqlRow[]> {
    if (this.#ended.signal.aborted) throw unavailable(this.#ended.signal.reason);
    if (this.#pending !== undefined) throw new TypeError("Cannot run a statement: another one is under way");
    const { promise, resolve, reject } = Promise.withResolvers<readonly SqlRow[]>();
    this.#pending = { resolve, reject, rows: [], columns: [], error: undefined, passed };
    this.#answerBytes = 0;
    const timer = setTimeout(() => this.#close(new Error("It does not answer in time")), timeoutMs);
    try {
      this.#write(Buffer.concat(messages));
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes it; a statement that is under way fails. May be called again. */
  [Symbol.dispose](): void {
    this.#close(new Error("It was closed"));
  }

  async #start({ user, password, database }: DatabaseAddress): Promise<void> {
    const ready = Promise.withResolvers<void>();
    this.#ended.signal.addEventListener("abort", () => ready.reject(this.#ended.signal.reason), { once: true });
    const authentication = new Authentication(user, password, (bytes) => this.#write(bytes));
    this.#onStartup = (message) => {
      try {
        if (authentication.take(message)) ready.resolve();
      } catch (error) {
        ready.reject(error);
      }
    };
    this.#write(serialize.startup({ user, database, application_name: "ftpsd" }));
    this.#read().catch((error) => this.#close(error));
    try {
      await ready.promise;
    } finally {
      this.#onStartup = undefined;
    }
  }

  async #read(): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const count = await this.#conn.read(buffer);
      if (count === null) return this.#close(new Error("It has closed the connection"));
      this.#answerBytes += count;
      const limit = this.#onStartup === undefined ? this.#maxAnswerBytes : MAX_STARTUP_BYTES;
      if (this.#answerBytes > limit) return this.#close(new Error(`It answers with more than ${limit} bytes`));
      this.#receive(Buffer.from(buffer.subarray(0, count))); // the parser keeps what is not a whole message
    }
  }

  #listen(event: string, listener: (bytes: Buffer) => void): void {
    if (event === "data") this.#receive = listener;
  }

  #take(message: ServerMessage): void {
    if (message.name === "notification") {
      if (this.#pending === undefined) this.#answerBytes = 0;
      return this.#onNotification(message.channel ?? "", message.payload ?? "");
    }
    if (this.#onStartup !== undefined) return this.#onStartup(message);
    const pending = this.#pending;
    if (pending === undefined) {
      // A shutdown is said between statements.
      if (message instanceof DatabaseError) this.#close(message);
      return;
    }
    switch (message.name) {
      case "rowDescription":
        pending.columns = (message.fields ?? []).map((field) => (field as { readonly name: string }).name);
        return;
      case "commandComplete":
        pending.passed--;
        return;
      case "dataRow":
        if (pending.passed > 0) return;
        pending.rows.push(toRow(pending.columns, message.fields ?? []));
        return;
      case "error":
        pending.error = message as unknown as DatabaseError;
        return;
      case "readyForQuery":
        this.#pending = undefined;
        if (pending.error !== undefined) return pending.reject(pending.error);
        return pending.resolve(pending.rows);
    }
  }

  #write(bytes: Uint8Array): void {
    const writeRest = async () => {
      for (let written = 0; written < bytes.length;) written += await this.#conn.write(bytes.subarray(written));
    };
    writeRest().catch((error) => this.#close(error));
  }

  #close(reason: unknown): void {
    if (this.#ended.signal.aborted) return;
    closeQuietly(this.#conn);
    const pending = this.#pending;
    this.#pending = undefined;
    this.#ended.abort(reason);
    // What a server says last is why it closes; nobody knows whether the statement was run.
    pending?.reject(unavailable(pending.error ?? reason));
  }
}

/** Asks for TLS; a server that has none is not spoken to. */
async function askForTls(conn: Deno.TcpConn): Promise<void> {
  await conn.write(serialize.requestSsl());
  const answer = new Uint8Array(1); // one byte: what comes behind it would be in clear
  if (await conn.read(answer) === null) throw new Error("It has closed the connection");
  if (answer[0] !== SSL_ACCEPTED) throw new Error("It does not speak TLS");
}

function encode(value: SqlValue): string | Buffer | null {
  if (value === null || typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return `{${value.map(encodeElement).join(",")}}`;
  return String(value);
}

function encodeElement(value: string | number): string {
  return typeof value === "number" ? String(value) : `"${value.replace(/["\\]/g, "\\$&")}"`;
}

function toRow(columns: readonly string[], fields: readonly unknown[]): SqlRow {
  return Object.fromEntries(columns.map((name, index) => [name, (fields[index] ?? null) as string | null]));
}

function unavailable(cause: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError(reasonOf(cause), { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function closeQuietly(conn: Deno.Conn | undefined): void {
  try {
    conn?.close();
  } catch {
    // closed already, which is what is wanted
  }
}
