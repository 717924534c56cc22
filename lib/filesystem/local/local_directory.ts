/**
 * Directories of the host, listed in the order of their names, and the attributes of what is in them.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import type { Containment, FoundEntry } from "./containment.ts";
import { type LocatedFile, unique } from "./path_snapshot.ts";
import { modeBits } from "../../mode_bits.ts";
import type { DirectoryEntry, FileInfo } from "../filesystem.ts";
import { HeldNames } from "../write_claims.ts";
import { HOST_RULES, joinHostPath } from "./host_path.ts";

/** Entries looked up in one go, a millisecond at most on a local disk. */
const BATCH_ENTRIES = 64;

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
    for (const { name, info } of containment.containedEntries(directory, found)) yield { name, info };
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

function lookUp(containment: Containment, directory: string, name: string): NamedEntry | undefined {
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
