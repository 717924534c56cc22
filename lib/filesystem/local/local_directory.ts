/**
 * Directories of the host, listed in the order of their names, and the attributes of what is in them.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import type { Containment, LocatedFile } from "./containment.ts";
import { modeBits } from "../../mode_bits.ts";
import type { DirectoryEntry, FileInfo } from "../filesystem.ts";
import { HeldNames } from "../held_names.ts";
import { HOST_RULES, joinHostPath } from "./host_path.ts";
import { unique } from "./path_snapshot.ts";

/** Entries looked up in one go, a millisecond at most on a local disk. */
const BATCH_ENTRIES = 64;

/** Where a directory may be exchanged: how often each entry is looked at, and how often the directory at least. */
const ROUNDS = 5;
const MIN_LOOKS = 64;

/** A name in a directory. */
interface Found {
  readonly name: string;
  readonly hostPath: string;
  /** What has the name, a link or not. */
  readonly own: Deno.FileInfo;
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
): AsyncGenerator<DirectoryEntry, void, undefined> {
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
): AsyncGenerator<string, void, undefined> {
  const directory = containment.locateDirectory(path);
  const { hostPath, snapshot } = directory;
  const entries = await Array.fromAsync(Deno.readDir(hostPath));
  // A name with U+FFFD is most likely one that is not UTF-8, which nothing can reach
  const isShown = ({ name, isSymlink }: Deno.DirEntry) =>
    isSymlink || name.includes("\uFFFD")
      ? lookUp(containment, hostPath, name) !== undefined
      : containment.isListed(name);
  const names = entries.filter(isShown).map(({ name }) => name).sort().filter(isFirst);
  if (snapshot.isUnchanged() || (snapshot.state === "unknown" && containment.isInside(hostPath))) return yield* names;
  for await (const { name } of lookUpAll(containment, path, directory)) yield name;
}

async function* lookUpAll(
  containment: Containment,
  path: string,
  located: LocatedFile,
): AsyncGenerator<DirectoryEntry, void, undefined> {
  let directory: LocatedFile | undefined = located;
  // Names first: they take little room, and what is known of each is only held while its batch is sent.
  using names = new HeldNames(async () => await sortedNames(directory?.hostPath ?? located.hostPath));
  for (let batch = await names.take(BATCH_ENTRIES); batch.length > 0;) {
    const { hostPath } = directory;
    const found = batch.map((name) => lookUp(containment, hostPath, name)).filter((entry) => entry !== undefined);
    for (const { name, info } of inside(containment, directory, found)) yield { name, info };
    await setImmediate();
    // Folders that were just changed may have come to rest
    if (!directory.snapshot.isUnchanged()) directory = locateAgain(containment, path);
    if (directory === undefined) return;
    batch = await names.take(BATCH_ENTRIES);
  }
}

function locateAgain(containment: Containment, path: string): LocatedFile | undefined {
  try {
    return containment.locateDirectory(path);
  } catch {
    // Removed or moved while it was listed, or somebody exchanges it
    return undefined;
  }
}

/** Those entries that are sure to be in the directory: another may have been put in its place while it was read. */
function inside(containment: Containment, directory: LocatedFile, entries: readonly Found[]): readonly Found[] {
  const { hostPath, snapshot } = directory;
  if (snapshot.isUnchanged()) return entries;
  if (snapshot.state === "unknown") return containment.isInside(hostPath) ? entries : [];
  return insideForNow(containment, directory, entries);
}

/**
 * The same where a folder above was changed lately, by looks many times in an order that nobody can foresee, see
 * {@linkcode Containment.isInside}: each entry is looked at, and in between the directory, which all of them share.
 */
function insideForNow(containment: Containment, directory: LocatedFile, entries: readonly Found[]): readonly Found[] {
  const { hostPath, info, snapshot } = directory;
  const isHeld = () => snapshot.isInPlace() && containment.leadsTo(hostPath, info);
  const looks = Math.ceil(MIN_LOOKS / ROUNDS);
  let left = entries;
  for (let round = 0; round < ROUNDS && left.length > 0; round++) {
    const counts = randomCounts(looks, left.length + 1);
    const isAllHeld = (index: number) => {
      for (let look = 0; look < (counts[index] ?? 0); look++) if (!isHeld()) return false;
      return true;
    };
    const there: Found[] = [];
    for (const [index, entry] of left.entries()) {
      if (!isAllHeld(index)) return [];
      if (containment.leadsTo(entry.hostPath, entry.own)) there.push(entry);
    }
    if (!isAllHeld(left.length)) return [];
    left = there;
  }
  return left;
}

/** Spreads looks over places, and returns how many are at each. */
function randomCounts(looks: number, places: number): readonly number[] {
  const counts = new Array<number>(places).fill(0);
  for (const value of crypto.getRandomValues(new Uint8Array(looks))) {
    counts[value % places] = (counts[value % places] ?? 0) + 1;
  }
  return counts;
}

function lookUp(containment: Containment, directory: string, name: string): Found | undefined {
  if (!containment.isListed(name)) return undefined;
  try {
    const hostPath = joinHostPath(directory, [name], HOST_RULES);
    const own = Deno.lstatSync(hostPath);
    if (!own.isSymlink) return { name, hostPath, own, info: toFileInfo(own) };
    const target = containment.followLink(hostPath);
    if (!containment.contains(target)) return undefined;
    const info = target.info.isDirectory
      ? toLinkInfo(own, containment.virtualPath(target.hostPath))
      : toFileInfo(target.info);
    return { name, hostPath, own, info };
  } catch {
    // Vanished, dangling, escaping, forbidden or not UTF-8: one such entry must not spoil the listing
    return undefined;
  }
}
