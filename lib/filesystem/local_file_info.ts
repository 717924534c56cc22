/**
 * Attributes as the runtime tells them, in the form of the file system port.
 *
 * @module
 */

import type { FileInfo } from "./filesystem.ts";
import { modeBits } from "../mode_bits.ts";
import type { FileIdentity } from "./way.ts";

/** The attributes of something on the host, no link. */
export function toFileInfo(info: Deno.FileInfo): FileInfo {
  return {
    type: info.isFile ? "file" : info.isDirectory ? "directory" : "other",
    size: info.size,
    modified: info.mtime ?? undefined,
    mode: modeBits(info.mode, Deno.build.os),
    links: info.nlink ?? undefined,
    uid: info.uid ?? undefined,
    gid: info.gid ?? undefined,
    unique: unique(info),
  };
}

/**
 * The attributes of a symbolic link to a directory. Its size is left out: it would tell how long a path of the host is.
 *
 * @param target Virtual path of the directory.
 */
export function toLinkInfo(own: Deno.FileInfo, target: string): FileInfo {
  return { ...toFileInfo(own), type: "link", size: 0, target };
}

/** What tells a file from every other one of the host, where the system says it. */
export function unique({ dev, ino }: FileIdentity): string | undefined {
  return !ino ? undefined : `${dev.toString(16)}g${ino.toString(16)}`;
}
