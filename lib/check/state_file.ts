/**
 * The files of the state and of the queue of hooks: who else may have a hand in it.
 *
 * @module
 */

import { dirname } from "node:path";
import { modeBits } from "../mode_bits.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import type { Configuration } from "../settings/table.ts";
import { shellWord } from "./exit_error.ts";

const WRITABLE_BY_OTHERS = 0o022;
const READABLE_BY_OTHERS = 0o044;
const STICKY = 0o1000;

/** Looks at both files. */
export async function inspectStateFiles({ state, hooks }: Configuration): Promise<Finding[]> {
  return [...await inspectFile(state.file, ["state", "file"]), ...await inspectFile(hooks?.queue, ["hooks", "queue"])];
}

/**
 * Looks at the file, and at its folder where Deno permits that. It is not opened: a server that runs has it, and closing it once
 * more in its process would end its locks.
 */
async function inspectFile(file: string | undefined, path: KeyPath): Promise<Finding[]> {
  if (file === undefined || !await mayRead(file)) return [];
  const info = await lstatIfThere(file);
  return [
    ...info === undefined ? await missingFolder(file, path) : fileFindings(file, info, path),
    ...await folderFindings(file, path),
  ];
}

function* fileFindings(file: string, info: Deno.FileInfo, path: KeyPath): Generator<Finding> {
  const look = `ls -l ${shellWord(file)}`;
  if (info.isSymlink) {
    return yield { ...errorAt(path, `${file} is a symbolic link; name the file itself`), hint: look };
  }
  if (!info.isFile) return yield { ...errorAt(path, `${file} is no file`), hint: look };
  const mode = modeBits(info.mode, Deno.build.os) ?? 0;
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  const hint = `chmod 600 ${shellWord(file)}`;
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    yield { ...errorAt(path, `${file} has mode ${octal}, which lets others on this host change it`), hint };
  } else if ((mode & READABLE_BY_OTHERS) !== 0) {
    const message = `${file} has mode ${octal}, which lets others on this host read it`;
    yield { severity: "warning", path, message, hint };
  }
  if (!isOwn(file, info, mode)) {
    const message = `${file} belongs to another user than the one who runs the server`;
    yield { ...errorAt(path, message), hint: look };
  }
}

/**
 * Returns whether the file is ours, as far as that can be told. Nobody may ask who we are without a permission of its own; but
 * only its owner, or root, may set its mode, even to what it is.
 */
function isOwn(file: string, { uid }: Deno.FileInfo, mode: number): boolean {
  if (Deno.build.os === "windows" || uid === null) return true;
  if (Deno.permissions.querySync({ name: "sys", kind: "uid" }).state === "granted") return uid === Deno.uid();
  if (Deno.permissions.querySync({ name: "write", path: file }).state !== "granted") return true;
  try {
    Deno.chmodSync(file, mode);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.PermissionDenied);
  }
}

async function missingFolder(file: string, path: KeyPath): Promise<Finding[]> {
  const folder = dirname(file);
  if (!await mayRead(folder) || await lstatIfThere(folder) !== undefined) return [];
  return [{ ...errorAt(path, `${folder} does not exist`), hint: `mkdir -m 700 ${shellWord(folder)}` }];
}

/** Who may write in the folder may put another file in the place of this one. */
async function folderFindings(file: string, path: KeyPath): Promise<Finding[]> {
  const folder = dirname(file);
  if (!await mayRead(folder)) return [];
  const mode = modeBits((await lstatIfThere(folder))?.mode ?? null, Deno.build.os) ?? 0;
  if ((mode & 0o002) === 0 || (mode & STICKY) !== 0) return [];
  const message = `others on this host may put another file in the place of ${file}`;
  return [{ ...errorAt(path, message), hint: `chmod o-w ${shellWord(folder)}` }];
}

async function mayRead(path: string): Promise<boolean> {
  return (await Deno.permissions.query({ name: "read", path })).state === "granted";
}

async function lstatIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch {
    return undefined; // what cannot be looked at cannot be opened either, which the start says
  }
}
