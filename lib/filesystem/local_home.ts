/**
 * Homes that are folders of the host.
 *
 * @module
 */

import { resolve } from "node:path";
import type { FileClaims } from "./file_claims.ts";
import type { FileSystem } from "./filesystem.ts";
import { LocalFileSystem } from "./local_filesystem.ts";
import { MountProbe } from "./mount_probe.ts";
import { MountedFileSystem } from "./mounted_filesystem.ts";

/** Opens a folder as a home; where it is on a network or FUSE mount that hangs, only its own sessions wait. */
export function openHome(home: string, writeClaims: FileClaims): FileSystem {
  const files = new LocalFileSystem(home, { writeClaims });
  const probe = new MountProbe(resolve(home), { maySeeType: files.availableBytes !== undefined });
  return new MountedFileSystem(files, probe);
}
