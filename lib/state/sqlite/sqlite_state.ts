/**
 * What a server remembers in a file of SQLite.
 *
 * @module
 */

import type { OffenderStore } from "../offenders.ts";
import type { QuotaAmount } from "../quotas.ts";
import type { StateRecords } from "../records.ts";
import { SqliteDatabase } from "./sqlite_database.ts";
import { SqliteOffenders } from "./sqlite_offenders.ts";
import { SqliteQuotas } from "./sqlite_quotas.ts";
import { SqliteRecords } from "./sqlite_records.ts";

/** Milliseconds between two looks whether somebody wants a quota counted anew, and whether a count is to be kept still. */
const REQUESTS_INTERVAL_MS = 2000;

/** What a state is given. */
export interface SqliteStateOptions {
  /** Looks up what is stored under a quota. */
  readonly stored: (name: string) => QuotaAmount | undefined;
  /** Called with quotas that somebody wants to be counted anew. */
  readonly onRecount: (name: string) => void;
}

/** An open state. Every call is synchronous, some 0.02 ms, and throws what the database throws. */
export class SqliteState implements Disposable {
  readonly records: StateRecords;
  readonly offenders: OffenderStore;
  readonly quotas: SqliteQuotas;
  readonly #database: SqliteDatabase;
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * Opens the file, which is made if it is not there.
   *
   * @throws {StateFileError}
   */
  constructor(path: string, { stored, onRecount }: SqliteStateOptions) {
    this.#database = SqliteDatabase.open(path);
    const { db } = this.#database;
    this.records = new SqliteRecords(db);
    this.offenders = new SqliteOffenders(db);
    this.quotas = new SqliteQuotas(db, stored);
    this.#timer = setInterval(() => this.#takeRequests(onRecount), REQUESTS_INTERVAL_MS);
  }

  /** Closes the file; may be called again. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#database[Symbol.dispose]();
  }

  #takeRequests(onRecount: (name: string) => void): void {
    let names: readonly string[] = [];
    try {
      this.quotas.save([]); // what could not be kept before
      names = this.quotas.takeRequests();
    } catch {
      return; // they stay, and are looked for again; what is written for clients tells of a file that fails
    }
    for (const name of names) onRecount(name);
  }
}
