/**
 * A few connections to PostgreSQL, for statements that wait for each other.
 *
 * @module
 */

import { DatabaseConnection, DatabaseUnavailableError, type SqlRow, type SqlValue } from "./database_connection.ts";
import type { DatabaseAddress } from "./database_address.ts";

/** How a pool is made. */
export interface ConnectionPoolOptions {
  /** Authorities that are trusted beside those of the system, PEM. */
  readonly authorities?: readonly string[];
  /** Most connections. @default {8} */
  readonly maxConnections?: number;
  /** Most statements that wait for one; what comes beyond is refused. @default {2_000} */
  readonly maxWaiting?: number;
  /** How long a statement may take, the wait for a connection and its opening with it. @default {3_000} */
  readonly timeoutMs?: number;
  /** How long a connection may have nothing to do before it is closed. @default {60_000} */
  readonly idleMs?: number;
}

interface Waiting {
  readonly deadline: number;
  readonly start: (connection: Promise<DatabaseConnection>) => void;
}

interface Idle {
  readonly connection: DatabaseConnection;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Nothing is opened in less. */
const MIN_OPENING_MS = 50;

/** A pool. Each statement has a deadline from when it is asked for; none is sent twice. */
export class ConnectionPool implements Disposable {
  readonly #address: DatabaseAddress;
  readonly #authorities: readonly string[];
  readonly #maxConnections: number;
  readonly #maxWaiting: number;
  readonly #timeoutMs: number;
  readonly #idleMs: number;
  /** End what is being opened. */
  readonly #opening = new Set<AbortController>();
  /** Those used last at the end. */
  readonly #idle: Idle[] = [];
  readonly #used = new Set<DatabaseConnection>();
  readonly #waiting = new Set<Waiting>();
  #openCount = 0;
  #isClosed = false;

  constructor(address: DatabaseAddress, options: ConnectionPoolOptions = {}) {
    const { authorities = [], maxConnections = 8, maxWaiting = 2_000, timeoutMs = 3_000, idleMs = 60_000 } = options;
    this.#address = address;
    this.#authorities = authorities;
    this.#maxConnections = maxConnections;
    this.#maxWaiting = maxWaiting;
    this.#timeoutMs = timeoutMs;
    this.#idleMs = idleMs;
  }

  /** Connections that are open, or being opened. */
  get connections(): number {
    return this.#openCount;
  }

  /**
   * Runs a statement.
   *
   * @throws {DatabaseError} When the database refuses it.
   * @throws {DatabaseUnavailableError} When it is out of reach, or too slow; nobody knows then whether it was run.
   */
  async query(text: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    const deadline = performance.now() + this.#timeoutMs;
    for (;;) {
      const connection = await this.#take(deadline);
      // It may have ended while nobody used it, as when the database was restarted. Nothing was sent yet.
      if (connection.ended.aborted) {
        this.#forget(connection);
        continue;
      }
      try {
        return await connection.query(text, values, Math.max(1, deadline - performance.now()));
      } finally {
        this.#giveBack(connection);
      }
    }
  }

  /** Closes all of them; what is under way fails. May be called again. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const opening of this.#opening) opening.abort();
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      connection[Symbol.dispose]();
    }
    for (const connection of this.#used) connection[Symbol.dispose]();
    for (const { start } of this.#waiting) start(Promise.reject(wasClosed()));
  }

  #take(deadline: number): Promise<DatabaseConnection> {
    if (this.#isClosed) return Promise.reject(wasClosed());
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      clearTimeout(idle.timer);
      this.#used.add(idle.connection);
      return Promise.resolve(idle.connection);
    }
    if (this.#openCount < this.#maxConnections) return this.#open(deadline);
    if (this.#waiting.size >= this.#maxWaiting) {
      return Promise.reject(new DatabaseUnavailableError(`${this.#waiting.size} statements wait already`));
    }
    return this.#wait(deadline);
  }

  async #open(deadline: number): Promise<DatabaseConnection> {
    this.#openCount++;
    const opening = new AbortController();
    const timer = setTimeout(() => opening.abort(), Math.max(1, deadline - performance.now()));
    this.#opening.add(opening);
    try {
      const { signal } = opening;
      const connection = await DatabaseConnection.open(this.#address, { authorities: this.#authorities, signal });
      this.#used.add(connection);
      return connection;
    } catch (error) {
      this.#openCount--;
      this.#startNext();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#opening.delete(opening);
    }
  }

  #wait(deadline: number): Promise<DatabaseConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<DatabaseConnection>();
    const waiting: Waiting = {
      deadline,
      start: (connection) => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
        resolve(connection);
      },
    };
    const timer = setTimeout(() => {
      this.#waiting.delete(waiting);
      reject(new DatabaseUnavailableError("No connection was free in time"));
    }, deadline - performance.now());
    this.#waiting.add(waiting);
    return promise;
  }

  #giveBack(connection: DatabaseConnection): void {
    if (connection.ended.aborted || this.#isClosed) return this.#forget(connection);
    const [next] = this.#waiting;
    if (next !== undefined) return next.start(Promise.resolve(connection));
    this.#used.delete(connection);
    const timer = setTimeout(() => {
      this.#idle.splice(this.#idle.findIndex((it) => it.connection === connection), 1);
      this.#forget(connection);
    }, this.#idleMs);
    this.#idle.push({ connection, timer });
  }

  #forget(connection: DatabaseConnection): void {
    connection[Symbol.dispose]();
    this.#used.delete(connection);
    this.#openCount--;
    this.#startNext();
  }

  /** One fewer is open: who waits may open another. */
  #startNext(): void {
    // Who has hardly any time left is not worth a connection, and an opening that is aborted at once may leave one behind.
    const latest = performance.now() + MIN_OPENING_MS;
    const next = this.#waiting.values().find(({ deadline }) => deadline > latest);
    if (next === undefined || this.#isClosed || this.#openCount >= this.#maxConnections) return;
    next.start(this.#open(next.deadline));
  }
}

function wasClosed(): DatabaseUnavailableError {
  return new DatabaseUnavailableError("It was closed");
}
