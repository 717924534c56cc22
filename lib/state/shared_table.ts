/**
 * A table that all event loops of a process have in their memory: what they count together costs no message.
 *
 * @module
 */

import { hash, randomBytes } from "node:crypto";
import { SharedLock, type SharedLockOptions } from "./shared_lock.ts";
import { type TableKey, TableRecords, wordsOf } from "./table_records.ts";

/** Memory of a table, which can be sent to other event loops. */
export interface TableMemory {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
  /** Secret: without it nobody can choose names whose keys meet in one chain. */
  readonly hashKey: string;
}

/** Memory that is never used costs nothing: the system gives it page by page. */
const DEFAULT_CAPACITY = 1 << 17;

/**
 * Makes the memory of an empty table.
 *
 * @param capacity Most records, 1 or more; each takes some 70 bytes once it is used.
 */
export function createTableMemory(capacity: number = DEFAULT_CAPACITY): TableMemory {
  return {
    buffer: new SharedArrayBuffer(wordsOf(capacity) * Int32Array.BYTES_PER_ELEMENT),
    capacity,
    hashKey: randomBytes(32).toString("hex"),
  };
}

/** A table cannot be used now: it is full, or whoever has its lock does not give it back. */
export class SharedTableError extends Error {
  /** The name of the class. */
  override readonly name = "SharedTableError";
}

/** The error of a table without room. */
export function tableFull(): SharedTableError {
  return new SharedTableError("Cannot count anything new: the shared table is full");
}

/** Is called once the lock is free again. */
type Afterwards = () => void;

/** A table in shared memory. Each event loop makes one over the same memory. */
export class SharedTable {
  /** For other event loops. */
  readonly memory: TableMemory;
  readonly #lock: SharedLock;
  readonly #records: TableRecords;
  /** What was to be given back while the lock could not be had: no more than was held then, since nothing new is counted. */
  #late: ((records: TableRecords) => Afterwards | void)[] = [];

  constructor(memory: TableMemory = createTableMemory(), options: SharedLockOptions = {}) {
    const words = new Int32Array(memory.buffer);
    this.memory = memory;
    this.#lock = new SharedLock(words, 0, options);
    this.#records = new TableRecords(words, memory.capacity);
  }

  /** The key of a name among those of its kind. */
  keyOf(kind: string, name: string): TableKey {
    const digest = hash("sha256", `${this.memory.hashKey}${kind}\0${name}`, "hex");
    const word = (index: number) => Number.parseInt(digest.slice(index * 8, index * 8 + 8), 16) | 0;
    return [word(0), word(1), word(2), word(3)];
  }

  /**
   * Does something while nobody else uses the table, in any event loop: synchronous, short, and without a call of anybody who is
   * not the table's own.
   *
   * @throws {SharedTableError} When the lock cannot be had; nothing is done then.
   * @throws What `work` throws.
   */
  locked<Result>(work: (records: TableRecords) => Result): Result {
    if (!this.#lock.acquire()) throw new SharedTableError("Cannot count: another event loop has stopped meanwhile");
    const afterwards: Afterwards[] = [];
    try {
      for (let late = this.#late.shift(); late !== undefined; late = this.#late.shift()) {
        afterwards.push(late(this.#records) ?? ignore);
      }
      return work(this.#records);
    } finally {
      this.#lock.release();
      for (const call of afterwards) call();
    }
  }

  /**
   * Gives something back, as {@linkcode SharedTable.locked}; where the lock cannot be had, before the next thing that is done.
   *
   * @param work What it returns is called once the lock is free again. Neither may throw.
   */
  release(work: (records: TableRecords) => Afterwards | void): void {
    try {
      this.locked(work)?.();
    } catch (error) {
      if (!(error instanceof SharedTableError)) throw error;
      this.#late.push(work);
    }
  }
}

function ignore(): void {}
