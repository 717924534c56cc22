/**
 * A file in the place of another.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { shellWord, StartError, UsageError } from "./exit_error.ts";
import { readRegularFile, requirePathPermission } from "./host_files.ts";
import { modeBits } from "../mode_bits.ts";

const OWNER_ONLY = 0o600;

/**
 * Writes a text into a file, whole or not at all: into another one in its folder, with its mode and owner, which then takes its name. A
 * link is refused, since it would be replaced, and so is a file that is not what it was any more.
 *
 * @param before What the file held when it was read.
 * @throws {UsageError} When it is a link.
 * @throws {StartError} When it was changed meanwhile, or cannot be written.
 */
export async function replaceFile(path: string, before: string, text: string): Promise<void> {
  await requirePathPermission("write", dirname(path));
  const info = await Deno.lstat(path);
  if (info.isSymlink) {
    const target = await Deno.realPath(path);
    throw new UsageError(`${path} is a link; name the file itself`, `--config ${shellWord(target)}`);
  }
  const temporary = join(dirname(path), `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: OWNER_ONLY });
      await writeAll(file, text);
      const mode = modeBits(info.mode, Deno.build.os);
      if (mode !== undefined) {
        const { uid, gid } = await Deno.lstat(temporary);
        if (uid !== info.uid || gid !== info.gid) await Deno.chown(temporary, info.uid, info.gid);
        await Deno.chmod(temporary, mode & 0o7777);
      }
      await file.sync();
    }
    const { bytes } = await readRegularFile(path);
    if (new TextDecoder().decode(bytes) !== before) {
      throw new StartError(`${path} was changed meanwhile; nothing was written`, "the same once more");
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // the failure before it is reported
    if (error instanceof StartError || error instanceof Deno.errors.NotCapable) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`cannot write ${path}: ${reason}`, `ls -l ${shellWord(path)}`, { cause: error });
  }
}

async function writeAll(file: Deno.FsFile, text: string): Promise<void> {
  for (let rest = new TextEncoder().encode(text); rest.length > 0;) rest = rest.subarray(await file.write(rest));
}
