/**
 * Quotas in memory that all event loops share: each of them counts by itself, exactly, without a message.
 *
 * @module
 */

import { type SharedTable, tableFull } from "./shared_table.ts";
import type {
  Quota,
  QuotaAmount,
  QuotaCounting,
  QuotaCounts,
  QuotaRefusal,
  QuotaReservation,
  QuotaStore,
  QuotaUse,
} from "./quotas.ts";
import type { TableKey, TableRecords } from "./table_records.ts";

/** Fields of a count; bytes take two of 32 bits. What has been counted once keeps its record. */
const STATE = 0;
const STORED = { bytes: 1, files: 3 };
const RESERVED = { bytes: 4, files: 6 };
/** Changes that are under way. */
const CHANGES = 7;

/** What is known of a count: nothing yet, not even what the store has; all; that somebody counts; that it is to be counted anew. */
const UNKNOWN = 0;
const COUNTED = 1;
const COUNTING = 2;
const RECOUNT = 3;
const UNCOUNTED = 4;

const WORD = 2 ** 32;
const MAX_FILES = 2 ** 31 - 1;

/** Counts over all event loops that have the table. */
export class TableQuotaCounts implements QuotaCounts {
  readonly #table: SharedTable;
  readonly #store: QuotaStore | undefined;

  /** @param store Keeps the counts beyond the process; absent: nobody does. */
  constructor(table: SharedTable, store?: QuotaStore) {
    this.#table = table;
    this.#store = store;
  }

  async use(name: string): Promise<QuotaUse | undefined> {
    const known = this.#look(name);
    if (known !== "unknown") return known;
    await this.#load(name);
    const loaded = this.#look(name);
    return loaded === "unknown" ? undefined : loaded;
  }

  /** @throws {SharedTableError} */
  async reserve(quotas: readonly Quota[], amount: QuotaAmount): Promise<QuotaReservation | QuotaRefusal> {
    for (;;) {
      const answer = this.#table.locked((records) => this.#tryReserve(records, quotas, amount));
      if (answer instanceof Error) throw answer;
      if (answer === undefined) return this.#reservation(quotas, amount);
      if (answer.refusal !== "unknown") return { refusal: answer.refusal, name: answer.name };
      await this.#load(answer.name);
    }
  }

  /** @throws {SharedTableError} */
  async beginCount(name: string): Promise<QuotaCounting | undefined> {
    await this.use(name);
    const key = this.#keyOf(name);
    const before = this.#table.locked((records) => {
      const record = records.find(key);
      if (record === 0) return undefined;
      const state = records.get(record, STATE);
      const mayCount = state === UNCOUNTED || state === RECOUNT;
      if (!mayCount || records.get(record, CHANGES) > 0) return undefined;
      records.set(record, STATE, COUNTING);
      return state;
    });
    return before === undefined ? undefined : this.#counting(name, before);
  }

  /**
   * For the owner of the store: what is stored now; `undefined` when nobody has counted it.
   *
   * @throws {SharedTableError}
   */
  stored(name: string): QuotaAmount | undefined {
    const known = this.#look(name);
    return known === "unknown" ? undefined : known?.stored;
  }

  /** Lets a count be made anew once no change is under way. */
  recount(name: string): void {
    const key = this.#keyOf(name);
    this.#table.release((records) => {
      const record = records.find(key);
      if (record !== 0 && records.get(record, STATE) === COUNTED) records.set(record, STATE, RECOUNT);
    });
  }

  #keyOf(name: string): TableKey {
    return this.#table.keyOf("quota", name);
  }

  #look(name: string): QuotaUse | undefined | "unknown" {
    const key = this.#keyOf(name);
    return this.#table.locked((records) => {
      const record = records.find(key);
      const state = record === 0 ? UNKNOWN : records.get(record, STATE);
      if (state === UNKNOWN) return "unknown";
      if (state === UNCOUNTED || state === COUNTING) return undefined;
      return { stored: readAmount(records, record, STORED), reserved: readAmount(records, record, RESERVED) };
    });
  }

  /** Takes what the store has, unless another event loop was faster. */
  async #load(name: string): Promise<void> {
    const stored = await this.#store?.load(name);
    const key = this.#keyOf(name);
    const answer = this.#table.locked((records) => {
      const record = records.findOrInsert(key);
      if (record === 0) return tableFull();
      if (records.get(record, STATE) !== UNKNOWN) return undefined;
      records.set(record, STATE, stored === undefined ? UNCOUNTED : COUNTED);
      if (stored !== undefined) writeAmount(records, record, STORED, stored);
      return undefined;
    });
    if (answer instanceof Error) throw answer;
  }

  /** Reserves under all quotas; returns why not. */
  #tryReserve(
    records: TableRecords,
    quotas: readonly Quota[],
    amount: QuotaAmount,
  ): { readonly refusal: "unknown" | QuotaRefusal["refusal"]; readonly name: string } | undefined {
    const found = quotas.map((quota) => ({ ...quota, record: records.find(this.#keyOf(quota.name)) }));
    for (const { name, record } of found) {
      const state = record === 0 ? UNKNOWN : records.get(record, STATE);
      if (state === UNKNOWN) return { refusal: "unknown", name };
      // What is to be counted anew waits for the end of the last change, which new ones must not put off: see `beginCount()`.
      const isCounted = state === COUNTED || (state === RECOUNT && records.get(record, CHANGES) > 0);
      if (!isCounted) return { refusal: "uncounted", name };
    }
    for (const { name, record, limits } of found) {
      const over = findExcess(records, record, limits, amount);
      if (over !== undefined) return { refusal: over, name };
    }
    for (const { record } of found) {
      addAmount(records, record, RESERVED, amount);
      records.add(record, CHANGES, 1);
    }
    return undefined;
  }

  #reservation(quotas: readonly Quota[], { bytes, files }: QuotaAmount): QuotaReservation {
    const keys = quotas.map(({ name, limits }) => ({ key: this.#keyOf(name), limits }));
    let reserved = bytes;
    let isHeld = true;
    const end = (change: QuotaAmount) => {
      isHeld = false;
      this.#table.release((records) => {
        for (const { key } of keys) {
          const record = records.find(key);
          addAmount(records, record, RESERVED, { bytes: -reserved, files: -files });
          addAmount(records, record, STORED, change);
          records.add(record, CHANGES, -1);
        }
      });
    };
    return {
      grow: (more) => {
        const isThere = this.#table.locked((records) => {
          const amount = { bytes: more, files: 0 };
          const found = keys.map(({ key, limits }) => ({ record: records.find(key), limits }));
          if (found.some(({ record, limits }) => findExcess(records, record, limits, amount) !== undefined)) {
            return false;
          }
          for (const { record } of found) addAmount(records, record, RESERVED, amount);
          return true;
        });
        if (isThere) reserved += more;
        return isThere;
      },
      commit: async (amount) => {
        if (!isHeld) return;
        end(amount);
        if (amount.bytes !== 0 || amount.files !== 0) await this.#store?.save(quotas.map(({ name }) => name));
      },
      [Symbol.dispose]: () => {
        if (isHeld) end({ bytes: 0, files: 0 });
      },
    };
  }

  #counting(name: string, before: number): QuotaCounting {
    const key = this.#keyOf(name);
    let isHeld = true;
    const finish = (state: number, stored?: QuotaAmount) => {
      isHeld = false;
      this.#table.release((records) => {
        const record = records.find(key);
        records.set(record, STATE, state);
        if (stored !== undefined) writeAmount(records, record, STORED, stored);
      });
    };
    return {
      end: async (stored) => {
        if (!isHeld) return;
        finish(COUNTED, stored);
        await this.#store?.save([name]);
      },
      [Symbol.dispose]: () => {
        if (isHeld) finish(before);
      },
    };
  }
}

type Fields = typeof STORED;

function readAmount(records: TableRecords, record: number, { bytes, files }: Fields): QuotaAmount {
  const low = records.get(record, bytes) >>> 0;
  return { bytes: records.get(record, bytes + 1) * WORD + low, files: records.get(record, files) };
}

function writeAmount(records: TableRecords, record: number, fields: Fields, { bytes, files }: QuotaAmount): void {
  const kept = Math.min(Math.max(bytes, 0), Number.MAX_SAFE_INTEGER);
  records.set(record, fields.bytes, kept % WORD | 0);
  records.set(record, fields.bytes + 1, Math.floor(kept / WORD));
  records.set(record, fields.files, Math.min(Math.max(files, 0), MAX_FILES));
}

/** Adds to an amount, which never falls below 0. */
function addAmount(records: TableRecords, record: number, fields: Fields, change: QuotaAmount): void {
  const { bytes, files } = readAmount(records, record, fields);
  writeAmount(records, record, fields, { bytes: bytes + change.bytes, files: files + change.files });
}

/** Returns which limit more would exceed. */
function findExcess(
  records: TableRecords,
  record: number,
  limits: QuotaAmount,
  more: QuotaAmount,
): "bytes" | "files" | undefined {
  const [stored, reserved] = [readAmount(records, record, STORED), readAmount(records, record, RESERVED)];
  const isOver = (what: "bytes" | "files") =>
    more[what] > 0 && limits[what] > 0 && stored[what] + reserved[what] + more[what] > limits[what];
  return isOver("files") ? "files" : isOver("bytes") ? "bytes" : undefined;
}
