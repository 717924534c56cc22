/**
 * Who changes what under quotas: two changes of one file at once would both count what it was before.
 *
 * @module
 */

import { baseName, parentPath } from "../../protocol/pathname.ts";
import type { Lease } from "../../shared_port.ts";
import type { FileClaims } from "../file_claims.ts";
import { type CallOptions, type FileInfo, type FileSystem, FileSystemError } from "../filesystem.ts";

/** Where a file is, whoever names it. */
export interface FilePlace {
  /** The file system that has it, and no other's numbers of files. */
  readonly fileSystem: FileSystem;
  /** Its path there. */
  readonly path: string;
  /** Names it among all files of the server; absent: its number does, or that of its directory. */
  readonly name?: string | undefined;
}

/** Finds the place of a path. */
export type FileLocator = (path: string) => FilePlace;

/** Claims of one account, which others respect whatever paths they have for the same files. */
export class QuotaClaims {
  readonly #claims: FileClaims;
  readonly #account: string;
  readonly #locate: FileLocator;

  /** @param options `locate` is absent where an account has one file system, whose files have numbers or are its own. */
  constructor(
    fileSystem: FileSystem,
    options: { readonly claims: FileClaims; readonly account: string; readonly locate?: FileLocator },
  ) {
    const { claims, account, locate = (path) => ({ fileSystem, path }) } = options;
    this.#claims = claims;
    this.#account = account;
    this.#locate = locate;
  }

  /**
   * Claims a name, and the file that has it by whatever name it was opened.
   *
   * @throws {FileSystemError} Kind `busy`.
   */
  async claim(path: string, options: CallOptions): Promise<Lease> {
    using claimed = new DisposableStack();
    const name = await this.#nameOf(path, options);
    claimed.use(await this.#claims.claim(`quota name\0${name}`, options.signal));
    claimed.use(await this.claimFile(path, options));
    return claimed.move();
  }

  /** Claims the file that has a name, if there is one that has others as well. */
  async claimFile(path: string, options: CallOptions): Promise<Disposable | undefined> {
    const place = this.#locate(path);
    if (place.name !== undefined) return undefined;
    const file = await fileAt(place.fileSystem, place.path, options);
    if (file?.unique === undefined) return undefined;
    return await this.#claims.claim(`quota file\0${file.unique}`, options.signal);
  }

  async #nameOf(path: string, options: CallOptions): Promise<string> {
    const place = this.#locate(path);
    if (place.name !== undefined) return place.name;
    const parent = await infoAt(place.fileSystem, parentPath(place.path), options);
    if (parent?.unique === undefined) return `${this.#account}\0${path}`;
    return `${parent.unique}\0${baseName(place.path)}`;
  }
}

/** The file at a path, if there is one. */
export async function fileAt(
  fileSystem: FileSystem,
  path: string,
  options: CallOptions,
): Promise<FileInfo | undefined> {
  const info = await infoAt(fileSystem, path, options);
  return info?.type === "file" ? info : undefined;
}

async function infoAt(fileSystem: FileSystem, path: string, options: CallOptions): Promise<FileInfo | undefined> {
  try {
    return await fileSystem.stat(path, options);
  } catch (error) {
    if (error instanceof FileSystemError && (error.kind === "notFound" || error.kind === "notDirectory")) {
      return undefined;
    }
    throw error;
  }
}
