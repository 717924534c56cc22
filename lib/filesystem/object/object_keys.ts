/**
 * How virtual paths and keys of a bucket map to each other.
 *
 * The key of a file is its path behind the prefix of the store. A directory is what keys have before a `/`; one that is empty is
 * an object of no bytes whose key ends with `/`. S3 knows neither.
 *
 * @module
 */

import { hasForbiddenCharacter } from "../../protocol/pathname.ts";
import { FileSystemError } from "../filesystem.ts";
import { pathNames, POSIX_RULES } from "../local/host_path.ts";

/** Most bytes of a key in UTF-8 (S3). */
const MAX_KEY_BYTES = 1024;

/** What the names of objects begin with that are put to learn what a store can do. No listing has them. */
export const PROBE_NAME = ".ftpsd-probe-";

/** Keys below a root. */
export class ObjectKeys {
  /** Beginning of all keys; empty, or ends with `/`. */
  readonly root: string;

  /**
   * @param prefix That of the store.
   * @param path Virtual path of the root below it, from `/` on.
   * @throws {FileSystemError} Kind `"invalidName"` for a root that cannot be a key, `"notFound"` for one that is not normalised.
   */
  constructor(prefix: string, path: string) {
    this.root = prefix;
    this.root = this.ofDirectory(path);
  }

  /**
   * Key of a file.
   *
   * @throws {FileSystemError} Kind `"invalidName"` for what cannot be a key, `"notFound"` for a path that is not normalised.
   */
  ofFile(path: string): string {
    const key = this.root + pathNames(path, POSIX_RULES).join("/");
    // What is no Unicode would become the key of another file
    if (!key.isWellFormed()) throw new FileSystemError("invalidName", "Cannot use a name that is no Unicode as a key");
    if (new TextEncoder().encode(key).length < MAX_KEY_BYTES) return key; // less: as a directory it has one more
    throw new FileSystemError("invalidName", `Cannot use a key of more than ${MAX_KEY_BYTES - 1} bytes: "${key}"`);
  }

  /** What keys below a directory begin with, and the key of its marker. */
  ofDirectory(path: string): string {
    return path === "/" ? this.root : `${this.ofFile(path)}/`;
  }
}

/** What a key names in the listing of the directory whose keys begin with `prefix`; `undefined` for what has no name there. */
export function nameIn(prefix: string, key: string): string | undefined {
  const name = key.slice(prefix.length, key.endsWith("/") ? -1 : undefined);
  const isName = name !== "" && name !== "." && name !== ".." && !name.includes("/") && !hasForbiddenCharacter(name);
  return isName && !name.startsWith(PROBE_NAME) ? name : undefined;
}
