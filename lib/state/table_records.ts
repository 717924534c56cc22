/**
 * Small records in a piece of memory, found by a key of 128 bits.
 *
 * Keys are in chains, one for each value of some of their bits; records never move. One that is removed is the next to be used
 * again, so that a table takes no more memory than its records have needed at once, and no search is the longer for records
 * that are gone.
 *
 * @module
 */

/** A key, as four numbers of 32 bits with their sign. Its bits have to be as good as random. */
export type TableKey = readonly [number, number, number, number];

/** Fields of a record, numbers of 32 bits with their sign. */
export const RECORD_FIELDS = 8;

/** The first words of the memory: the number of records that were ever used at once, the first of those free again, the number in use. */
const [USED, FREE, COUNT] = [1, 2, 3];
const HEADER_WORDS = 16;
/** A record: the next one of its chain, its key, its fields, a clock. */
const [NEXT, KEY, FIELDS, CLOCK] = [0, 1, 6, 14];
const RECORD_WORDS = 16;

/** Words that so many records need. The first of them is nobody's: the lock may be there. */
export function wordsOf(capacity: number): number {
  return HEADER_WORDS + chainsOf(capacity) + capacity * RECORD_WORDS;
}

/** The least power of two that is not less. */
function chainsOf(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity));
}

/**
 * The records of a memory of zeros, which may be shared: then only whoever has its lock may call this. A record is a number
 * above 0, and 0 is none.
 */
export class TableRecords {
  readonly #words: Int32Array;
  readonly #capacity: number;
  readonly #chains: number;
  readonly #first: number;

  /**
   * @param words As many as {@linkcode wordsOf} says, on 8 bytes.
   * @param capacity Most records, 1 or more.
   */
  constructor(words: Int32Array, capacity: number) {
    this.#words = words;
    this.#capacity = capacity;
    this.#chains = chainsOf(capacity);
    this.#first = HEADER_WORDS + this.#chains - RECORD_WORDS;
  }

  /** Records in use. */
  get count(): number {
    return this.#word(COUNT);
  }

  /** How many more there is room for. */
  get room(): number {
    return this.#capacity - this.count;
  }

  /** Returns the record of a key; 0 when there is none. */
  find(key: TableKey): number {
    let record = this.#word(this.#chainOf(key));
    while (record !== 0 && !this.#hasKey(record, key)) record = this.#word(this.#at(record) + NEXT);
    return record;
  }

  /** Returns the record of a key, which is made with zeros when there is none; 0 when there is no room. */
  findOrInsert(key: TableKey): number {
    const found = this.find(key);
    if (found !== 0) return found;
    const record = this.#takeFree();
    if (record === 0) return 0;
    const at = this.#at(record);
    const chain = this.#chainOf(key);
    this.#words.fill(0, at, at + RECORD_WORDS);
    this.#words.set(key, at + KEY);
    this.#words[at + NEXT] = this.#word(chain);
    this.#words[chain] = record;
    this.#words[COUNT] = this.count + 1;
    return record;
  }

  /** Removes a record that is in use. */
  remove(record: number): void {
    const at = this.#at(record);
    let link = this.#chainOf(this.#keyAt(at));
    while (this.#word(link) !== record) link = this.#at(this.#word(link)) + NEXT;
    this.#words[link] = this.#word(at + NEXT);
    this.#words[at + NEXT] = this.#word(FREE);
    this.#words[FREE] = record;
    this.#words[COUNT] = this.count - 1;
  }

  /** Removes a record of which all fields are 0. */
  removeIfZero(record: number): void {
    const from = this.#at(record) + FIELDS;
    for (let at = from; at < from + RECORD_FIELDS; at++) if (this.#words[at] !== 0) return;
    this.remove(record);
  }

  /** Returns a field of a record. */
  get(record: number, field: number): number {
    return this.#word(this.#at(record) + FIELDS + field);
  }

  /** Sets a field of a record. */
  set(record: number, field: number, value: number): void {
    this.#words[this.#at(record) + FIELDS + field] = value;
  }

  /** Adds to a field of a record; returns what is in it then. */
  add(record: number, field: number, by: number): number {
    const value = this.get(record, field) + by;
    this.set(record, field, value);
    return value;
  }

  /**
   * A place of 64 bits beside the fields, 0 at the beginning, which may be used without the lock as long as the record is. No
   * record has anything else there, so that one who uses it a moment longer disturbs no count.
   */
  clock(record: number): BigInt64Array {
    return new BigInt64Array(this.#words.buffer, this.#words.byteOffset + (this.#at(record) + CLOCK) * 4, 1);
  }

  #takeFree(): number {
    const free = this.#word(FREE);
    if (free !== 0) {
      this.#words[FREE] = this.#word(this.#at(free) + NEXT);
      return free;
    }
    const used = this.#word(USED);
    if (used >= this.#capacity) return 0;
    return this.#words[USED] = used + 1;
  }

  #hasKey(record: number, key: TableKey): boolean {
    const at = this.#at(record) + KEY;
    const words = this.#words;
    return words[at] === key[0] && words[at + 1] === key[1] && words[at + 2] === key[2] && words[at + 3] === key[3];
  }

  #keyAt(at: number): TableKey {
    return [this.#word(at + KEY), this.#word(at + KEY + 1), this.#word(at + KEY + 2), this.#word(at + KEY + 3)];
  }

  #chainOf(key: TableKey): number {
    return HEADER_WORDS + (key[0] & (this.#chains - 1));
  }

  #at(record: number): number {
    if (record <= 0) throw new RangeError("Cannot use record 0: there is none");
    return this.#first + record * RECORD_WORDS;
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }
}
