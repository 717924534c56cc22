/**
 * Records in memory, in the event loop that owns them.
 *
 * @module
 */

import type { ListRecordsOptions, RecordOptions, StateRecord, StateRecords } from "./records.ts";

/** Most records of a space. Those set longest ago go first: what is lost is looked up again, or swept. */
const MAX_RECORDS = 100_000;

interface HeldRecord {
  readonly value: string;
  readonly expiresAt: number;
}

/** Options of {@linkcode MemoryRecords}. */
export interface MemoryRecordsOptions {
  /** Most records of a space. @default {100_000} */
  readonly maxRecords?: number;
  /** Clock, in milliseconds since 1970. @default {Date.now} */
  readonly now?: () => number;
}

/** Keeps records until the process ends, a bounded number of them. */
export class MemoryRecords implements StateRecords {
  readonly #spaces = new Map<string, Map<string, HeldRecord>>();
  readonly #maxRecords: number;
  readonly #now: () => number;

  /** Makes an empty store of records. */
  constructor({ maxRecords = MAX_RECORDS, now = Date.now }: MemoryRecordsOptions = {}) {
    this.#maxRecords = maxRecords;
    this.#now = now;
  }

  get(space: string, key: string): string | undefined {
    const records = this.#spaces.get(space);
    const record = records?.get(key);
    if (record === undefined || record.expiresAt > this.#now()) return record?.value;
    records?.delete(key);
    return undefined;
  }

  set(space: string, key: string, value: string, { expiresAt = Infinity }: RecordOptions = {}): void {
    const records = this.#spaces.get(space) ?? new Map<string, HeldRecord>();
    this.#spaces.set(space, records);
    records.delete(key); // so that it comes last
    records.set(key, { value, expiresAt });
    const [oldest] = records.keys();
    if (records.size > this.#maxRecords && oldest !== undefined) records.delete(oldest);
  }

  add(space: string, key: string, value: string, options: RecordOptions = {}): boolean {
    if (this.get(space, key) !== undefined) return false;
    this.set(space, key, value, options);
    return true;
  }

  delete(space: string, key: string): void {
    this.#spaces.get(space)?.delete(key);
  }

  list(space: string, { prefix = "", after = "", limit = 1000 }: ListRecordsOptions = {}): StateRecord[] {
    const now = this.#now();
    return [...this.#spaces.get(space) ?? []]
      .filter(([key, { expiresAt }]) => key.startsWith(prefix) && key > after && expiresAt > now)
      .map(([key, { value }]) => ({ key, value }))
      .sort((one, other) => one.key < other.key ? -1 : 1)
      .slice(0, limit);
  }
}
