/**
 * Directories of the host, listed in the order of their names, and the attributes of what is in them.
 *
 * @module
 */

import type { Containment, FoundEntry } from "./containment.ts";
import { type LocatedFile, unique } from "./path_snapshot.ts";
import { yieldToEventLoop } from "../../deadline.ts";
import { modeBits } from "../../mode_bits.ts";
import type { DirectoryEntry, FileInfo } from "../filesystem.ts";
import { checkInfo } from "../checked_values.ts";
import { HeldNames } from "../write_claims.ts";
import { HOST_RULES, joinHostPath } from "./host_path.ts";

/** Names held beside those that are looked up in one go. */
const BATCH_NAMES = 256;
/** How long entries are looked up in one go, also where each is looked at again; and how many between two looks at the clock. */
const MAX_BATCH_MS = 0.8;
const MAX_UNSETTLED_BATCH_MS = 0.4;
const ENTRIES_PER_LOOK = 16;

/** Entries of which nothing is looked up that are handed on in one go. */
const BATCH_TYPES = 1024;
/** Most entries of a directory that are held with their types. */
const MAX_HELD_TYPES = 50_000;

/** Attributes of which the type alone is known. */
const FILE: FileInfo = { type: "file", size: 0 };
const DIRECTORY: FileInfo = { type: "directory", size: 0 };
const OTHER: FileInfo = { type: "other", size: 0 };

/** A name in a directory. */
interface NamedEntry extends FoundEntry {
  readonly name: string;
  /** What is listed of it. */
  readonly info: FileInfo;
}

/** The attributes of something on the host, no link. */
export function toFileInfo(info: Deno.FileInfo): FileInfo {
  return {
    type: info.isFile ? "file" : info.isDirectory ? "directory" : "other",
    size: info.size,
    modified: info.mtime ?? undefined,
    mode: modeBits(info.mode, Deno.build.os),
    links: info.nlink ?? undefined,
    uid: info.uid ?? undefined,
    gid: info.gid ?? undefined,
    unique: unique(info),
  };
}

/**
 * The attributes of a symbolic link to a directory. Its size is left out: it would reveal how long a path of the host is.
 *
 * @param target Virtual path of the directory.
 */
export function toLinkInfo(own: Deno.FileInfo, target: string): FileInfo {
  return { ...toFileInfo(own), type: "link", size: 0, target };
}

/**
 * Lists what is in a directory.
 *
 * @param path Virtual path.
 * @throws {FileSystemError} At the first step, as {@linkcode Containment.locateDirectory} does.
 */
export async function* listEntries(
  containment: Containment,
  path: string,
): AsyncGenerator<readonly DirectoryEntry[], void, undefined> {
  yield* lookUpAll(containment, path, containment.locateDirectory(path));
}

async function sortedNames(hostPath: string): Promise<readonly string[]> {
  return (await Array.fromAsync(Deno.readDir(hostPath), ({ name }) => name)).sort().filter(isFirst);
}

/** Returns whether a name of a sorted list is not the one before again, as those that are not UTF-8 may be. */
function isFirst(name: string, index: number, names: readonly string[]): boolean {
  return name !== names[index - 1];
}

/** Lists the names of the same entries. */
export async function* listEntryNames(
  containment: Containment,
  path: string,
): AsyncGenerator<readonly string[], void, undefined> {
  const directory = containment.locateDirectory(path);
  const found: string[] = [];
  if (await readTypes(containment, directory, (name) => found.push(name))) {
    return yield* inTurns(found.sort().filter(isFirst));
  }
  for await (const batch of lookUpAll(containment, path, directory)) yield batch.map(({ name }) => name);
}

/** Lists the same entries, of which names and types alone are sure; of most no more has to be looked up. */
export async function* listEntryTypes(
  containment: Containment,
  path: string,
): AsyncGenerator<readonly DirectoryEntry[], void, undefined> {
  const directory = containment.locateDirectory(path);
  const types = new Map<string, FileInfo>();
  if (!await readTypes(containment, directory, (name, info) => types.set(name, info))) {
    return yield* lookUpAll(containment, path, directory);
  }
  for await (const names of inTurns([...types.keys()].sort())) {
    yield names.map((name) => ({ name, info: types.get(name) ?? OTHER }));
  }
}

async function* inTurns(names: readonly string[]): AsyncGenerator<readonly string[], void, undefined> {
  for (let start = 0; start < names.length; start += BATCH_TYPES) {
    yield names.slice(start, start + BATCH_TYPES);
    await yieldToEventLoop();
  }
}

/**
 * Reads what is listed of a directory.
 *
 * @returns Whether that is sure to be in it, and all of it: another may have been put in its place meanwhile, and of a very large
 * one no more is held than its names, which are read again when a client is slow.
 */
async function readTypes(
  containment: Containment,
  { hostPath, snapshot }: LocatedFile,
  take: (name: string, info: FileInfo) => void,
): Promise<boolean> {
  const prefix = joinHostPath(hostPath, [""], HOST_RULES);
  let count = 0;
  for await (const entry of Deno.readDir(hostPath)) {
    if (++count > MAX_HELD_TYPES) return false;
    const info = typeOf(containment, prefix, entry);
    if (info !== undefined) take(entry.name, info);
  }
  return snapshot.isUnchanged() || (snapshot.state === "unknown" && containment.isInside(hostPath));
}

/** The type of an entry, or all that is known of it; `undefined` where it is not listed. */
function typeOf(
  containment: Containment,
  prefix: string,
  { name, isFile, isDirectory, isSymlink }: Deno.DirEntry,
): FileInfo | undefined {
  // A name with U+FFFD is most likely one that is not UTF-8, which nothing can reach
  if (isSymlink || name.includes("\uFFFD")) return lookUp(containment, prefix, name)?.info;
  if (!containment.isListed(name)) return undefined;
  return isFile ? FILE : isDirectory ? DIRECTORY : OTHER;
}

async function* lookUpAll(
  containment: Containment,
  path: string,
  located: LocatedFile,
): AsyncGenerator<readonly DirectoryEntry[], void, undefined> {
  let directory: LocatedFile | undefined = located;
  // Names first: they take little room, and what is known of each is only held while its batch is sent.
  using names = new HeldNames(async () => await sortedNames(directory?.hostPath ?? located.hostPath));
  for (let rest = await names.take(BATCH_NAMES); rest.length > 0;) {
    const { found, count } = lookUpSome(containment, directory, rest);
    const { entries, isSettled } = containment.containedEntries(directory, found);
    if (entries.length > 0) yield entries.map(({ name, info }) => ({ name, info }));
    await yieldToEventLoop();
    // Folders that were just changed may have come to rest
    if (!isSettled) directory = locateAgain(containment, path);
    if (directory === undefined) return;
    rest = count < rest.length ? rest.slice(count) : await names.take(BATCH_NAMES);
  }
}

/** Looks up the first of some names, for no longer than others may wait. */
function lookUpSome(
  containment: Containment,
  { hostPath, snapshot }: LocatedFile,
  names: readonly string[],
): { readonly found: readonly NamedEntry[]; readonly count: number } {
  const prefix = joinHostPath(hostPath, [""], HOST_RULES);
  const found: NamedEntry[] = [];
  const end = performance.now() + (snapshot.state === "settled" ? MAX_BATCH_MS : MAX_UNSETTLED_BATCH_MS);
  let count = 0;
  for (const name of names) {
    const entry = lookUp(containment, prefix, name);
    if (entry !== undefined) found.push(entry);
    if (++count % ENTRIES_PER_LOOK === 0 && performance.now() >= end) break;
  }
  return { found, count };
}

function locateAgain(containment: Containment, path: string): LocatedFile | undefined {
  try {
    return containment.locateDirectory(path);
  } catch {
    // Removed or moved while it was listed, or somebody exchanges it
    return undefined;
  }
}

/** @param prefix Host path of the directory with the separator behind it. */
function lookUp(containment: Containment, prefix: string, name: string): NamedEntry | undefined {
  if (!containment.isListed(name)) return undefined;
  try {
    const hostPath = prefix + name;
    const own = Deno.lstatSync(hostPath);
    if (!own.isSymlink) return { name, hostPath, own, info: toFileInfo(own) };
    const target = containment.followLink(hostPath);
    if (!containment.contains(target)) return undefined;
    const info = target.info.isDirectory
      ? checkInfo(toLinkInfo(own, containment.virtualPath(target.hostPath))) // a folder on the way may have any name
      : toFileInfo(target.info);
    return { name, hostPath, own, info };
  } catch {
    // Vanished, dangling, escaping, forbidden or not UTF-8: one such entry must not spoil the listing
    return undefined;
  }
}
