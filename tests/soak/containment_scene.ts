/**
 * A home in which a folder and a link out of it change places all the time, and what lies outside.
 *
 * @module
 */

import { statfsSync } from "node:fs";
import { SmallDisk } from "../helpers/small_disk.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const DISK_KIBIBYTES = 4096;
const SWAPPER = new URL("containment_swapper.py", import.meta.url).pathname;

/** How the folder and the link change places; see the swapper. */
export const PATTERNS = ["constant", "rare", "once"] as const;

/** Name of a pattern. */
export type Pattern = typeof PATTERNS[number];

/** Content of files outside, of a length that nothing else has. */
export const SECRET = new TextEncoder().encode("secret ".repeat(14109) + "..");

/** A length of content that shows in listings. */
export const SECRET_SIZE = "98765";

/** Content of files inside. */
export const INSIDE = new TextEncoder().encode("inside");

/** A time of last modification that shows in listings: of files outside. */
export const SECRET_TIME = new Date("2001-02-03T04:05:06Z");

/** Folders of the host. */
export class ContainmentScene implements AsyncDisposable {
  readonly #resources: AsyncDisposableStack;

  /** Root of the server. */
  readonly home: string;
  /** What `/dir` is while nobody swaps. */
  readonly inside: string;
  /** Where `/dir` must never lead. */
  readonly outside: string;

  private constructor(home: string, outside: string, resources: AsyncDisposableStack) {
    this.#resources = resources;
    this.home = home;
    this.inside = `${home}/dir`;
    this.outside = outside;
  }

  /** Makes the folders; what lies outside may be on another device. */
  static async create(options: { readonly otherDevice?: boolean } = {}): Promise<ContainmentScene> {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await TemporaryFolder.create());
    const around = options.otherDevice ? stack.use(await SmallDisk.mount(DISK_KIBIBYTES)).path : path;
    await Deno.mkdir(`${path}/home`);
    await Deno.symlink(`${around}/outside`, `${path}/home/link`);
    const scene = new ContainmentScene(`${path}/home`, `${around}/outside`, stack.move());
    scene.reset();
    return scene;
  }

  /** Makes inside and outside new. Nobody may be swapping. */
  reset(): void {
    for (const folder of [this.inside, this.outside]) {
      removeIfThere(folder);
      Deno.mkdirSync(`${folder}/sub`, { recursive: true });
      for (const name of ["file", "sub/file"]) this.put(folder, name);
    }
    for (const name of ["only-outside", "sub/only-outside"]) this.put(this.outside, name);
  }

  /** Makes a file inside or outside, with content that tells where. */
  put(folder: string, name: string): void {
    const path = `${folder}/${name}`;
    Deno.writeFileSync(path, folder === this.outside ? SECRET : INSIDE);
    if (folder === this.outside) Deno.utimeSync(path, SECRET_TIME, SECRET_TIME);
  }

  /** Bytes that can be stored outside and inside. */
  freeBytes(): { readonly outside: number; readonly inside: number } {
    const [outside, inside] = [this.outside, this.home].map((path) => statfsSync(path)).map((it) =>
      it.bavail * it.bsize
    );
    return { outside: outside ?? 0, inside: inside ?? 0 };
  }

  /** Names of files outside that hold something else than they should. */
  changedOutside(): string[] {
    return namesIn(this.outside).filter((name) => {
      const path = `${this.outside}/${name}`;
      if (!Deno.lstatSync(path).isFile) return false;
      const content = Deno.readFileSync(path);
      // An empty file is made and found out; what is in it is what counts.
      return content.length > 0 && !isSecret(content);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** A process that swaps, until it is stopped. */
export class Swapper implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Starts it; resolves once it swaps. */
  static async start(scene: ContainmentScene, pattern: Pattern, seed: number): Promise<Swapper> {
    const args = [SWAPPER, scene.inside, `${scene.home}/link`, pattern, `${seed}`];
    const process = new Deno.Command("python3", { args, stdin: "null", stdout: "piped", stderr: "inherit" }).spawn();
    const swapper = new Swapper(process);
    await swapper.#output.read();
    return swapper;
  }

  /** Stops it; returns how often it swapped. */
  async stop(): Promise<number> {
    this.#process.kill("SIGTERM");
    let text = "";
    for (let part = await this.#output.read(); !part.done; part = await this.#output.read()) text += part.value;
    const { success } = await this.#process.status;
    if (!success) throw new Error("The swapper failed");
    return Number(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended already.
    }
    await this.#process.status;
    await this.#output.cancel();
  }
}

/** Names in a folder. */
export function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name);
}

/** Whether something is at a host path. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isSecret(content: Uint8Array): boolean {
  return content.length === SECRET.length && content.every((byte, index) => byte === SECRET[index]);
}

function removeIfThere(path: string): void {
  if (exists(path)) Deno.removeSync(path, { recursive: true });
}
