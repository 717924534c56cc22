/**
 * What waits for hooks, in a file of SQLite.
 *
 * A message has a time at which it is due as long as it is the first of its lane, and none otherwise: so the messages that can
 * be sent are found by an index, however many wait behind those that cannot.
 *
 * @module
 */

import type { StatementSync } from "node:sqlite";
import type { HookMessage, HookQueue, QueuedMessage } from "../hook_queue.ts";
import { type DatabaseContent, SqliteDatabase } from "./sqlite_database.ts";

const CONTENT: DatabaseContent = {
  name: "queue of hooks of ftpsd",
  applicationId: 0x66747068, // "ftph"
  version: 1,
  schema: `
  CREATE TABLE messages (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, hook TEXT NOT NULL,
    lane TEXT NOT NULL, body TEXT NOT NULL, queued_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due REAL) STRICT;
  CREATE INDEX messages_by_lane ON messages (hook, lane, sequence);
  CREATE INDEX first_messages ON messages (hook, due, sequence) WHERE due IS NOT NULL;
`,
};

/** A queue in a file, which is open until it is disposed of. */
export class SqliteHookQueue implements HookQueue, Disposable {
  readonly #database: SqliteDatabase;
  readonly #statements: Statements;
  /** How many wait, by hook. */
  #waiting: Map<string, number>;

  /**
   * Opens the file, which is made with mode 600 if it is not there.
   *
   * @throws {StateFileError}
   */
  constructor(path: string) {
    this.#database = SqliteDatabase.open(path, { content: CONTENT });
    const { db } = this.#database;
    db.exec("UPDATE messages SET due = 0 WHERE due IS NOT NULL");
    this.#statements = prepare((sql) => db.prepare(sql));
    this.#waiting = this.#count();
  }

  get waiting(): number {
    return [...this.#waiting.values()].reduce((total, waiting) => total + waiting, 0);
  }

  waitingFor(hook: string): number {
    return this.#waiting.get(hook) ?? 0;
  }

  add({ id, hook, lane, body }: HookMessage): void {
    this.#statements.add.run(id, hook, lane, body, Date.now(), hook, lane, performance.now());
    this.#waiting.set(hook, this.waitingFor(hook) + 1);
  }

  due(hook: string, now: number, limit: number): QueuedMessage[] {
    return this.#statements.due.all(hook, now, limit).map((row) => ({
      sequence: Number(row.sequence),
      id: String(row.id),
      hook,
      lane: String(row.lane),
      body: String(row.body),
      queuedAt: Number(row.queued_at),
      attempts: Number(row.attempts),
    }));
  }

  nextDue(hook: string, now: number): number | undefined {
    const due = this.#statements.nextDue.get(hook, now)?.due;
    return typeof due === "number" ? due : undefined;
  }

  remove({ sequence, hook, lane }: QueuedMessage): void {
    const { db } = this.#database;
    db.exec("BEGIN IMMEDIATE");
    try {
      const { changes } = this.#statements.remove.run(sequence);
      this.#statements.advance.run(performance.now(), hook, lane);
      db.exec("COMMIT");
      this.#waiting.set(hook, this.waitingFor(hook) - Number(changes));
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }

  postpone({ sequence }: QueuedMessage, until: number): void {
    this.#statements.postpone.run(until, sequence);
  }

  retryAll(): void {
    this.#statements.retryAll.run(performance.now());
  }

  orphans(hooks: readonly string[]): number {
    return Number(this.#statements.orphans.get(JSON.stringify(hooks))?.orphans);
  }

  removeOrphans(hooks: readonly string[], before: number): number {
    const removed = Number(this.#statements.removeOrphans.run(JSON.stringify(hooks), before).changes);
    if (removed === 0) return 0;
    this.#waiting = this.#count();
    // Some of a lane may be left whose first is gone.
    this.#statements.advanceAll.run();
    return removed;
  }

  setSynced(how: "full" | "normal"): void {
    this.#database.db.exec(`PRAGMA synchronous = ${how === "full" ? "FULL" : "NORMAL"}`);
  }

  #count(): Map<string, number> {
    return new Map(this.#statements.count.all().map(({ hook, waiting }) => [String(hook), Number(waiting)]));
  }

  /** Closes the file; may be called again. */
  [Symbol.dispose](): void {
    this.#database[Symbol.dispose]();
  }
}

type Statements = ReturnType<typeof prepare>;

function prepare(statement: (sql: string) => StatementSync) {
  return {
    add: statement(`INSERT INTO messages (id, hook, lane, body, queued_at, due) VALUES (?, ?, ?, ?, ?,
      CASE WHEN EXISTS (SELECT 1 FROM messages WHERE hook = ? AND lane = ?) THEN NULL ELSE ? END)`),
    due: statement("SELECT * FROM messages WHERE hook = ? AND due <= ? ORDER BY due, sequence LIMIT ?"),
    nextDue: statement("SELECT min(due) AS due FROM messages WHERE hook = ? AND due > ?"),
    remove: statement("DELETE FROM messages WHERE sequence = ?"),
    advance: statement(`UPDATE messages SET due = ? WHERE due IS NULL AND sequence =
      (SELECT min(sequence) FROM messages WHERE hook = ? AND lane = ?)`),
    advanceAll: statement(`UPDATE messages SET due = 0 WHERE due IS NULL AND sequence IN
      (SELECT min(sequence) FROM messages GROUP BY hook, lane)`),
    postpone: statement("UPDATE messages SET due = ?, attempts = attempts + 1 WHERE sequence = ?"),
    count: statement("SELECT hook, count(*) AS waiting FROM messages GROUP BY hook"),
    retryAll: statement("UPDATE messages SET due = ? WHERE due IS NOT NULL"),
    orphans: statement(
      "SELECT count(*) AS orphans FROM messages WHERE hook NOT IN (SELECT value FROM json_each(?))",
    ),
    removeOrphans: statement(
      "DELETE FROM messages WHERE hook NOT IN (SELECT value FROM json_each(?)) AND queued_at < ?",
    ),
  };
}
