/**
 * Directories of the host, listed in the order of their names.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import type { Containment, Place } from "./containment.ts";
import type { DirectoryEntry } from "./filesystem.ts";
import { HOST_RULES, joinHostPath } from "./host_path.ts";
import { toFileInfo } from "./local_file_info.ts";

/** Entries looked up in one go, a millisecond at most on a local disk. */
const BATCH_ENTRIES = 64;

/** How often each entry is looked at where its directory may be exchanged, and how often the directory at least. */
const LEAST_ROUNDS = 4;
const LEAST_LOOKS = 32;

/** A name in a directory. */
interface Found {
  readonly name: string;
  readonly hostPath: string;
  /** What the name itself stands for, a link or not. */
  readonly own: Deno.FileInfo;
  /** The same after links were followed. */
  readonly info: Deno.FileInfo;
}

/** Lists what is in a directory that was found with {@linkcode Containment.locateDirectory}. */
export async function* listEntries(
  containment: Containment,
  directory: Place,
): AsyncGenerator<DirectoryEntry, void, undefined> {
  // Names first: they take little room, and what is known of each is only held while its batch is sent.
  const names = await Array.fromAsync(Deno.readDir(directory.hostPath), ({ name }) => name);
  yield* lookUpAll(containment, directory, names.sort());
}

/** Lists the names of the same entries. */
export async function* listEntryNames(
  containment: Containment,
  directory: Place,
): AsyncGenerator<string, void, undefined> {
  const { hostPath, way } = directory;
  const entries = await Array.fromAsync(Deno.readDir(hostPath));
  const isShown = ({ name, isSymlink }: Deno.DirEntry) =>
    containment.shows(name) && (!isSymlink || lookUp(containment, hostPath, name) !== undefined);
  const names = entries.filter(isShown).map(({ name }) => name).sort();
  if (way.stands() || (way.state === "unknown" && containment.holds(hostPath))) return yield* names;
  for await (const { name } of lookUpAll(containment, directory, names)) yield name;
}

async function* lookUpAll(
  containment: Containment,
  directory: Place,
  names: readonly string[],
): AsyncGenerator<DirectoryEntry, void, undefined> {
  for (let start = 0; start < names.length; start += BATCH_ENTRIES) {
    const found = names.slice(start, start + BATCH_ENTRIES)
      .map((name) => lookUp(containment, directory.hostPath, name))
      .filter((entry) => entry !== undefined);
    for (const { name, info } of inside(containment, directory, found)) yield { name, info: toFileInfo(info) };
    await setImmediate();
  }
}

/** Those entries that are sure to be in the directory: another may have been put in its place while it was read. */
function inside(containment: Containment, { hostPath, way }: Place, entries: readonly Found[]): readonly Found[] {
  if (way.stands()) return entries;
  if (way.state === "unknown") return containment.holds(hostPath) ? entries : [];
  return insideForNow(containment, hostPath, entries);
}

/**
 * The same by looks many times in an order that nobody can foresee, see {@linkcode Containment.holdsFile}: all entries share
 * those at the directory.
 */
function insideForNow(containment: Containment, directory: string, entries: readonly Found[]): readonly Found[] {
  let left = entries;
  const rounds = Math.max(LEAST_ROUNDS, Math.ceil(LEAST_LOOKS / entries.length));
  for (let round = 0; round < rounds && left.length > 0; round++) {
    const order = crypto.getRandomValues(new Uint8Array(left.length));
    let isHeld = true;
    left = left.filter(({ hostPath, own }, index) => {
      const isFirst = (order[index] ?? 0) % 2 === 0;
      if (isFirst) isHeld &&= containment.holds(directory);
      const isThere = containment.leadsTo(hostPath, own);
      if (!isFirst) isHeld &&= containment.holds(directory);
      return isThere;
    });
    if (!isHeld) return [];
  }
  return left;
}

function lookUp(containment: Containment, directory: string, name: string): Found | undefined {
  if (!containment.shows(name)) return undefined;
  try {
    const hostPath = joinHostPath(directory, [name], HOST_RULES);
    const own = Deno.lstatSync(hostPath);
    if (!own.isSymlink) return { name, hostPath, own, info: own };
    const target = containment.followLink(hostPath);
    return containment.isAsFound(target) ? { name, hostPath, own, info: target.info } : undefined;
  } catch {
    // Vanished, dangling, escaping, forbidden or not UTF-8: one such entry must not spoil the listing
    return undefined;
  }
}
