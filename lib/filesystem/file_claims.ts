/**
 * Who may write a file: one at a time.
 *
 * @module
 */

import type { Lease, MaybePromise, SharedMethods } from "../shared_port.ts";

/** Gives each file one writer. The answer may take a moment where another event loop is asked. */
export interface FileClaims {
  /**
   * Claims a file until the claim is disposed of, which may be done twice.
   *
   * @param file What makes the file unique on this host.
   * @throws {FileSystemError} Kind `"busy"` while another claim on it stands.
   */
  claim(file: string): MaybePromise<Lease>;
}

/** What event loops share of them. */
export const SHARED_FILE_CLAIMS: SharedMethods<FileClaims> = { claim: {} };
