/**
 * Folders that live as long as a test.
 *
 * @module
 */

/** A new empty folder, removed with all it holds at the end of its scope. */
export class TemporaryFolder implements AsyncDisposable {
  /** Absolute path, with symbolic links resolved. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes a folder.
   *
   * @example
   * ```ts ignore
   * await using folder = await TemporaryFolder.create();
   * ```
   */
  static async create(): Promise<TemporaryFolder> {
    return new TemporaryFolder(await Deno.realPath(await Deno.makeTempDir({ prefix: "ftpsd_test_" })));
  }

  /** Removes the folder, if the test has not done so. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Deno.remove(this.path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
