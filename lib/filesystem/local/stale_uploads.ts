/**
 * Files that a server left under the name of a running upload, since it was killed or the machine went down, and what else
 * keeps a directory though nobody sees it.
 *
 * @module
 */

import type { Containment } from "./containment.ts";
import { type HostLocation, unique } from "./path_snapshot.ts";
import type { FileClaims } from "../file_claims.ts";
import { removeIfSame } from "./open_file.ts";
import { HOST_RULES, isPartName, joinHostPath } from "./host_path.ts";
import { joinPathname } from "../../protocol/pathname.ts";

/** What was written to later may be an upload of another server on the same folder. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;
/** Nothing can have become a stale upload of that age before. */
const CLEAN_INTERVAL_MS = STALE_AFTER_MS;
/** Directories of which it is known when they were cleaned. */
const MAX_DIRECTORIES = 1000;

/** Removes stale uploads from directories in which the next upload begins, from each about once a day. */
export class StaleUploads {
  readonly #containment: Containment;
  readonly #claims: FileClaims;
  /** When a directory was last cleaned, in ms of a clock that nobody sets; by its host path, the one of longest ago first. */
  readonly #cleaned = new Map<string, number>();

  /** What is in `claims` is being written, however old it is. */
  constructor(containment: Containment, claims: FileClaims) {
    this.#containment = containment;
    this.#claims = claims;
  }

  /**
   * Cleans a directory unless that was done a while ago. Whatever prevents that, it does not stop the upload.
   *
   * @param directory With a snapshot that covers it.
   */
  async cleanOnce(directory: HostLocation): Promise<void> {
    const { hostPath } = directory;
    const last = this.#cleaned.get(hostPath);
    if (last !== undefined && performance.now() - last < CLEAN_INTERVAL_MS) return;
    this.#cleaned.delete(hostPath);
    this.#cleaned.set(hostPath, performance.now());
    const [oldest] = this.#cleaned.keys();
    if (this.#cleaned.size > MAX_DIRECTORIES && oldest !== undefined) this.#cleaned.delete(oldest);
    await this.clean(directory);
  }

  /**
   * Cleans a directory.
   *
   * @returns How many files were removed.
   */
  async clean(directory: HostLocation): Promise<number> {
    let removed = 0;
    for (const name of await partNames(directory.hostPath)) {
      const hostPath = joinHostPath(directory.hostPath, [name], HOST_RULES);
      if (await this.#removeIfStale({ hostPath, snapshot: directory.snapshot })) removed++;
    }
    return removed;
  }

  /**
   * Removes the links from a directory that holds nothing but links that lead nowhere or outside, which nobody sees.
   *
   * @param path Virtual path of the directory.
   * @returns How many links were removed.
   */
  async removeDeadLinks(path: string): Promise<number> {
    const { hostPath } = this.#containment.locateDirectory(path);
    const entries = await Array.fromAsync(Deno.readDir(hostPath));
    if (!entries.every(({ isSymlink }) => isSymlink)) return 0;
    const links = entries.map(({ name }) => this.#containment.locateEntry(joinPathname(path, name)));
    if (!links.every(({ info, target }) => info?.isSymlink && target === undefined)) return 0;
    for (const link of links) {
      this.#containment.assertStable(link);
      Deno.removeSync(link.hostPath);
    }
    return links.length;
  }

  async #removeIfStale(part: HostLocation): Promise<boolean> {
    const { hostPath } = part;
    try {
      const info = Deno.lstatSync(hostPath);
      const age = Date.now() - (info.mtime?.getTime() ?? Infinity);
      if (!info.isFile || !(age >= STALE_AFTER_MS)) return false;
      // Refused for what this server is writing, however long ago the last byte came
      using _claim = await this.#claims.claim(unique(info) ?? hostPath);
      this.#containment.assertStable(part);
      return removeIfSame(hostPath, info);
    } catch {
      // Another server was quicker, or it is not ours to remove: it stays hidden all the same
      return false;
    }
  }
}

async function partNames(directory: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    return entries.filter(({ name, isFile }) => isFile && isPartName(name)).map(({ name }) => name);
  } catch {
    // A drop box that the server itself may not list
    return [];
  }
}
