/**
 * Homes that somebody else than the operator names: they have to be below one folder.
 *
 * @module
 */

import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { type HomeFacts, lookAtHome } from "./home_facts.ts";

/** A home that cannot be used. The message says why, with the paths of the host. */
export class HomeRefusedError extends Error {
  /** The name of the class. */
  override readonly name = "HomeRefusedError";
}

/** Makes a path absolute that begins in a folder; one that is absolute stays. */
export function pathIn(folder: string, path: string): string {
  return isAbsolute(path) ? resolve(path) : join(folder, path);
}

/**
 * Looks at a home that has to be below a folder, also where links lead to it. The folder itself is none: it has all of them.
 *
 * @returns What was found, for its risks; the path without links is the one to open.
 * @throws {HomeRefusedError} When it is elsewhere, is not there, or is no folder.
 */
export async function inspectHomeIn(folder: string, home: string): Promise<HomeFacts & { readonly isFolder: boolean }> {
  if (!isBelow(home, folder)) throw new HomeRefusedError(`${home} is not below ${folder}`);
  const [root, facts] = await Promise.all([realPathOf(folder), factsOf(home)]);
  if (!isBelow(facts.realPath, root)) {
    throw new HomeRefusedError(`${home} leads to ${facts.realPath}, which is not below ${folder}`);
  }
  return facts;
}

async function factsOf(home: string): Promise<HomeFacts & { readonly isFolder: boolean }> {
  try {
    const facts = await lookAtHome(home);
    if (facts.isFolder) return facts;
  } catch (cause) {
    throw new HomeRefusedError(`${home} cannot be opened: ${reasonOf(cause)}`, { cause });
  }
  throw new HomeRefusedError(`${home} is not a folder`);
}

async function realPathOf(folder: string): Promise<string> {
  try {
    return await Deno.realPath(folder);
  } catch (cause) {
    throw new HomeRefusedError(`${folder} cannot be opened: ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "it does not exist";
  return error instanceof Error ? error.name : String(error);
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
