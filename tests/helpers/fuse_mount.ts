/**
 * FUSE mounts whose daemon can be stopped, for what happens when a mount hangs.
 *
 * @module
 */

import { runProgram } from "./run_program.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

const TRIES = 500;
const PAUSE_MS = 20;

/** A folder mounted on another one by bindfs. */
export class FuseMount implements AsyncDisposable {
  /** Folder that it is mounted on. */
  readonly path: string;
  readonly #folder: TemporaryFolder;
  readonly #daemon: Deno.ChildProcess;
  #isDead = false;

  private constructor(folder: TemporaryFolder, path: string, daemon: Deno.ChildProcess) {
    this.#folder = folder;
    this.path = path;
    this.#daemon = daemon;
  }

  /**
   * Mounts a folder.
   *
   * @throws {Error} When it cannot be mounted, with the reason.
   */
  static async mount(source: string): Promise<FuseMount> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await TemporaryFolder.create());
    const path = `${folder.path}/mount`;
    await Deno.mkdir(path);
    const { dev } = await Deno.stat(path);
    const daemon = new Deno.Command("bindfs", {
      args: ["-f", source, path],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let ended = false;
    daemon.status.then(() => ended = true);
    for (let tries = 0; (await Deno.stat(path)).dev === dev; tries++) {
      if (ended || tries === TRIES) {
        if (!ended) daemon.kill("SIGKILL");
        await daemon.status;
        throw new Error("bindfs cannot mount here");
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    stack.move();
    return new FuseMount(folder, path, daemon);
  }

  /** Stops the daemon: whoever asks it anything hangs. */
  hang(): void {
    this.#daemon.kill("SIGSTOP");
  }

  /** Lets the daemon go on. */
  goOn(): void {
    this.#daemon.kill("SIGCONT");
  }

  /** Kills the daemon: whoever asks it anything gets an error. */
  async die(): Promise<void> {
    this.#isDead = true;
    try {
      this.#daemon.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended with its mount.
    }
    await this.#daemon.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _folder = this.#folder;
    if (!this.#isDead) this.goOn();
    const { code, stderr } = await runProgram("umount", ["--lazy", this.path]);
    if (!this.#isDead) await this.die();
    if (code !== 0) throw new Error(stderr.trim());
  }
}

/** Why no FUSE mount can be made here; `undefined` where one can be. */
export async function fuseRefusal(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "only Linux has FUSE";
  try {
    await using folder = await TemporaryFolder.create();
    await using _mount = await FuseMount.mount(folder.path);
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "bindfs is not installed";
    return error instanceof Error ? error.message : String(error);
  }
}
