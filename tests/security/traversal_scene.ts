/**
 * A home with links out of it, the things outside that must stay as they are, and commands that try to get at them.
 *
 * @module
 */

import type { CommandSpec } from "../../lib/commands/command.ts";
import { HASH_ALGORITHMS } from "../../lib/filesystem/filesystem.ts";
import { createDigest } from "../../lib/filesystem/node_digest.ts";
import { linesWithArgument } from "../helpers/command_examples.ts";
import type { RawClient, RawReply } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { encodeHostile } from "./hostile_paths.ts";

/** Content of every file outside. */
const SECRET = "nobody may read this".padEnd(54_321, ".");
const DIGESTS = HASH_ALGORITHMS.map((algorithm) => {
  const digest = createDigest(algorithm);
  digest.update(new TextEncoder().encode(SECRET));
  return digest.hex();
});

/** Links in the home, name to target; `{}` stands for the folder around the home. */
const LINKS = {
  absolute: "{}/outside/secret",
  relative: "../outside/secret",
  "folder": "{}/outside",
  "folder-relative": "../outside",
  "around": "..",
  "system": "/",
  "chain": "folder/empty",
  "inner/link": "../../outside",
  "dangling": "../outside/new",
};

/** A home with links out of it, and the things outside that must stay as they are. */
export class TraversalScene implements AsyncDisposable {
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  static async create(): Promise<TraversalScene> {
    const scene = new TraversalScene(await TemporaryFolder.create());
    for (const path of ["home", "outside/full", "outside/empty"]) {
      await Deno.mkdir(`${scene.path}/${path}`, { recursive: true });
    }
    for (const path of ["outside/secret", "outside/full/x", "outside/only-outside"]) {
      await Deno.writeTextFile(`${scene.path}/${path}`, SECRET);
    }
    return scene;
  }

  get path(): string {
    return this.#folder.path;
  }

  /** Puts back what a command may rightly have changed in the home. */
  async repair(): Promise<void> {
    await Deno.remove(`${this.path}/home`, { recursive: true });
    for (const name of ["", "inner", "hollow"]) await Deno.mkdir(`${this.path}/home/${name}`);
    await Deno.writeTextFile(`${this.path}/home/in.txt`, "inside");
    for (const [name, target] of Object.entries(LINKS)) {
      await Deno.symlink(target.replace("{}", this.path), `${this.path}/home/${name}`);
    }
  }

  /** All that is outside: names, kinds, contents, modes, times. */
  async outside(): Promise<unknown> {
    const found: Record<string, unknown> = {};
    const walk = async (path: string) => {
      const { isFile, mtime, mode, nlink } = await Deno.lstat(path);
      found[path] = { mtime, mode, nlink, content: isFile ? await Deno.readTextFile(path) : undefined };
      if (!isFile) { for await (const { name } of Deno.readDir(path)) await walk(`${path}/${name}`); }
    };
    await walk(`${this.path}/outside`);
    found.around = (await Array.fromAsync(Deno.readDir(this.path), ({ name }) => name)).sort();
    return found;
  }

  /** Whether a text tells anything of what is outside: content or its digest, size or name, or where the home is. */
  isToldOf(text: string): boolean {
    const signs = ["nobody may read this", "root:", "54321", "only-outside", this.path, ...DIGESTS];
    // Digests come in either case
    return signs.some((sign) => text.includes(sign) || text.toLowerCase().includes(sign));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** What a command has brought the client: its replies and, on the data connection, its bytes. */
export interface Outcome {
  readonly codes: readonly number[];
  readonly text: string;
}

/** Sends the last example of a row with a path, and moves the data that goes with it. */
export async function attempt(client: RawClient, row: CommandSpec, path: string): Promise<Outcome> {
  if (row.verb === "RNTO") await client.expect(350, "RNFR /in.txt");
  return await attemptLine(client, row, linesWithArgument(row, { path }).at(-1) ?? row.verb);
}

/** Sends a line of a row, and moves the data that goes with it. */
export async function attemptLine(client: RawClient, row: CommandSpec, line: string): Promise<Outcome> {
  if (row.dataConnection !== "uses") {
    const { code, text } = await command(client, line);
    return { codes: [code], text };
  }
  await using data = await client.passive();
  const first = await command(client, line);
  if (first.code !== 150) return { codes: [first.code], text: first.text };
  const isUpload = row.needs === "openWrite";
  if (isUpload) {
    await data.write(new TextEncoder().encode("attack"));
    await data.finish();
  }
  const bytes = isUpload ? new Uint8Array(0) : await data.readAll();
  const last = await client.readReply(line);
  return { codes: [150, last.code], text: `${first.text}\n${new TextDecoder().decode(bytes)}\n${last.text}` };
}

async function command(client: RawClient, line: string): Promise<RawReply> {
  await client.send(encodeHostile(`${line}\r\n`));
  return await client.readReply(line);
}
