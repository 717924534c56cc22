/**
 * Records in a file.
 *
 * @module
 */

import { orderedKey } from "../ordered_key.ts";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ListRecordsOptions, RecordOptions, StateRecord, StateRecords } from "../records.ts";

/** How many records are set between two looks for those that have expired. */
const SETS_BETWEEN_SWEEPS = 1000;
/** Stands for a record that never expires, since a column of numbers has no infinity that sorts everywhere. */
const NEVER = Number.MAX_VALUE;

/** Options of {@linkcode SqliteRecords}. */
export interface SqliteRecordsOptions {
  /** Clock, in milliseconds since 1970. @default {Date.now} */
  readonly now?: () => number;
}

/** Keeps records in a database. Every call is synchronous, and throws what the database throws. */
export class SqliteRecords implements StateRecords {
  readonly #get: StatementSync;
  readonly #set: StatementSync;
  readonly #add: StatementSync;
  readonly #delete: StatementSync;
  readonly #list: StatementSync;
  readonly #sweep: StatementSync;
  readonly #now: () => number;
  #sets = 0;

  /** @param db With the tables of `SqliteDatabase`, which stays the caller's. */
  constructor(db: DatabaseSync, { now = Date.now }: SqliteRecordsOptions = {}) {
    this.#now = now;
    this.#get = db.prepare("SELECT value FROM records WHERE space = ? AND key = ? AND expires > ?");
    this.#set = db.prepare("INSERT OR REPLACE INTO records (space, key, value, expires) VALUES (?, ?, ?, ?)");
    this.#add = db.prepare(`INSERT INTO records (space, key, value, expires) VALUES (?, ?, ?, ?)
      ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires = excluded.expires WHERE expires <= ?`);
    this.#delete = db.prepare("DELETE FROM records WHERE space = ? AND key = ?");
    this.#list = db.prepare(`SELECT key, value FROM records
      WHERE space = ? AND key > ? AND key >= ? AND key < ? AND expires > ? ORDER BY key LIMIT ?`);
    this.#sweep = db.prepare("DELETE FROM records WHERE expires <= ?");
    this.#sweep.run(now());
  }

  get(space: string, key: string): string | undefined {
    const row = this.#get.get(space, orderedKey(key), this.#now());
    return row === undefined ? undefined : toText(row.value as Uint8Array);
  }

  set(space: string, key: string, value: string, { expiresAt = NEVER }: RecordOptions = {}): void {
    this.#sweepAtTimes();
    this.#set.run(space, orderedKey(key), orderedKey(value), Math.min(expiresAt, NEVER));
  }

  add(space: string, key: string, value: string, { expiresAt = NEVER }: RecordOptions = {}): boolean {
    this.#sweepAtTimes();
    const row = [space, orderedKey(key), orderedKey(value), Math.min(expiresAt, NEVER)] as const;
    return Number(this.#add.run(...row, this.#now()).changes) > 0;
  }

  delete(space: string, key: string): void {
    this.#delete.run(space, orderedKey(key));
  }

  #sweepAtTimes(): void {
    if (this.#sets++ % SETS_BETWEEN_SWEEPS === SETS_BETWEEN_SWEEPS - 1) this.#sweep.run(this.#now());
  }

  list(space: string, { prefix = "", after = "", limit = 1000 }: ListRecordsOptions = {}): StateRecord[] {
    const rows = this.#list.all(space, orderedKey(after), orderedKey(prefix), behind(prefix), this.#now(), limit);
    return rows.map(({ key, value }) => ({ key: toText(key as Uint8Array), value: toText(value as Uint8Array) }));
  }
}

/** Is behind every key that anybody has. */
const BEHIND_ALL = new Uint8Array(4096).fill(0xff);

/** The first key behind all that begin so. */
function behind(prefix: string): Uint8Array {
  const bytes = orderedKey(prefix);
  const last = bytes.findLastIndex((byte) => byte < 0xff);
  if (last < 0) return BEHIND_ALL;
  bytes[last] = (bytes[last] ?? 0) + 1;
  return bytes.subarray(0, last + 1);
}

function toText(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    text += String.fromCharCode(((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0));
  }
  return text;
}
