/**
 * Keeps a local file system inside its root: symbolic links are followed only while they stay there.
 *
 * The runtime has no way to open a path relative to a directory or to forbid links on the way, so a use is look-up, use,
 * and a second look, all of it synchronous: no other session of the process can come between. Another process that may
 * write inside the root can, by swapping a directory for a link within microseconds. The second look shows it: nothing
 * is reported of a file outside, and its content is neither read nor changed. What cannot be undone, such as a removal, is
 * refused where it looks as if somebody were at it, but a single swap at the right microsecond is not foreseen.
 *
 * @module
 */

import { FileSystemError } from "../filesystem.ts";
import { HOST_RULES, isAllowedName, isPartName, namesWithin, parentHostPath } from "./host_path.ts";
import { PathResolver } from "./path_resolver.ts";
import { type FileIdentity, type HostLocation, isSameFile, type LocatedFile } from "./path_snapshot.ts";

const IS_WINDOWS = Deno.build.os === "windows";

/** How often a question is asked whose answer somebody may change while it is asked. */
const LOOKS = 32;

/** The same for the entries of a directory: how often each of them is looked at, and how often the directory at least. */
const ENTRY_ROUNDS = 5;
const MIN_DIRECTORY_LOOKS = 64;

/** An entry of a directory that was looked at. */
export interface FoundEntry {
  readonly hostPath: string;
  /** What was there, a link or not. */
  readonly own: FileIdentity;
}

/** Finds host paths for virtual paths, and says whether they still lead inside the root. */
export class Containment extends PathResolver {
  /** Returns whether a folder is the root or one of others, or has one below it. */
  includesRoot(hostPath: string, others: ReadonlySet<string>): boolean {
    // Of thousands of roots hardly one begins like that
    const mayHold = (root: string) => HOST_RULES.ignoreCase || root.startsWith(hostPath);
    return hostPath === this.root ||
      others.values().some((root) => mayHold(root) && namesWithin(hostPath, root, HOST_RULES) !== undefined);
  }

  /** Returns whether a name in a directory may be listed. */
  isListed(name: string): boolean {
    return isAllowedName(name, HOST_RULES) && !isPartName(name);
  }

  /**
   * Returns whether a file is still inside the root, so that what is known of it may be used.
   *
   * @param located As found before.
   * @param opened What was opened by its host path since. Default: nothing was.
   */
  contains({ hostPath, info, snapshot }: LocatedFile, opened: FileIdentity = info): boolean {
    const isOpened = opened !== info;
    if ((!isOpened || isSameFile(info, opened)) && snapshot.isUnchanged()) return true;
    return this.isInside(hostPath, isOpened || snapshot.state !== "unknown" ? opened : undefined);
  }

  /** Returns the same of a file that was created by the host path of a location since that was found. */
  containsCreated({ hostPath, snapshot }: HostLocation, created: FileIdentity): boolean {
    return (this.#leadsTo(hostPath, created) && snapshot.isUnchanged()) || this.isInside(hostPath, created);
  }

  /**
   * Returns those entries that are sure to be in a directory: another may have been put in its place while it was read; and
   * whether it was settled all the while.
   */
  containedEntries<Entry extends FoundEntry>(
    directory: LocatedFile,
    found: readonly Entry[],
  ): { readonly entries: readonly Entry[]; readonly isSettled: boolean } {
    const { hostPath, snapshot } = directory;
    if (snapshot.isUnchanged()) return { entries: found, isSettled: true };
    const isSettled = false;
    if (snapshot.state === "unknown") return { entries: this.isInside(hostPath) ? found : [], isSettled };
    return { entries: this.#entriesForNow(directory, found), isSettled };
  }

  /**
   * Refuses to go on where somebody exchanges the folders on the path: before what cannot be undone.
   *
   * @throws {FileSystemError} Kind `"notFound"`.
   */
  assertStable({ hostPath, snapshot }: HostLocation): void {
    if (IS_WINDOWS || snapshot.isUnchanged()) return;
    const parent = parentHostPath(hostPath, HOST_RULES);
    const resolved = this.resolve(parent);
    for (let look = 0; look < LOOKS; look++) {
      if (resolved === undefined || this.resolve(parent) !== resolved) throw unstable();
    }
    // At the very end, since it takes the least time: what happens behind it is not foreseen
    if (!snapshot.isInPlace()) throw unstable();
  }

  /**
   * Returns whether a host path leads inside the root at this moment, and to a file if there has to be one.
   *
   * Whether the path leads inside and whether it leads to the file are two questions to the system, so that somebody who
   * swaps a directory and a link fast enough may have both answered as he likes. They are asked many times in an order
   * nobody can foresee, and he must guess it all.
   */
  isInside(hostPath: string, file?: FileIdentity): boolean {
    if (!this.#leadsInside(hostPath)) return false;
    if (file === undefined) return true;
    if (!this.#leadsTo(hostPath, file)) return false;
    const [order = 0] = crypto.getRandomValues(new Uint32Array(1));
    for (let look = 0; look < LOOKS; look++) {
      const isAsExpected = (order >>> look) % 2 === 0 ? this.#leadsInside(hostPath) : this.#leadsTo(hostPath, file);
      if (!isAsExpected) return false;
    }
    return true;
  }

  /**
   * The entries where a folder above was changed lately, by looks many times in an order that nobody can foresee, see
   * {@linkcode Containment.isInside}: each entry is looked at, and in between the directory, which all of them share.
   */
  #entriesForNow<Entry extends FoundEntry>(
    { hostPath, info, snapshot }: LocatedFile,
    entries: readonly Entry[],
  ): readonly Entry[] {
    const isHeld = () => snapshot.isInPlace() && this.#leadsTo(hostPath, info);
    let left = entries;
    for (let round = 0; round < ENTRY_ROUNDS && left.length > 0; round++) {
      const counts = randomCounts(Math.ceil(MIN_DIRECTORY_LOOKS / ENTRY_ROUNDS), left.length + 1);
      const isAllHeld = (index: number) => {
        for (let look = 0; look < (counts[index] ?? 0); look++) if (!isHeld()) return false;
        return true;
      };
      const there: Entry[] = [];
      for (const [index, entry] of left.entries()) {
        if (!isAllHeld(index)) return [];
        if (this.#leadsTo(entry.hostPath, entry.own)) there.push(entry);
      }
      if (!isAllHeld(left.length)) return [];
      left = there;
    }
    return left;
  }

  /** Returns whether a host path leads to a file, wherever that is. */
  #leadsTo(hostPath: string, file: FileIdentity): boolean {
    try {
      const { ino, dev } = this.inspect(hostPath);
      return ino === null || (ino === file.ino && dev === file.dev);
    } catch {
      // Whatever is wrong with it now, it is not known to be there
      return false;
    }
  }

  #leadsInside(hostPath: string): boolean {
    return this.resolve(hostPath) !== undefined;
  }
}

/** Spreads looks over places, and returns how many are at each. */
function randomCounts(looks: number, places: number): readonly number[] {
  const counts = new Array<number>(places).fill(0);
  for (const value of crypto.getRandomValues(new Uint8Array(looks))) {
    counts[value % places] = (counts[value % places] ?? 0) + 1;
  }
  return counts;
}

function unstable(): FileSystemError {
  return new FileSystemError("notFound", "Cannot follow path: it leads here and there in turn");
}
