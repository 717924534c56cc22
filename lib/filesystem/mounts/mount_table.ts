/**
 * Which file system has a path, where several are under one root. Pure text: nothing here looks into a file system.
 *
 * @module
 */

import { baseName, hasForbiddenCharacter, parentPath, resolvePathname } from "../../protocol/pathname.ts";
import type { FileSystem } from "../filesystem.ts";

/** A file system, and where it is under the root. */
export interface Mount {
  /** Virtual path of the directory that stands for the file system's root: absolute, normalised, and not `/`. */
  readonly path: string;
  /** What is there. */
  readonly fileSystem: FileSystem;
  /** Whether nothing may be changed there, whatever else says that it may. @default {false} */
  readonly readOnly?: boolean;
}

/** A file system in its place. The root is one, too. */
export interface Place {
  /** Virtual path of its root: `/`, or the mount point. */
  readonly path: string;
  readonly fileSystem: FileSystem;
  /** What distinguishes its files from those of the others: the same for two places with the same file system. */
  readonly mark: string;
}

/** What is at a path. */
export interface Located {
  readonly place: Place;
  /** The path as the file system of the place knows it. */
  readonly inner: string;
}

/** The mounts under one root; the deepest that contains a path has it. */
export class MountTable {
  /** The root first. */
  readonly places: readonly Place[];
  readonly #places = new Map<string, Place>();
  /** Names of mount points, and of the directories that lead to them, by the directory that they are in. */
  readonly #names = new Map<string, readonly string[]>();

  /**
   * Takes the mounts.
   *
   * @throws {SyntaxError} When the path of a mount is not absolute and normalised, or is the root.
   * @throws {TypeError} When two mounts have the same path.
   */
  constructor(root: FileSystem, mounts: readonly Mount[]) {
    const marks = new Map<FileSystem, string>([[root, "0"]]);
    this.#places.set("/", { path: "/", fileSystem: root, mark: "0" });
    for (const { path, fileSystem } of mounts) {
      this.#assertUsable(path);
      const mark = marks.get(fileSystem) ?? String(marks.size);
      marks.set(fileSystem, mark);
      this.#places.set(path, { path, fileSystem, mark });
      for (let at = path; at !== "/"; at = parentPath(at)) this.#addName(parentPath(at), baseName(at));
    }
    this.places = [...this.#places.values()];
  }

  /** Finds the place of a path, and the path in it. */
  locate(path: string): Located {
    // No path ends with a slash; the root's file system refuses one that does
    for (let at = path; at !== "/" && !path.endsWith("/"); at = parentPath(at)) {
      const place = this.#places.get(at);
      if (place !== undefined) return { place, inner: path.slice(at.length) || "/" };
    }
    return { place: this.places[0] as Place, inner: path };
  }

  /** Returns whether a path is the root, a mount point or a directory that leads to one: none of them can be taken away. */
  isFixed(path: string): boolean {
    return path === "/" || this.isMountPoint(path) || this.leadsToMount(path);
  }

  /** Returns whether a path is a mount point. */
  isMountPoint(path: string): boolean {
    return path !== "/" && this.#places.has(path);
  }

  /** Returns whether a mount point is below a path, so that it is a directory, whatever is there. */
  leadsToMount(path: string): boolean {
    return this.#names.has(path);
  }

  /** The names in a directory that are mount points or lead to one, sorted by UTF-16 code units. */
  namesIn(directory: string): readonly string[] {
    return this.#names.get(directory) ?? [];
  }

  #assertUsable(path: string): void {
    if (path === "/" || hasForbiddenCharacter(path) || resolvePathname("/", path) !== path) {
      throw new SyntaxError(
        `Cannot mount at ${
          JSON.stringify(path)
        }: it must be absolute, without ".", ".." and final "/", and not the root`,
      );
    }
    if (this.#places.has(path)) throw new TypeError(`Cannot mount at ${JSON.stringify(path)} twice`);
  }

  #addName(directory: string, name: string): void {
    const names = this.namesIn(directory);
    if (!names.includes(name)) this.#names.set(directory, [...names, name].sort());
  }
}

/** Returns the path under the root of what a file system has at a path. */
export function outerPath({ path }: Place, inner: string): string {
  if (path === "/") return inner;
  return inner === "/" ? path : `${path}${inner}`;
}
