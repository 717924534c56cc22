/**
 * Listings of directories: page by page, as the store gives them.
 *
 * @module
 */

import type { CallOptions, DirectoryEntry, FileInfo } from "../filesystem.ts";
import type { ObjectFacts, Version } from "./object_facts.ts";
import { nameIn } from "./object_keys.ts";
import type { ListedObject, ListPage, ObjectStore } from "./object_store.ts";
import { failureOf } from "./store_failure.ts";

/**
 * Goes through the keys below a prefix, with at most one page ahead of the one that is looked at.
 *
 * @param first The first page, where it is there already.
 */
export async function* pagesOf(
  store: ObjectStore,
  options: CallOptions & { readonly prefix: string; readonly delimiter?: "/"; readonly first?: ListPage | undefined },
): AsyncGenerator<ListPage, void, undefined> {
  const { first, signal, ...wanted } = options;
  const leaving = new AbortController();
  const abort = () => leaving.abort(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const ask = (next?: string) => {
    const page = store.list({ ...wanted, next, signal: leaving.signal });
    page.catch(() => {}); // it is looked at, or nobody wants it any more
    return page;
  };
  let coming: Promise<ListPage> | undefined = first === undefined ? ask() : Promise.resolve(first);
  try {
    while (coming !== undefined) {
      const page: ListPage = await coming;
      coming = page.next === undefined ? undefined : ask(page.next);
      yield page;
    }
  } catch (error) {
    throw failureOf(error, signal);
  } finally {
    signal.removeEventListener("abort", abort);
    leaving.abort(new DOMException("The listing was left", "AbortError"));
    await coming?.catch(() => {});
  }
}

/** An entry of a page. */
export interface PageEntry {
  readonly name: string;
  readonly version: Version;
  /** Absent: a directory. */
  readonly object?: ListedObject;
}

/** Turns the pages of a directory into entries. What has no name, and a directory that has that of a file, is left out. */
export class PageEntries {
  readonly #prefix: string;
  /** Objects whose keys the last key begins with: only those can have a directory of their name to come. */
  #open: string[] = [];

  /** @param prefix What the keys of the directory begin with. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The entries of the next page, in its order. */
  of({ objects, prefixes }: ListPage): PageEntry[] {
    const entries: PageEntry[] = [];
    for (const { key, object } of inOrder(objects, prefixes)) {
      this.#open = this.#open.filter((open) => key.startsWith(open));
      const name = nameIn(this.#prefix, key);
      if (object !== undefined && !this.#open.includes(key)) this.#open.push(key); // a store may say it twice
      const isHidden = object === undefined && this.#open.includes(key.slice(0, -1));
      if (name === undefined || isHidden) continue;
      entries.push(object === undefined ? { name, version: { key, etag: "" } } : { name, version: object, object });
    }
    return entries;
  }
}

function inOrder(
  objects: readonly ListedObject[],
  prefixes: readonly string[],
): { readonly key: string; readonly object?: ListedObject }[] {
  if (prefixes.length === 0) return objects.map((object) => ({ key: object.key, object }));
  // Both are in order; where a file and a directory have one name, the file comes first either way
  const all = [...objects.map((object) => ({ key: object.key, object })), ...prefixes.map((key) => ({ key }))];
  return all.sort((one, other) => one.key < other.key ? -1 : 1);
}

/** Attributes of an entry. */
export function infoOf({ object }: PageEntry, modified: Date | undefined): FileInfo {
  if (object === undefined) return directoryInfo(modified);
  return fileInfo(object, modified);
}

/** Attributes of a file: the time is the one that was set, or that of the store. */
export function fileInfo(
  object: { readonly size: number; readonly modified: Date },
  modified: Date | undefined,
): FileInfo {
  return { type: "file", size: object.size, modified: modified ?? wholeSeconds(object.modified) };
}

/**
 * Attributes of a directory. It has no time but one that was set; otherwise it gets the one that LIST shows then, as lftp takes a
 * listing by MLSD for an empty one where nothing has a time.
 */
export function directoryInfo(modified: Date = new Date(0)): FileInfo {
  return { type: "directory", size: 0, modified };
}

/** A listing of a store has fractions of a second, its HEAD has none. */
function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}

/** The entries of a page with their attributes. */
export async function describe(
  entries: readonly PageEntry[],
  facts: ObjectFacts,
  options: CallOptions,
): Promise<DirectoryEntry[]> {
  const times = await facts.modifiedOf(entries.map(({ version }) => version), options);
  return entries.map((entry) => ({ name: entry.name, info: infoOf(entry, times.get(entry.version.key)) }));
}
