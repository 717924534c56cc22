/**
 * Who writes which file, over all event loops.
 *
 * @module
 */

import type { FileClaims } from "../filesystem/file_claims.ts";
import { FileSystemError } from "../filesystem/filesystem.ts";
import { type SharedTable, tableFull } from "./shared_table.ts";

/** A claim is a record; the first writer makes it. */
const IS_CLAIMED = 0;

/** The files open for writing in all event loops that have the table, so that each has one writer. */
export class SharedFileClaims implements FileClaims {
  readonly #table: SharedTable;

  constructor(table: SharedTable) {
    this.#table = table;
  }

  /**
   * @throws {FileSystemError} Kind `"busy"` while there is another claim on it.
   * @throws {SharedTableError}
   */
  claim(file: string): Disposable {
    const key = this.#table.keyOf("file", file);
    const answer = this.#table.locked((records) => {
      if (records.find(key) !== 0) return "busy";
      const record = records.findOrInsert(key);
      if (record === 0) return "full";
      records.set(record, IS_CLAIMED, 1);
      return "claimed";
    });
    if (answer === "busy") throw new FileSystemError("busy", "Cannot open file for writing: it is being written");
    if (answer === "full") throw tableFull();
    const claim = new DisposableStack();
    claim.defer(() => this.#table.release((records) => records.remove(records.find(key))));
    return claim;
  }
}
