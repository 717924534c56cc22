/**
 * The folders above a file, and whether they have stayed the same while it was used.
 *
 * A system notes when the entries of a folder were last changed (`st_ctime`), and nobody can set that time back. A folder
 * for which it was some seconds ago, and is the same after a use, had the same entries all the while: what was a folder in
 * it was no link in between. The runtime has the time in whole seconds.
 *
 * @module
 */

const IS_WINDOWS = Deno.build.os === "windows";

/** How long ago the last change must have been for the next one to show: a second, and another for a clock that is behind. */
const SETTLED_AFTER_MS = 2000;

/** What distinguishes one file of a host from another. */
export interface FileIdentity {
  /** Device. */
  readonly dev: number;
  /** Number on the device; `null` where the system does not say. */
  readonly ino: number | null;
}

/** A folder that was stepped through. */
export interface Folder {
  /** Host path. */
  readonly hostPath: string;
  /** Attributes then. */
  readonly info: Deno.FileInfo;
}

/**
 * What is known of the folders of a snapshot:
 * - `settled`: its folders were not changed lately, so that a change will show;
 * - `changing`: one was, or is on another device, which may keep its times as it likes;
 * - `unknown`: the system, which is Windows, does not say.
 */
export type SnapshotState = "settled" | "changing" | "unknown";

/** The folders above a file as they were at one moment. */
export class PathSnapshot {
  /** What is known of them. */
  readonly state: SnapshotState;
  readonly #folders: readonly Folder[] | undefined;

  /** Remembers folders, of which the first is the root; `undefined` where they could not be stepped through. */
  constructor(folders: readonly Folder[] | undefined) {
    this.state = IS_WINDOWS ? "unknown" : isSettled(folders) ? "settled" : "changing";
    this.#folders = folders;
  }

  /** Whether there is no folder, so that there is nothing to prove. */
  get isEmpty(): boolean {
    return this.#folders?.length === 0;
  }

  /** Returns whether each folder is sure to have had the same entries ever since. */
  isUnchanged(): boolean {
    return this.state === "settled" && this.#folders?.every(isUnchanged) === true;
  }

  /** Returns whether each folder is where it was, at this moment: it may have been elsewhere in between. */
  isInPlace(): boolean {
    return this.#folders?.slice(1).every(isInPlace) === true;
  }
}

/** A host path inside the root, whether something is there or not. */
export interface HostLocation {
  /** Host path with no link in it but perhaps for the last component. */
  readonly hostPath: string;
  /** Of the folders above it. */
  readonly snapshot: PathSnapshot;
}

/** Something inside the root that is no link. */
export interface LocatedFile extends HostLocation {
  /** What was there. */
  readonly info: Deno.FileInfo;
}

/** A name that was found by the folder of the last look-up; see {@linkcode HostLocation}. */
export interface RecalledName extends HostLocation {
  /** What was there, no link; `undefined` for nothing. */
  readonly info: Deno.FileInfo | undefined;
}

/** A name inside the root and what it refers to. */
export interface LocatedEntry extends HostLocation {
  /** What is there, a link itself; `undefined` for nothing. */
  readonly info: Deno.FileInfo | undefined;
  /** What is there after links were followed; `undefined` for nothing, and for a link that leads nowhere or outside. */
  readonly target: LocatedFile | undefined;
}

/** Returns whether two are sure to be the same file. */
export function isSameFile(one: FileIdentity, other: FileIdentity): boolean {
  return Boolean(one.ino) && one.ino === other.ino && one.dev === other.dev;
}

/** Returns whether two are sure to be different files; on Windows nothing is. */
export function isOtherFile(one: FileIdentity, other: FileIdentity): boolean {
  return Boolean(one.ino && other.ino) && !isSameFile(one, other);
}

/** Identifies a file among all of the host, where the system can. */
export function unique({ dev, ino }: FileIdentity): string | undefined {
  return !ino ? undefined : `${dev.toString(16)}g${ino.toString(16)}`;
}

function isSettled(folders: readonly Folder[] | undefined): boolean {
  if (folders === undefined) return false;
  const latest = Date.now() - SETTLED_AFTER_MS;
  const [root] = folders;
  return folders.every(({ info: { ino, dev, ctime } }) =>
    Boolean(ino) && dev === root?.info.dev && ctime !== null && ctime.getTime() <= latest
  );
}

function isUnchanged({ hostPath, info }: Folder, index: number): boolean {
  try {
    // The root alone may be a link, that of the operator.
    const { ino, dev, ctime } = index === 0 ? Deno.statSync(hostPath) : Deno.lstatSync(hostPath);
    return ino === info.ino && dev === info.dev && ctime?.getTime() === info.ctime?.getTime();
  } catch {
    // Whatever is wrong with it now, it is not as it was
    return false;
  }
}

function isInPlace({ hostPath, info }: Folder): boolean {
  try {
    return isSameFile(Deno.lstatSync(hostPath), info);
  } catch {
    // As above
    return false;
  }
}
