/**
 * Where the program is.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/**
 * Folder that workers are loaded from; `undefined` where the program comes from the network or is part of the executable,
 * which needs no permission.
 */
export const PROGRAM_FOLDER: string | undefined = import.meta.url.startsWith("file:") && !Deno.build.standalone
  ? fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "")
  : undefined;

/** Returns whether Deno permits to load workers. */
export async function mayReadProgram(): Promise<boolean> {
  if (PROGRAM_FOLDER === undefined) return true;
  return (await Deno.permissions.query({ name: "read", path: PROGRAM_FOLDER })).state === "granted";
}
