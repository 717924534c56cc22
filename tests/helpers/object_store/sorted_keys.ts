/**
 * Keys in the order of their UTF-8 bytes, as listings of S3 have them.
 *
 * @module
 */

/** A set of keys that is always sorted. */
export class SortedKeys {
  readonly #keys: string[] = [];

  /** How many there are. */
  get size(): number {
    return this.#keys.length;
  }

  /** The key at an index. */
  at(index: number): string | undefined {
    return this.#keys[index];
  }

  /** Compares two keys by their UTF-8 bytes. */
  compare(left: string, right: string): number {
    const length = Math.min(left.length, right.length);
    for (let index = 0; index < length; index++) {
      const [a, b] = [left.charCodeAt(index), right.charCodeAt(index)];
      if (a !== b) return order(a) - order(b);
    }
    return left.length - right.length;
  }

  /** Adds a key that is not there. */
  add(key: string): void {
    this.#keys.splice(this.firstIndex((other) => this.compare(other, key) >= 0), 0, key);
  }

  /** Removes a key that is there. */
  delete(key: string): void {
    this.#keys.splice(this.firstIndex((other) => this.compare(other, key) >= 0), 1);
  }

  /** Index of the first key that is beyond something, which all keys behind it are, too. */
  firstIndex(isBeyond: (key: string) => boolean): number {
    let [from, to] = [0, this.#keys.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (isBeyond(this.#keys[middle] as string)) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

/** Surrogates belong behind all other code units, whose UTF-8 is shorter. */
function order(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
