/**
 * Finds host paths for virtual paths: symbolic links are followed only while they stay inside a root.
 *
 * @module
 */

import { FileSystemError } from "../filesystem.ts";
import { FolderMemory } from "./folder_memory.ts";
import { asFileSystemError, onHost } from "./host_error.ts";
import {
  HOST_RULES,
  isAllowedName,
  isPartName,
  joinHostPath,
  namesWithin,
  parentHostPath,
  pathNames,
} from "./host_path.ts";
import {
  type FileIdentity,
  type Folder,
  isSameFile,
  type LocatedEntry,
  type LocatedFile,
  PathSnapshot,
  type RecalledName,
} from "./path_snapshot.ts";

const IS_WINDOWS = Deno.build.os === "windows";

/** A host path and the folders in which its components are; `undefined` where they are not known. */
interface Walk {
  readonly hostPath: string;
  readonly info: Deno.FileInfo;
  readonly folders: readonly Folder[] | undefined;
}

/** Finds what was inside a root when it was looked for. */
export class PathResolver {
  /** Absolute host path, as it was configured. */
  protected readonly root: string;
  #realRoot: string | undefined;
  /** What was there when the root was last resolved. */
  #rootIdentity: FileIdentity | undefined;
  readonly #memory = new FolderMemory();

  /** Takes a root as an absolute host path; it may be a link, which is resolved once, at first use. */
  constructor(root: string) {
    this.root = root;
  }

  /**
   * Finds what a virtual path leads to.
   *
   * @throws {FileSystemError} Kind `"notFound"` also for what is outside the root.
   */
  locate(path: string): LocatedFile {
    const names = this.#names(path);
    const file = located(this.#find(path, names));
    // A link may lead to it from elsewhere
    const isOwnPath = names.length > 0 && file.hostPath === joinHostPath(this.root, names, HOST_RULES);
    if (isOwnPath) {
      this.#memory.remember(folderOf(path), {
        hostPath: parentHostPath(file.hostPath, HOST_RULES),
        snapshot: file.snapshot,
      });
    }
    return file;
  }

  /**
   * Finds what a virtual path leads to in the folder of the last look-up, by one look. The folders above may have changed
   * since: nothing of it is sure, not even that nothing is there, unless the snapshot is unchanged behind its use.
   *
   * @returns `undefined` where it has to be looked up as usual: the last look-up was in another folder, or there is a link.
   */
  recall(path: string): RecalledName | undefined {
    const folder = this.#memory.recall(folderOf(path));
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (folder === undefined || !isAllowedName(name, HOST_RULES) || isPartName(name)) return undefined;
    const hostPath = joinHostPath(folder.hostPath, [name], HOST_RULES);
    const info = infoOrError(hostPath);
    if (info instanceof Deno.errors.NotFound) return { hostPath, info: undefined, snapshot: folder.snapshot };
    return info instanceof Error || info.isSymlink ? undefined : { hostPath, info, snapshot: folder.snapshot };
  }

  /**
   * Finds a directory; the snapshot covers it and the folders above it.
   *
   * @throws {FileSystemError} Kind `"notFound"` also for what is outside the root, `"notDirectory"`.
   */
  locateDirectory(path: string): LocatedFile {
    const { hostPath, info, folders } = this.#find(path, this.#names(path));
    if (!info.isDirectory) throw new FileSystemError("notDirectory", `Cannot use "${path}": it is no directory`);
    return { hostPath, info, snapshot: new PathSnapshot(folders) };
  }

  /**
   * Finds the name that a virtual path ends in; only links in the middle are followed.
   *
   * A link that leads outside is treated like one that leads nowhere, whether or not there is something outside.
   *
   * @throws {FileSystemError} Kind `"permissionDenied"` for the root, which has no name.
   */
  locateEntry(path: string): LocatedEntry {
    const names = this.#names(path);
    const name = names.pop();
    if (name === undefined) throw new FileSystemError("permissionDenied", "Cannot change the root");
    const parent = this.#find(path, names);
    const hostPath = joinHostPath(parent.hostPath, [name], HOST_RULES);
    const snapshot = new PathSnapshot(parent.folders);
    if (parent.hostPath === joinHostPath(this.root, names, HOST_RULES)) {
      this.#memory.remember(folderOf(path), { hostPath: parent.hostPath, snapshot });
    }
    const info = onHost(path, () => lstatIfThere(hostPath));
    if (info === undefined) return { hostPath, info, target: undefined, snapshot };
    if (!info.isSymlink) return { hostPath, info, target: { hostPath, info, snapshot }, snapshot };
    return { hostPath, info, target: this.#locateIfThere(path), snapshot };
  }

  /**
   * Finds what a link leads to.
   *
   * @param hostPath Of the link, as found before.
   * @throws {FileSystemError} Kind `"notFound"` when that is outside the root.
   */
  followLink(hostPath: string): LocatedFile {
    return located(this.#walkTo(this.#follow(hostPath)));
  }

  /** The virtual path of a host path that was found without a link. */
  virtualPath(hostPath: string): string {
    return `/${(namesWithin(this.root, hostPath, HOST_RULES) ?? []).join("/")}`;
  }

  #locateIfThere(path: string): LocatedFile | undefined {
    try {
      return this.locate(path);
    } catch {
      // Whatever is wrong with it: an error of its own would reveal what is outside
      return undefined;
    }
  }

  #names(path: string): string[] {
    const names = pathNames(path, HOST_RULES);
    if (!names.some(isPartName)) return names;
    throw new FileSystemError("invalidName", `Cannot use path "${path}": its name is that of an upload that runs`);
  }

  /** Looks at a host path without a link; `isSymlink` when one was put there meanwhile. */
  protected inspect(hostPath: string): Deno.FileInfo {
    return hostPath === this.root ? Deno.statSync(hostPath) : Deno.lstatSync(hostPath);
  }

  #find(path: string, names: readonly string[]): Walk {
    const walk = this.#walk(names);
    if (walk !== undefined) return walk;
    try {
      const lexical = joinHostPath(this.root, names, HOST_RULES);
      const hostPath = this.#follow(lexical);
      if (hostPath !== lexical) this.#followEach(names);
      return this.#walkTo(hostPath);
    } catch (error) {
      throw this.#refusal(names, asFileSystemError(error, path));
    }
  }

  /** Steps through folders from the root on; `undefined` where there is a link, or anything is not as it should be. */
  #walk(names: readonly string[]): Walk | undefined {
    if (IS_WINDOWS) return undefined;
    try {
      let hostPath = this.root;
      let info = Deno.statSync(hostPath);
      if (!this.#isRoot(info)) return undefined;
      const folders: Folder[] = [];
      for (const name of names) {
        if (!info.isDirectory) return undefined;
        folders.push({ hostPath, info });
        hostPath = joinHostPath(hostPath, [name], HOST_RULES);
        info = Deno.lstatSync(hostPath);
      }
      return info.isSymlink ? undefined : { hostPath, info, folders };
    } catch {
      // The system reports once more what it is, where its links are followed
      return undefined;
    }
  }

  /** Steps to a host path that was found without a link. */
  #walkTo(hostPath: string): Walk {
    const walk = this.#walk(namesWithin(this.root, hostPath, HOST_RULES) ?? []);
    if (walk !== undefined) return walk;
    const info = this.inspect(hostPath);
    if (info.isSymlink) throw new FileSystemError("notFound", "Cannot follow path: it was a link a moment later");
    return { hostPath, info, folders: undefined };
  }

  /** Returns whether what is at the root is still what was found there; another folder in its place is, too. */
  #isRoot(info: Deno.FileInfo): boolean {
    if (this.#rootIdentity !== undefined && isSameFile(this.#rootIdentity, info)) return true;
    const real = Deno.realPathSync(this.root);
    this.#realRoot ??= real;
    if (real !== this.#realRoot) return false;
    this.#rootIdentity = info;
    return true;
  }

  /**
   * Follows the links in a host path below the root.
   *
   * The path returned begins with the root as it was configured, since that is what the runtime's permissions name.
   *
   * @throws {FileSystemError} Kind `"notFound"` when it leads outside.
   */
  #follow(hostPath: string): string {
    this.#realRoot ??= Deno.realPathSync(this.root);
    const names = namesWithin(this.#realRoot, Deno.realPathSync(hostPath), HOST_RULES);
    if (names === undefined) throw new FileSystemError("notFound", "Cannot follow path: it leads outside the root");
    return joinHostPath(this.root, names, HOST_RULES);
  }

  /** The same of a path of which anything may be wrong. */
  protected resolve(hostPath: string): string | undefined {
    try {
      return this.#follow(hostPath);
    } catch {
      // Whatever is wrong with the path now, it is not known to lead inside
      return undefined;
    }
  }

  /** Refuses a path that leaves the root by a link on the way, also where it comes back. */
  #followEach(names: readonly string[]): void {
    for (let depth = 1; depth < names.length; depth++) {
      this.#follow(joinHostPath(this.root, names.slice(0, depth), HOST_RULES));
    }
  }

  /** The error of a path, which reveals nothing about what a link leads to. */
  #refusal(names: readonly string[], error: unknown): unknown {
    for (let depth = 1; depth <= names.length; depth++) {
      const info = infoOrError(joinHostPath(this.root, names.slice(0, depth), HOST_RULES));
      if (info instanceof Error) return error;
      if (info.isSymlink) {
        return new FileSystemError("notFound", "Cannot follow path: a link on the way", { cause: error });
      }
    }
    return error;
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function located({ hostPath, info, folders }: Walk): LocatedFile {
  return { hostPath, info, snapshot: new PathSnapshot(folders?.slice(0, -1)) };
}

function infoOrError(hostPath: string): Deno.FileInfo | Error {
  try {
    return Deno.lstatSync(hostPath);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** Looks at a host path, a link itself. */
export function lstatIfThere(hostPath: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(hostPath);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
