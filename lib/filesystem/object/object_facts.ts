/**
 * What is known of objects beside what the store tells: times that clients have set, and digests.
 *
 * Each fact is a record that has the ETag of the object; one of another version is ignored. Times have a space of their own, and
 * keys by directory, so that a listing reads those of its page at once.
 *
 * @module
 */

import type { StateRecords } from "../../state/records.ts";
import type { CallOptions, FileDigest } from "../filesystem.ts";
import { answer } from "./store_failure.ts";

const TIMES = "object-times";
const DIGESTS = "object-digests";
/** Records that are asked for at once. */
const PAGE = 1000;

/** An object, or the version of it; a directory has an empty ETag. */
export interface Version {
  readonly key: string;
  readonly etag: string;
}

/** What a rename carries over. */
export interface Facts {
  readonly modified?: Date | undefined;
  readonly digest?: FileDigest | undefined;
}

/** Facts about the objects of a store. */
export class ObjectFacts {
  readonly #records: StateRecords;
  readonly #store: string;

  /** @param store Name of the store. */
  constructor(records: StateRecords, store: string) {
    this.#records = records;
    this.#store = store;
  }

  /** The time that was set, if one was. */
  async modified({ key, etag }: Version, { signal }: CallOptions): Promise<Date | undefined> {
    const value = await answer(this.#records.get(TIMES, this.#timeKey(key)), signal);
    return value === undefined ? undefined : timeOf(value, etag);
  }

  /** The digest by SHA-256, if it is known. */
  async digest({ key, etag }: Version, { signal }: CallOptions): Promise<FileDigest | undefined> {
    const value = await answer(this.#records.get(DIGESTS, this.#key(key)), signal);
    if (value === undefined) return undefined;
    const { etag: known, hex, bytes } = JSON.parse(value);
    return known === etag ? { hex, bytes } : undefined;
  }

  /** Sets a time. */
  async setModified({ key, etag }: Version, modified: Date, { signal }: CallOptions): Promise<void> {
    const value = JSON.stringify({ etag, modified: modified.getTime() });
    await answer(this.#records.set(TIMES, this.#timeKey(key), value), signal);
  }

  /** Sets what is known of an object that has come, and forgets what was of the one before. */
  async replace(version: Version, facts: Facts, options: CallOptions): Promise<void> {
    const { key, etag } = version;
    if (facts.digest === undefined) await answer(this.#records.delete(DIGESTS, this.#key(key)), options.signal);
    else {
      const value = JSON.stringify({ etag, ...facts.digest });
      await answer(this.#records.set(DIGESTS, this.#key(key), value), options.signal);
    }
    if (facts.modified !== undefined) await this.setModified(version, facts.modified, options);
    else await answer(this.#records.delete(TIMES, this.#timeKey(key)), options.signal);
  }

  /** Takes over what is known of an object to its copy, with its time: a copy is new to the store. */
  async carry(from: Version & { readonly modified: Date }, to: Version, options: CallOptions): Promise<void> {
    const modified = await this.modified(from, options) ?? from.modified;
    await this.replace(to, { modified, digest: await this.digest(from, options) }, options);
  }

  /** Forgets what is known of an object that has gone. */
  async forget(key: string, options: CallOptions): Promise<void> {
    await this.replace({ key, etag: "" }, {}, options);
  }

  /**
   * The times that were set of objects of one directory.
   *
   * @param versions In no particular order.
   */
  async modifiedOf(versions: readonly Version[], { signal }: CallOptions): Promise<ReadonlyMap<string, Date>> {
    const found = new Map<string, Date>();
    const wanted = new Map(versions.map(({ key, etag }) => [this.#timeKey(key), { key, etag }]));
    const keys = [...wanted.keys()].sort();
    const [first, last] = [keys[0], keys.at(-1)];
    if (first === undefined || last === undefined) return found;
    const prefix = first.slice(0, first.indexOf("\n") + 1);
    for (let after = justBefore(first, prefix);;) {
      const records = await answer(this.#records.list(TIMES, { prefix, after, limit: PAGE }), signal);
      for (const { key, value } of records) {
        const version = wanted.get(key);
        const modified = version && timeOf(value, version.etag);
        if (version !== undefined && modified !== undefined) found.set(version.key, modified);
      }
      after = records.at(-1)?.key ?? last;
      if (records.length < PAGE || after >= last) return found;
    }
  }

  #key(key: string): string {
    return `${this.#store}/${key}`;
  }

  /** The directory and the name in it; a line end is in none of them. */
  #timeKey(key: string): string {
    const nameStart = key.lastIndexOf("/", key.length - 2) + 1;
    return `${this.#key(key.slice(0, nameStart))}\n${key.slice(nameStart)}`;
  }
}

function timeOf(value: string, etag: string): Date | undefined {
  const { etag: known, modified } = JSON.parse(value);
  return known === etag ? new Date(modified) : undefined;
}

/** Something that comes before a key, and hardly anything between them. */
function justBefore(key: string, prefix: string): string {
  const last = key.charCodeAt(key.length - 1);
  const start = key.slice(0, -1);
  // Half a character is in no key, nor is one that a database might not take
  if (last > 0x21 && last < 0xd800 && start.isWellFormed()) return `${start}${String.fromCharCode(last - 1)}\uffff`;
  return start.isWellFormed() && start.length > prefix.length ? start : prefix;
}
