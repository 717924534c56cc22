/**
 * Keeps a local file system inside its root: symbolic links are followed only while they stay there.
 *
 * The runtime has no way to open a path relative to a directory or to forbid links on the way, so a use is look-up, use,
 * and look-up again, all of it synchronous: no other session of the process can come between. Another process that may
 * write inside the root can: by swapping a directory for a link within microseconds it cannot get at the content of a
 * file outside, but it may have one removed, renamed or its attributes changed, or an empty one created.
 *
 * @module
 */

import { FileSystemError } from "./filesystem_error.ts";
import { asFileSystemError, onHost } from "./host_error.ts";
import { joinHostPath, namesWithin, pathNames, type PathRules, POSIX_RULES, WINDOWS_RULES } from "./host_path.ts";

/** What tells one file of a host from another. */
export interface FileIdentity {
  /** Device. */
  readonly dev: number;
  /** Number on the device; `null` where the system does not say. */
  readonly ino: number | null;
}

/** A name inside the root and what it stands for. */
export interface HostEntry {
  /** Host path with no link in it but for the last component. */
  readonly hostPath: string;
  /** What is there, a link itself; `undefined` for nothing. */
  readonly info: Deno.FileInfo | undefined;
  /** What is there after links were followed; `undefined` for nothing and for a dangling link. */
  readonly target: Deno.FileInfo | undefined;
}

/** Finds host paths for virtual paths, none of them outside the root. */
export class Containment {
  /** Rules of the system this runs on. */
  readonly rules: PathRules = Deno.build.os === "windows" ? WINDOWS_RULES : POSIX_RULES;
  readonly #root: string;
  #realRoot: string | undefined;

  /** Guards a root given as an absolute host path; it may be a link, which is resolved once, at first use. */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Finds what a virtual path leads to.
   *
   * @returns Host path with no link in it.
   * @throws {FileSystemError} Kind `"notFound"` also for what is outside the root.
   */
  locate(path: string): string {
    return this.#locateNames(path, pathNames(path, this.rules));
  }

  /**
   * Finds the name that a virtual path ends in; only links in the middle are followed.
   *
   * @throws {FileSystemError} Kind `"permissionDenied"` for the root, which has no name, `"notFound"` for a link that leads
   * outside.
   */
  locateEntry(path: string): HostEntry {
    const names = pathNames(path, this.rules);
    const name = names.pop();
    if (name === undefined) throw new FileSystemError("permissionDenied", "Cannot change the root");
    const hostPath = joinHostPath(this.#locateNames(path, names), [name], this.rules);
    const info = onHost(path, () => lstatIfThere(hostPath));
    if (!info?.isSymlink) return { hostPath, info, target: info };
    if (isDangling(hostPath)) return { hostPath, info, target: undefined };
    return { hostPath, info, target: onHost(path, () => this.inspect(this.locate(path))) };
  }

  /**
   * Follows the links in a host path below the root.
   *
   * The path given back begins with the root as it was configured, since that is what the runtime's permissions name.
   *
   * @throws {FileSystemError} Kind `"notFound"` when it leads outside.
   */
  follow(hostPath: string): string {
    this.#realRoot ??= Deno.realPathSync(this.#root);
    const names = namesWithin(this.#realRoot, Deno.realPathSync(hostPath), this.rules);
    if (names === undefined) throw new FileSystemError("notFound", "Cannot follow path: it leads outside the root");
    return joinHostPath(this.#root, names, this.rules);
  }

  /** Looks at a host path found before; `isSymlink` when a link was put there meanwhile. */
  inspect(hostPath: string): Deno.FileInfo {
    return hostPath === this.#root ? Deno.statSync(hostPath) : Deno.lstatSync(hostPath);
  }

  /** Tells whether a host path found before still leads inside. */
  holds(hostPath: string): boolean {
    try {
      this.follow(hostPath);
      return true;
    } catch {
      // Whatever is wrong with the path now, it is not known to lead inside
      return false;
    }
  }

  /**
   * Tells whether a file that was opened by a host path is the one there, inside the root.
   *
   * Whether the path leads inside and whether it leads to the file are two questions to the system, so that somebody who
   * swaps a directory and a link fast enough may have both answered as he likes. They are asked many times in an order
   * nobody can foresee, and he must guess it all.
   */
  holdsFile(hostPath: string, file: FileIdentity): boolean {
    if (!this.holds(hostPath) || !this.#isAt(hostPath, file)) return false;
    const [order = 0] = crypto.getRandomValues(new Uint32Array(1));
    for (let look = 0; look < 32; look++) {
      const isAsExpected = (order >>> look) % 2 === 0 ? this.holds(hostPath) : this.#isAt(hostPath, file);
      if (!isAsExpected) return false;
    }
    return true;
  }

  #isAt(hostPath: string, file: FileIdentity): boolean {
    try {
      const { ino, dev } = this.inspect(hostPath);
      return ino === null || (ino === file.ino && dev === file.dev);
    } catch {
      // As above
      return false;
    }
  }

  #locateNames(path: string, names: readonly string[]): string {
    try {
      const lexical = joinHostPath(this.#root, names, this.rules);
      const hostPath = this.follow(lexical);
      if (hostPath !== lexical) this.#followEach(names);
      return hostPath;
    } catch (error) {
      throw this.#refusal(names, asFileSystemError(error, path));
    }
  }

  /** Refuses a path that leaves the root by a link on the way, also where it comes back. */
  #followEach(names: readonly string[]): void {
    for (let depth = 1; depth < names.length; depth++) {
      this.follow(joinHostPath(this.#root, names.slice(0, depth), this.rules));
    }
  }

  /** Tells what is wrong with a path, without telling anything about what a link leads to. */
  #refusal(names: readonly string[], error: unknown): unknown {
    for (let depth = 1; depth <= names.length; depth++) {
      const info = infoOrError(joinHostPath(this.#root, names.slice(0, depth), this.rules));
      if (info instanceof Error) return error;
      if (info.isSymlink) {
        return new FileSystemError("notFound", "Cannot follow path: a link on the way", { cause: error });
      }
    }
    return error;
  }
}

function infoOrError(hostPath: string): Deno.FileInfo | Error {
  try {
    return Deno.lstatSync(hostPath);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function lstatIfThere(hostPath: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(hostPath);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isDangling(hostPath: string): boolean {
  try {
    Deno.realPathSync(hostPath);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop;
  }
}
