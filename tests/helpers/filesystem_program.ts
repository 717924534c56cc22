/**
 * Programs that use the local file system in a process of their own, with permissions of their own.
 *
 * @module
 */

import { assert } from "@std/assert";
import { TemporaryFolder } from "./temporary_folder.ts";

const ADAPTER = new URL("../../lib/filesystem/local/local_filesystem.ts", import.meta.url).href;

/** Options of {@linkcode runFileSystemProgram}. */
export interface FileSystemProgramOptions {
  /** Permission flags of the process. */
  readonly flags: readonly string[];
  /** Shell commands to run first, for limits that the process inherits. */
  readonly shell?: string;
}

/**
 * Runs a program with `LocalFileSystem` in scope, and `kind(operation)`, which tells the kind of error an operation is
 * refused with, or `"done"`.
 *
 * @returns What it printed.
 */
export async function runFileSystemProgram(program: string, options: FileSystemProgramOptions): Promise<string> {
  await using folder = await TemporaryFolder.create();
  const file = `${folder.path}/program.ts`;
  await Deno.writeTextFile(
    file,
    `import { LocalFileSystem } from ${JSON.stringify(ADAPTER)};
     async function kind(operation: () => Promise<unknown>): Promise<string> {
       try { await operation(); return "done"; } catch (error) { return (error as { kind?: string }).kind ?? String(error); }
     }
     ${program}`,
  );
  const deno = [Deno.execPath(), "run", "--no-check", "--no-prompt", "--no-config", ...options.flags, file];
  const [command = "", ...args] = options.shell === undefined
    ? deno
    : ["sh", "-c", `${options.shell}; exec "$@"`, "sh", ...deno];
  const { stdout, stderr, success } = await new Deno.Command(command, { args, env: { NO_COLOR: "1" } }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}
