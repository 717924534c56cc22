/**
 * Quotas in a file.
 *
 * @module
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { QuotaAmount, QuotaStore } from "../quotas.ts";

/** Keeps counts in a database. What could not be kept is tried again with the next call that keeps any, or none. */
export class SqliteQuotas implements QuotaStore {
  readonly #db: DatabaseSync;
  readonly #load: StatementSync;
  readonly #save: StatementSync;
  readonly #remove: StatementSync;
  readonly #request: StatementSync;
  readonly #requested: StatementSync;
  readonly #answered: StatementSync;
  readonly #stored: (name: string) => QuotaAmount | undefined;
  readonly #unsaved = new Set<string>();

  /**
   * @param db With the tables of `SqliteDatabase`, which stays the caller's.
   * @param stored Looks up what is to be kept.
   */
  constructor(db: DatabaseSync, stored: (name: string) => QuotaAmount | undefined) {
    this.#db = db;
    this.#stored = stored;
    this.#load = db.prepare("SELECT bytes, files FROM quotas WHERE name = ?");
    this.#save = db.prepare("INSERT OR REPLACE INTO quotas (name, bytes, files) VALUES (?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM quotas WHERE name = ?");
    this.#request = db.prepare("INSERT OR IGNORE INTO recounts (name) VALUES (?)");
    this.#requested = db.prepare("SELECT name FROM recounts");
    this.#answered = db.prepare("DELETE FROM recounts WHERE name = ?");
  }

  load(name: string): QuotaAmount | undefined {
    const row = this.#load.get(name);
    return row === undefined ? undefined : { bytes: Number(row.bytes), files: Number(row.files) };
  }

  save(names: readonly string[]): void {
    for (const name of names) this.#unsaved.add(name);
    for (const name of [...this.#unsaved]) {
      const stored = this.#stored(name);
      if (stored !== undefined) this.#save.run(name, stored.bytes, stored.files);
      this.#unsaved.delete(name);
    }
  }

  /** Sets a count, where nobody else counts. */
  set(name: string, { bytes, files }: QuotaAmount): void {
    this.#save.run(name, bytes, files);
  }

  /** Asks the server that has the file to count anew. */
  requestCounts(names: readonly string[]): void {
    for (const name of names) this.#request.run(name);
  }

  /** Takes what was asked for since the last call; what was kept of it is forgotten, so that a restart counts, too. */
  takeRequests(): string[] {
    const names = this.#requested.all().map(({ name }) => String(name));
    if (names.length === 0) return [];
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      for (const name of names) {
        this.#remove.run(name);
        this.#answered.run(name);
      }
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
    return names;
  }
}
