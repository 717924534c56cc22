/**
 * Homes that are folders of the host.
 *
 * @module
 */

import { resolve } from "node:path";
import type { FileClaims } from "./file_claims.ts";
import type { FileSystem } from "./filesystem.ts";
import { LocalFileSystem } from "./local_filesystem.ts";
import { type AskedMounts, MountProbe } from "./mount_probe.ts";
import { MountedFileSystem } from "./mounted_filesystem.ts";

/**
 * Makes what opens folders as homes; where one is on a network or FUSE mount that hangs, only the sessions on that mount wait.
 *
 * @param writeClaims Who writes what in all of them.
 */
export function homeOpener(writeClaims: FileClaims): (home: string) => FileSystem {
  const asked: AskedMounts = new Map();
  const roots = new Set<string>();
  return (home) => {
    const root = resolve(home);
    roots.add(root);
    const files = new LocalFileSystem(root, { writeClaims, roots });
    const probe = new MountProbe(root, { maySeeType: files.availableBytes !== undefined, asked });
    return new MountedFileSystem(files, probe);
  };
}
