/**
 * What is known about a folder of the host before it is a home.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { modeBits } from "../../mode_bits.ts";

/** What was found out about a home. */
export interface HomeFacts {
  /** Its path as it was given. */
  readonly home: string;
  /** The same without links. */
  readonly realPath: string;
  /** Mode bits; `undefined` where there are none, as on Windows. */
  readonly mode: number | undefined;
  /** A folder above it in which others may rename it, as far as Deno permits to look. */
  readonly movableIn: string | undefined;
  /** Whether it has what a root of a system has, as a second mount of it does. */
  readonly looksLikeRoot: boolean;
}

const WRITABLE_BY_OTHERS = 0o002;
/** In such a folder only the owner may rename what is in it. */
const STICKY = 0o1000;
/** What every Unix has below its root, and no chroot of a file server has all of. */
const SYSTEM_PARTS = ["etc/passwd", "usr/bin", "var", "dev", "proc"] as const;

/** Finds out about a home; `undefined` when it is not there, or Deno does not permit to look at it. */
export function readHomeFacts(home: string): HomeFacts | undefined {
  try {
    const realPath = Deno.realPathSync(home);
    return {
      home,
      realPath,
      mode: modeOf(realPath),
      movableIn: findMovableIn(realPath),
      looksLikeRoot: SYSTEM_PARTS.every((part) => exists(join(realPath, part))),
    };
  } catch {
    return undefined; // It shows when the home is used.
  }
}

/**
 * The same without keeping the event loop waiting, for a home that is to be opened at once.
 *
 * @throws {Deno.errors.NotFound} When it is not there, and other errors of `Deno.stat`.
 */
export async function lookAtHome(home: string): Promise<HomeFacts & { readonly isFolder: boolean }> {
  const realPath = await Deno.realPath(home);
  const info = await Deno.stat(realPath);
  const parts = await Promise.all(
    SYSTEM_PARTS.map((part) => Deno.lstat(join(realPath, part)).then(() => true, () => false)),
  );
  return {
    home,
    realPath,
    mode: modeBits(info.mode, Deno.build.os),
    movableIn: await lookForMovable(realPath),
    looksLikeRoot: parts.every((isThere) => isThere),
    isFolder: info.isDirectory,
  };
}

async function lookForMovable(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  if (folder === path || (await Deno.permissions.query({ name: "read", path: folder })).state !== "granted") {
    return undefined;
  }
  const mode = modeBits((await Deno.stat(folder)).mode, Deno.build.os) ?? 0;
  return isMovable(mode) ? folder : await lookForMovable(folder);
}

/** Returns whether others may rename what is in a folder. */
function isMovable(mode: number): boolean {
  return (mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0;
}

function findMovableIn(path: string): string | undefined {
  const folder = dirname(path);
  if (folder === path || Deno.permissions.querySync({ name: "read", path: folder }).state !== "granted") {
    return undefined;
  }
  const mode = modeOf(folder) ?? 0;
  return isMovable(mode) ? folder : findMovableIn(folder);
}

function modeOf(path: string): number | undefined {
  return modeBits(Deno.statSync(path).mode, Deno.build.os);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
