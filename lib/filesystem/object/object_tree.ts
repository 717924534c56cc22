/**
 * What is where in a bucket: files, directories, and what is neither.
 *
 * An object and objects below its name can be there at once, since S3 has no directories. Then the file is what has the name.
 *
 * @module
 */

import { joinPathname, parentPath } from "../../protocol/pathname.ts";
import { type CallOptions, FileSystemError } from "../filesystem.ts";
import { pathNames, POSIX_RULES } from "../local/host_path.ts";
import type { ObjectKeys } from "./object_keys.ts";
import type { ObjectInfo, ObjectStore } from "./object_store.ts";

/** How many directories above a path are looked at to say why nothing is there. */
const MAX_ANCESTORS = 8;

/** What a path leads to. */
export type Node =
  | { readonly type: "file"; readonly key: string; readonly info: ObjectInfo }
  | { readonly type: "directory"; readonly key: string };

/** Looks at what is where. */
export class ObjectTree {
  readonly keys: ObjectKeys;
  readonly #store: ObjectStore;

  constructor(store: ObjectStore, keys: ObjectKeys) {
    this.#store = store;
    this.keys = keys;
  }

  /** What is at a path, if anything is: one HEAD beside one LIST of one key. */
  async find(path: string, options: CallOptions): Promise<Node | undefined> {
    if (path === "/") return { type: "directory", key: this.keys.root };
    const key = this.keys.ofFile(path);
    const [info, isDirectory] = await both(
      this.#store.head(key, options),
      this.hasKeys(`${key}/`, options),
    );
    if (info !== undefined) return { type: "file", key, info };
    return isDirectory ? { type: "directory", key: `${key}/` } : undefined;
  }

  /**
   * What is at a path.
   *
   * @throws {FileSystemError} Kind `"notFound"`, or `"notDirectory"` for a path through a file.
   */
  async get(path: string, options: CallOptions): Promise<Node> {
    return await this.find(path, options) ?? await this.explain(path, options);
  }

  /**
   * The file at a path, by one HEAD where there is one.
   *
   * @throws {FileSystemError} Also kind `"isDirectory"`.
   */
  async getFile(path: string, options: CallOptions): Promise<{ readonly key: string; readonly info: ObjectInfo }> {
    if (path === "/") throw isDirectory(path);
    const key = this.keys.ofFile(path);
    const info = await this.#store.head(key, options);
    if (info !== undefined) return { key, info };
    if (await this.hasKeys(`${key}/`, options)) throw isDirectory(path);
    return await this.explain(path, options);
  }

  /**
   * What is at a path in a directory, which has to exist.
   *
   * @throws {FileSystemError} Kind `"permissionDenied"` for the root, `"notFound"` or `"notDirectory"` for what is in no directory.
   */
  async findIn(path: string, options: CallOptions): Promise<{ readonly key: string; readonly node: Node | undefined }> {
    if (path === "/") throw new FileSystemError("permissionDenied", "Cannot change the root");
    const key = this.keys.ofFile(path);
    const parent = parentPath(path);
    const [node, hasParent] = await both(
      this.find(path, options),
      this.#hasDirectory(parent, options),
    );
    // What is below the name of a file keeps others from nothing, as long as it is no directory to begin with
    if (node === undefined && !hasParent) await this.explain(path, options);
    return { key, node };
  }

  async #hasDirectory(path: string, options: CallOptions): Promise<boolean> {
    return path === "/" || await this.hasKeys(this.keys.ofDirectory(path), options);
  }

  /** Returns whether a key begins so. */
  async hasKeys(prefix: string, options: CallOptions): Promise<boolean> {
    const { objects, prefixes } = await this.#store.list({ prefix, limit: 1, signal: options.signal });
    return objects.length + prefixes.length > 0;
  }

  /** Lets a directory stay that the last object has left. */
  async keepDirectory(path: string, options: CallOptions): Promise<void> {
    if (await this.#hasDirectory(path, options)) return;
    await this.#store.put(this.keys.ofDirectory(path), [], options);
  }

  /**
   * Says why nothing is at a path.
   *
   * @throws {FileSystemError} Always: kind `"notDirectory"` when it leads through a file, `"notFound"` otherwise.
   */
  async explain(path: string, options: CallOptions): Promise<never> {
    const above = pathNames(path, POSIX_RULES).slice(0, -1);
    const directories = above.map((_, index) => joinPathname("/", above.slice(0, index + 1).join("/")));
    const infos = await Promise.all(
      directories.slice(-MAX_ANCESTORS).map((directory) => this.#store.head(this.keys.ofFile(directory), options)),
    );
    if (infos.every((info) => info === undefined)) throw new FileSystemError("notFound", `Cannot find "${path}"`);
    throw new FileSystemError("notDirectory", `Cannot use "${path}": a file is where a directory is needed`);
  }
}

/** The refusal of a directory where a file is needed. */
export function isDirectory(path: string): FileSystemError {
  return new FileSystemError("isDirectory", `Cannot use directory "${path}" as a file`);
}

/** Waits for both, also where one has failed, so that nothing is under way behind it. */
export async function both<One, Other>(one: Promise<One>, other: Promise<Other>): Promise<[One, Other]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}
