/**
 * File systems of a small size, for what happens when a disk is full.
 *
 * @module
 */

import { runProgram } from "./run_program.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

/** A file system in memory, mounted on a folder of its own. */
export class SmallDisk implements AsyncDisposable {
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  /**
   * Mounts a file system.
   *
   * @throws {Error} When it cannot be mounted, with the reason.
   */
  static async mount(kibibytes: number): Promise<SmallDisk> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await TemporaryFolder.create());
    const { code, stderr } = await mount(["-t", "tmpfs", "-o", `size=${kibibytes}k,mode=755`, "tmpfs", folder.path]);
    if (code !== 0) throw new Error(stderr.trim());
    stack.move();
    return new SmallDisk(folder);
  }

  /** Folder that it is mounted on. */
  get path(): string {
    return this.#folder.path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _folder = this.#folder;
    const { code, stderr } = await runProgram("umount", [this.path]);
    if (code !== 0) throw new Error(stderr.trim());
  }
}

/** Why no file system can be mounted here; `undefined` where one can be. */
export async function mountRefusal(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "only Linux has tmpfs";
  try {
    await using _disk = await SmallDisk.mount(64);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : String(error);
  }
}

async function mount(args: readonly string[]): Promise<{ readonly code: number; readonly stderr: string }> {
  try {
    return await runProgram("mount", args);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { code: 127, stderr: "mount is not installed" };
    throw error;
  }
}
