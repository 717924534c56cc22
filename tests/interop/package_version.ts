/**
 * Versions of packages.
 *
 * @module
 */

import { requireProgram } from "../helpers/run_program.ts";
import { nodeModule } from "./driver.ts";
import { versionIn } from "./run_client.ts";

/** Upstream version of an installed Debian package, as major.minor. */
export async function packageVersion(name: string): Promise<string> {
  const version = await requireProgram("dpkg-query", ["--show", "--showformat=${Version}", name]);
  // Without the epoch, which is no part of the upstream version.
  return versionIn(version.replace(/^\d+:/, ""));
}

/** Version of an npm package that this project depends on, as major.minor. */
export async function npmVersion(name: string): Promise<string> {
  const lock = JSON.parse(await Deno.readTextFile(new URL("../../deno.lock", import.meta.url)));
  const key = Object.keys(lock.npm).find((found) => found.startsWith(`${name}@`));
  if (key === undefined) throw new Error(`Cannot find "${name}" in deno.lock`);
  return versionIn(key);
}

/** Version of an npm package that is installed beside the drivers, as major.minor. */
export async function nodeModuleVersion(name: string): Promise<string> {
  return versionIn(JSON.parse(await Deno.readTextFile(nodeModule(name))).version);
}
