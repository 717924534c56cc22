/**
 * A file system that can be made to answer nothing.
 *
 * @module
 */

import { delay } from "../../lib/deadline.ts";
import { isInstalled } from "./client_program.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

/** A folder under bindfs, whose process can be stopped: nothing is answered then. */
export class StoppableMount implements AsyncDisposable {
  readonly path: string;
  readonly #folder: TemporaryFolder;
  readonly #process: Deno.ChildProcess;

  private constructor(folder: TemporaryFolder, process: Deno.ChildProcess) {
    this.#folder = folder;
    this.#process = process;
    this.path = `${folder.path}/mount`;
  }

  /**
   * Mounts.
   *
   * @throws {Error} When bindfs may not.
   */
  static async create(): Promise<StoppableMount> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await TemporaryFolder.create());
    for (const name of ["source", "mount"]) await Deno.mkdir(`${folder.path}/${name}`);
    await Deno.writeTextFile(`${folder.path}/source/mark`, "");
    const args = ["-f", `${folder.path}/source`, `${folder.path}/mount`];
    const process = new Deno.Command("bindfs", { args, stdout: "null", stderr: "null" }).spawn();
    const ended = new AbortController();
    process.status.then(() => ended.abort(new Error("bindfs may not mount")));
    while (!await exists(`${folder.path}/mount/mark`)) await delay(10, ended.signal);
    stack.move();
    return new StoppableMount(folder, process);
  }

  stop(): void {
    this.#process.kill("SIGSTOP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _folder = this.#folder;
    this.#process.kill("SIGCONT");
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}

/** Why nothing can be mounted by bindfs here; `undefined` where it can. */
export async function stoppableMountRefusal(): Promise<string | undefined> {
  if (!isInstalled("bindfs")) return "bindfs is not installed";
  try {
    await using _mount = await StoppableMount.create();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
