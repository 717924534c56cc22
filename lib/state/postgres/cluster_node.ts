/**
 * This process as one node of several that share a database.
 *
 * It has one connection of its own, for beats and notifications, beside the pool: no login makes it miss a beat, and a connection
 * that beats also hears. What it holds are rows of its run, which fall when it does not beat in time. It ends its term by itself
 * before that: `lost` aborts, and the next term begins with the places of sessions that still run, but without their claims.
 *
 * @module
 */

import { delay } from "../../deadline.ts";
import { DatabaseConnection, DatabaseUnavailableError, type SqlRow, type SqlValue } from "./database_connection.ts";
import type { DatabaseAddress } from "./database_address.ts";
import { ConnectionPool, type ConnectionPoolOptions } from "./connection_pool.ts";
import { EventFeed, type NodeEvent } from "./event_feed.ts";
import { HeldRows, type HoldKind } from "./held_rows.ts";
import { createTermCell, NodeTerm, readClocks, type TermCell } from "./node_term.ts";
import { assertUsable, readSchemaStatus } from "./schema.ts";

/** How a node is made. */
export interface ClusterNodeOptions extends ConnectionPoolOptions {
  /** For people. */
  readonly name: string;
  /** How long after its last beat what a node holds is free for others, in milliseconds. @default {6_000} */
  readonly leaseMs?: number;
  /** Where notifications come from, where `address` is that of a pooler. */
  readonly directAddress?: DatabaseAddress;
  /** How long failed logins count, in seconds. */
  readonly failureWindow?: () => number;
  /** Told of what nodes tell each other, once each. Must not throw. */
  readonly onEvent?: (event: NodeEvent) => void;
  /** Called with each beat, unless the last call has not ended yet. */
  readonly onBeat?: () => Promise<void>;
  /** Called once it hears again, and has bans and accounts to look at anew. */
  readonly onConnected?: (connection: DatabaseConnection) => Promise<void>;
  /** Told when the database is out of reach, once until it is back. Must not throw. */
  readonly onFailure?: (cause: unknown) => void;
}

/** Beats in a lease. */
const BEATS = 3;
const MAX_BEAT_MS = 2_000;
const START_TIMEOUT_MS = 10_000;
/** Part of the lease by which a node is gone for itself before it is for others. */
const MARGIN = 1 / 6;
const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 500;
const TIDY_INTERVAL_MS = 60_000;

/** What was taken. */
export interface Hold extends Disposable {
  /** Of this node; unique in the process. */
  readonly id: number;
  /** The term in which it was taken. */
  readonly term: NodeTerm;
}

/** A node, from {@linkcode ClusterNode.open} until it is disposed of. */
export class ClusterNode implements AsyncDisposable {
  /** Names this process in the database, whatever becomes of its terms. */
  readonly owner: string = crypto.randomUUID();
  /** For the other event loops. */
  readonly termCell: TermCell = createTermCell();
  readonly #pool: ConnectionPool;
  readonly #address: DatabaseAddress;
  readonly #options: ClusterNodeOptions;
  readonly #leaseMs: number;
  readonly #beatMs: number;
  readonly #stopping = new AbortController();
  readonly #rows: HeldRows;
  readonly #feed: EventFeed;
  #term: NodeTerm | undefined;
  #terms = 0n;
  /** Runs that have ended, or never begun, with the one that lasts. */
  readonly #earlierRuns: string[] = [];
  #running: Promise<void> = Promise.resolve();
  /** What comes with beats and is not over yet. */
  #working: Promise<void> | undefined;
  /** Whether the database is being told of all that is held, or may yet hear it. */
  #isTelling = false;
  #isReported = false;
  #tidyAt = 0;

  private constructor(address: DatabaseAddress, options: ClusterNodeOptions) {
    this.#options = options;
    this.#address = options.directAddress ?? address;
    this.#leaseMs = options.leaseMs ?? 6_000;
    this.#beatMs = Math.min(this.#leaseMs / BEATS, MAX_BEAT_MS);
    this.#pool = new ConnectionPool(address, options);
    this.#rows = new HeldRows(async (ids) => {
      // What is given back meanwhile would come back with that; it waits for the next beat.
      if (this.#isTelling) throw new DatabaseUnavailableError("The database is being told what is held");
      const term = this.#term;
      if (term !== undefined) await this.query("SELECT ftpsd.hold_release($1, $2)", [term.id, ids]);
    });
    this.#feed = new EventFeed((event) => options.onEvent?.(event));
  }

  /**
   * Joins the others.
   *
   * @throws {SchemaError} When the schema is not one for this program.
   * @throws {DatabaseUnavailableError} When the database is out of reach.
   * @throws {DatabaseError} When it refuses.
   * @throws {Error} When transactions there do not see what others have done before they had their locks.
   */
  static async open(address: DatabaseAddress, options: ClusterNodeOptions): Promise<ClusterNode> {
    const node = new ClusterNode(address, options);
    try {
      const connection = await node.#connect();
      node.#running = node.#run(connection);
      return node;
    } catch (error) {
      node.#stopping.abort();
      node.#term?.end(error); // its timer, too
      node.#pool[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether it has its lease. */
  get isHeld(): boolean {
    return this.#term?.isHeld() ?? false;
  }

  /** Connections to the database that are open. */
  get connections(): number {
    return this.#pool.connections + 1;
  }

  /**
   * The term that lasts.
   *
   * @throws {DatabaseUnavailableError} When there is none.
   */
  get term(): NodeTerm {
    if (this.#term?.isHeld()) return this.#term;
    throw new DatabaseUnavailableError("This node has no lease: the database is out of reach");
  }

  /** Runs a statement on any connection. See {@linkcode ConnectionPool.query}. */
  query(text: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#pool.query(text, values);
  }

  /**
   * Takes a row, where fewer are held than the limit says.
   *
   * @param limit 0: no limit.
   * @returns `undefined` when there are as many.
   * @throws {DatabaseUnavailableError}
   */
  async take(kind: HoldKind, key: string, limit: number): Promise<Hold | undefined> {
    const hold = await this.hold(kind, key, async (term, id) => {
      const [row] = await this.query("SELECT ftpsd.hold_take($1, $2, $3, $4, $5) AS answer", [
        ...[term.id, id, kind, key, limit],
      ]);
      return row?.answer ?? "";
    }, "taken");
    return typeof hold === "string" ? undefined : hold;
  }

  /**
   * Asks for a row in the words of the caller, and keeps it when that has succeeded.
   *
   * @param ask Returns the answer of the database.
   * @param success The answer that means that there is a row now.
   * @returns Another answer than that; there is no row then.
   * @throws {DatabaseUnavailableError} Also when the answer is that this node may have nothing now.
   */
  async hold(
    kind: HoldKind,
    key: string,
    ask: (term: NodeTerm, id: number) => Promise<string>,
    success: string,
  ): Promise<Hold | string> {
    if (this.term.isHeld()) await this.#rows.released({ kind, key });
    const term = this.term;
    const id = this.#rows.nextId();
    let answer: string;
    try {
      answer = await ask(term, id);
    } catch (error) {
      // It may have been done, or be done later.
      this.#rows.releaseDoubtful(id);
      throw error;
    }
    if (answer === "unsettled") throw new DatabaseUnavailableError("Nodes have not yet said what they hold");
    if (answer === "fenced") throw new DatabaseUnavailableError("The database has given up this node");
    if (answer !== success) return answer;
    if (!term.isHeld()) throw new DatabaseUnavailableError("This node has lost its lease meanwhile");
    this.#rows.add(id, { kind, key });
    return { id, term, [Symbol.dispose]: () => this.#rows.release(id) };
  }

  /** The database has removed a row of a run of this node by itself. In a later run it may have come back. */
  forget(id: number, run: string): void {
    if (run === this.#term?.id) this.#rows.forget(id);
    else this.#rows.release(id);
  }

  /** Leaves: what it holds is free at once. Waits no longer than what comes with a beat and one statement may take. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#working;
    await this.#rows.settle();
    if (this.#term?.isHeld()) {
      await this.query("SELECT ftpsd.node_leave($1)", [this.#term.id]).catch(() => {}); // then its lease ends
    }
    this.#term?.end(new Error("The node has left"));
    this.#pool[Symbol.dispose]();
  }

  /** Beats until it is disposed of. Never rejects. */
  async #run(first: DatabaseConnection): Promise<void> {
    const { signal } = this.#stopping;
    let connection: DatabaseConnection | undefined = first;
    for (let failures = 0; !signal.aborted;) {
      try {
        connection ??= await this.#connect();
        await this.#wait(connection, this.#beatMs);
        if (signal.aborted) break;
        await this.#beat(connection);
        failures = 0;
      } catch (cause) {
        connection?.[Symbol.dispose]();
        connection = undefined;
        this.#report(cause);
        const pause = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** failures++);
        await delay(pause * (0.5 + Math.random() / 2), signal).catch(() => {}); // the loop ends
      }
    }
    connection?.[Symbol.dispose]();
  }

  /** Waits for the next beat, or until the connection has ended. */
  async #wait(connection: DatabaseConnection, ms: number): Promise<void> {
    const waking = new AbortController();
    const wake = () => waking.abort();
    const signals = [connection.ended, this.#stopping.signal];
    for (const signal of signals) {
      if (signal.aborted) wake();
      signal.addEventListener("abort", wake);
    }
    try {
      await delay(ms, waking.signal).catch(() => {}); // sooner
    } finally {
      for (const signal of signals) signal.removeEventListener("abort", wake);
    }
  }

  /** Opens the node's own connection, beats, and catches up with what it has not heard. */
  async #connect(): Promise<DatabaseConnection> {
    const opening = new AbortController();
    const abort = () => opening.abort();
    const timer = setTimeout(abort, this.#timeoutMs);
    this.#stopping.signal.addEventListener("abort", abort);
    try {
      const connection = await DatabaseConnection.open(this.#address, {
        authorities: this.#options.authorities ?? [],
        onNotification: (_channel, payload) => this.#feed.hear(payload),
        signal: opening.signal,
      });
      try {
        await this.#begin(connection);
        return connection;
      } catch (error) {
        connection[Symbol.dispose]();
        throw error;
      }
    } finally {
      clearTimeout(timer);
      this.#stopping.signal.removeEventListener("abort", abort);
    }
  }

  async #begin(connection: DatabaseConnection): Promise<void> {
    if (this.#term === undefined) {
      assertUsable(await readSchemaStatus(connection));
      await assertIsolation(connection);
    }
    // First, since the lease may be short of its end.
    await this.#keepTerm(connection);
    await connection.query("LISTEN ftpsd", [], this.#timeoutMs);
    await this.#feed.poll(connection, this.#timeoutMs);
    await this.#options.onConnected?.(connection);
    this.#rows.flush();
  }

  async #beat(connection: DatabaseConnection): Promise<void> {
    await this.#keepTerm(connection);
    if (await this.#feed.poll(connection, this.#timeoutMs)) await this.#options.onConnected?.(connection);
    this.#rows.flush();
    // No beat waits for it: statements of the pool may take longer than the lease lasts.
    this.#working ??= this.#work().finally(() => this.#working = undefined);
    if (performance.now() < this.#tidyAt) return;
    this.#tidyAt = performance.now() + TIDY_INTERVAL_MS; // also where it is too slow, which ends the connection
    const [row] = await connection.query(
      "SELECT ftpsd.tidy($1) AS more",
      [this.#options.failureWindow?.() ?? 3600],
      this.#timeoutMs,
    );
    // Very much is done in parts, so that no beat is late.
    if (row?.more === "t") this.#tidyAt = 0;
  }

  /** Does what comes with each beat. Where that fails, behind a pooler that is away perhaps, the node lives on all the same. */
  async #work(): Promise<void> {
    try {
      await this.#options.onBeat?.();
      this.#isReported = false;
    } catch (cause) {
      this.#report(cause);
    }
  }

  #report(cause: unknown): void {
    if (!this.#isReported && !this.#stopping.signal.aborted) this.#options.onFailure?.(cause);
    this.#isReported = true;
  }

  /** Prolongs the term, or begins another one. */
  async #keepTerm(connection: DatabaseConnection): Promise<void> {
    const term = this.#term;
    if (!term?.isHeld()) return await this.#join(connection);
    const sentAt = readClocks();
    const [row] = await connection.query(
      "SELECT alive, run, announced FROM ftpsd.node_beat($1, $2)",
      [term.id, this.#leaseMs],
      this.#timeoutMs,
    );
    if (row?.alive !== "t") {
      term.end(new Error("The database has given up this node"));
      return await this.#join(connection);
    }
    term.extend(sentAt, this.#leaseMs * (1 - MARGIN));
    if (row.announced !== "t") return await this.#announce(connection, term, row.run ?? "");
    this.#isTelling = false;
  }

  async #join(connection: DatabaseConnection): Promise<void> {
    this.#rows.forgetClaims(); // they are lost, and others may have them
    const term = new NodeTerm(this.termCell, ++this.#terms);
    const before = [...this.#earlierRuns];
    this.#earlierRuns.push(term.id); // also when nobody knows whether it has come to be
    const sentAt = readClocks();
    this.#isTelling = true;
    await connection.query(
      "SELECT ftpsd.node_join($1, $2, $3, $4, $5, $6, $7, $8)",
      [this.owner, term.id, this.#options.name, this.#leaseMs, before, ...this.#rows.columns()],
      this.#timeoutMs,
    );
    this.#earlierRuns.splice(0, before.length);
    term.extend(sentAt, this.#leaseMs * (1 - MARGIN));
    this.#term = term;
    this.#isTelling = false;
    // So that all know at once whether everybody has said what is held.
    await connection.query("SELECT ftpsd.node_beat($1, $2)", [term.id, this.#leaseMs], this.#timeoutMs);
  }

  /** After a crash of the database: says what is held. */
  async #announce(connection: DatabaseConnection, term: NodeTerm, run: string): Promise<void> {
    this.#isTelling = true;
    const [row] = await connection.query(
      "SELECT ftpsd.node_announce($1, $2, $3, $4, $5) AS done",
      [term.id, run, ...this.#rows.columns()],
      this.#timeoutMs,
    );
    if (row?.done !== "t") throw new DatabaseUnavailableError("The database has started anew once more");
    this.#isTelling = false;
    await connection.query("SELECT ftpsd.node_beat($1, $2)", [term.id, this.#leaseMs], this.#timeoutMs);
  }

  /** Of a statement. At the start there is time: nothing is held yet. */
  get #timeoutMs(): number {
    return this.#term === undefined ? START_TIMEOUT_MS : Math.min(this.#leaseMs / BEATS, MAX_BEAT_MS);
  }
}

/** A limit is exact where who has waited for a lock sees what the one before has done. */
async function assertIsolation(connection: DatabaseConnection): Promise<void> {
  const [row] = await connection.query(
    "SELECT current_setting('default_transaction_isolation') AS level",
    [],
    START_TIMEOUT_MS,
  );
  if (row?.level === "read committed") return;
  throw new Error(
    `default_transaction_isolation is "${row?.level}" there for this user, and has to be "read committed"`,
  );
}
