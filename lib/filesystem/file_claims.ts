/**
 * Who may write a file: one at a time.
 *
 * @module
 */

/** Gives each file one writer. The answer may take a moment where another event loop is asked. */
export interface FileClaims {
  /**
   * Claims a file until the claim is disposed of, which may be done twice.
   *
   * @param file What makes the file unique on this host.
   * @throws {FileSystemError} Kind `"busy"` while another claim on it stands.
   */
  claim(file: string): Disposable | Promise<Disposable>;
}
