/**
 * Who writes which file, and which names are held.
 *
 * @module
 */

import type { FileClaims } from "./file_claims.ts";
import { FileSystemError } from "./filesystem.ts";

/**
 * The files open for writing, so that each has one writer. File systems whose roots overlap share one.
 *
 * @example Two views of one tree
 * ```ts
 * import { LocalFileSystem, WriteClaims } from "@ftpsd/ftpsd";
 *
 * const writeClaims = new WriteClaims();
 * const all = new LocalFileSystem("/srv/ftp", { writeClaims });
 * const incoming = new LocalFileSystem("/srv/ftp/incoming", { writeClaims });
 * ```
 */
export class WriteClaims implements FileClaims {
  readonly #files = new Set<string>();

  claim(file: string): Disposable {
    if (this.#files.has(file)) throw new FileSystemError("busy", "Cannot open file for writing: it is being written");
    this.#files.add(file);
    const claim = new DisposableStack();
    claim.defer(() => this.#files.delete(file));
    return claim;
  }
}

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
