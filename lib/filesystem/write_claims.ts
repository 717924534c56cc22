/**
 * Who writes which file.
 *
 * @module
 */

import type { FileClaims } from "./file_claims.ts";
import { FileSystemError } from "./filesystem_error.ts";

/**
 * The files open for writing, so that each has one writer. File systems whose roots overlap share one.
 *
 * @example Two views of one tree
 * ```ts
 * import { LocalFileSystem, WriteClaims } from "@ftpsd/ftpsd";
 *
 * const writeClaims = new WriteClaims();
 * const all = new LocalFileSystem("/srv/ftp", { writeClaims });
 * const incoming = new LocalFileSystem("/srv/ftp/incoming", { writeClaims });
 * ```
 */
export class WriteClaims implements FileClaims {
  readonly #files = new Set<string>();

  claim(file: string): Disposable {
    if (this.#files.has(file)) throw new FileSystemError("busy", "Cannot open file for writing: it is being written");
    this.#files.add(file);
    const claim = new DisposableStack();
    claim.defer(() => this.#files.delete(file));
    return claim;
  }
}
