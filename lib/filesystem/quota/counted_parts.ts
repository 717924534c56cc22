/**
 * What interrupted uploads keep where uploads appear whole: parts that nobody sees, and that take room all the same.
 *
 * @module
 */

import type { StateRecords } from "../../state/records.ts";
import type { CallOptions, FileSystem } from "../filesystem.ts";

const SPACE = "countedParts";
const PAGE = 1000;

/**
 * The interrupted uploads of one account, each with the bytes that count for it. The file system forgets them by itself after a
 * time, which shows here when it is looked for.
 */
export class CountedParts {
  readonly #fileSystem: FileSystem;
  readonly #records: StateRecords;
  readonly #account: string;

  /** @param account Whose, among all that the records have. */
  constructor(fileSystem: FileSystem, records: StateRecords, account: string) {
    this.#fileSystem = fileSystem;
    this.#records = records;
    this.#account = account;
  }

  /** Returns how many bytes count for an upload to a path. */
  async counted(path: string): Promise<number> {
    if (this.#fileSystem.resumable === undefined) return 0;
    return Number(await this.#records.get(SPACE, this.#keyOf(path)) ?? 0);
  }

  /** Looks what is kept for a path, and lets that count; returns what that adds. */
  async settle(path: string, options: CallOptions): Promise<number> {
    const { resumable } = this.#fileSystem;
    if (resumable === undefined) return 0;
    const before = await this.counted(path);
    const now = await resumable.call(this.#fileSystem, path, options) ?? 0;
    if (now === before) return 0;
    if (now === 0) await this.#records.delete(SPACE, this.#keyOf(path));
    else await this.#records.set(SPACE, this.#keyOf(path), String(now));
    return now - before;
  }

  /** The same of all paths. */
  async settleAll(options: CallOptions): Promise<number> {
    let change = 0;
    for await (const path of this.#paths()) change += await this.settle(path, options);
    return change;
  }

  /** Returns how many bytes are kept in all. */
  async total(options: CallOptions): Promise<number> {
    let bytes = 0;
    for await (const path of this.#paths()) {
      await this.settle(path, options);
      bytes += await this.counted(path);
    }
    return bytes;
  }

  async *#paths(): AsyncGenerator<string, void, undefined> {
    if (this.#fileSystem.resumable === undefined) return;
    const prefix = this.#keyOf("");
    for (let after = "";;) {
      const page = await this.#records.list(SPACE, { prefix, after, limit: PAGE });
      for (const { key } of page) yield key.slice(prefix.length);
      if (page.length < PAGE) return;
      after = page.at(-1)?.key ?? "";
    }
  }

  #keyOf(path: string): string {
    return `${this.#account}\0${path}`;
  }
}
