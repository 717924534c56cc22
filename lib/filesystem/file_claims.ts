/**
 * Who may write a file: one at a time.
 *
 * @module
 */

import type { Lease, MaybePromise } from "../shared_port.ts";

/**
 * Gives each file one writer. The answer may take a moment where an engine beyond this process is asked.
 * What it throws, beside the refusal and the reason of a signal, says that it is out of reach.
 */
export interface FileClaims {
  /**
   * Claims a file until the claim is disposed of, which may be done twice. A file whose claim is lost takes no more bytes, and
   * its writing ends with an error.
   *
   * @param file What makes the file unique on this host.
   * @param signal Ends the wait for the answer.
   * @throws {FileSystemError} Kind `"busy"` while there is another claim on it.
   */
  claim(file: string, signal?: AbortSignal): MaybePromise<Lease>;
}
