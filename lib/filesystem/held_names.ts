/**
 * The names of a directory that is being listed.
 *
 * @module
 */

/** A reader that takes no more for so long has the names read again; a folder may have megabytes of them. */
const RELEASE_AFTER_MS = 2000;

/** Gives sorted names batch by batch, and lets go of them while nobody takes any. */
export class HeldNames implements Disposable {
  readonly #read: () => Promise<readonly string[]>;
  #names: readonly string[] | undefined;
  #next = 0;
  #last: string | undefined;
  #release: ReturnType<typeof setTimeout> | undefined;

  /** @param read Reads all names, sorted, without the same one twice. Called again after a pause. */
  constructor(read: () => Promise<readonly string[]>) {
    this.#read = read;
  }

  /** The next names, `count` at most; none at the end. */
  async take(count: number): Promise<readonly string[]> {
    clearTimeout(this.#release);
    const names = this.#names ??= await this.#readRest();
    const batch = names.slice(this.#next, this.#next + count);
    this.#next += batch.length;
    this.#last = batch.at(-1) ?? this.#last;
    if (this.#next < names.length) this.#release = setTimeout(() => this.#names = undefined, RELEASE_AFTER_MS);
    return batch;
  }

  async #readRest(): Promise<readonly string[]> {
    const names = await this.#read();
    const last = this.#last;
    const next = last === undefined ? 0 : names.findIndex((name) => name > last);
    this.#next = next < 0 ? names.length : next;
    return names;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#release);
  }
}
