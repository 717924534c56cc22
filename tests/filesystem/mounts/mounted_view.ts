/**
 * What is below one directory of a file system, as a file system: for suites of tests that expect it at the root.
 *
 * @module
 */

import type { DirectoryEntry, FileInfo } from "../../../lib/filesystem/filesystem.ts";
import type { MountedFileSystem } from "../../../lib/filesystem/mounts/mounted_filesystem.ts";
import type { WritableFileSystem } from "../../conformance/filesystem_conformance.ts";

/** Makes the view; everything that is asked for at a path is asked for at that path below the directory. */
export function viewBelow(files: MountedFileSystem, directory: string): WritableFileSystem {
  const below = (path: string) => path === "/" ? directory : path === "" ? "" : `${directory}${path}`;
  const all = files as MountedFileSystem & WritableFileSystem;
  const { listsSorted, uploadsAppearWhole, listNames, lstat, resumable } = files;
  return {
    ...listsSorted && { listsSorted },
    ...uploadsAppearWhole && { uploadsAppearWhole },
    ...listNames && { listNames: (path, options) => listNames(below(path), options) },
    ...lstat && { lstat: (path, options): Promise<FileInfo> => lstat(below(path), options) },
    ...resumable && { resumable: (path, options) => resumable(below(path), options) },
    stat: (path, options) => all.stat(below(path), options),
    list: (path, options): AsyncIterable<DirectoryEntry> => all.list(below(path), options),
    openRead: (path, options) => all.openRead(below(path), options),
    openWrite: (path, mode, options) => all.openWrite(below(path), mode, options),
    remove: (path, options) => all.remove(below(path), options),
    makeDirectory: (path, options) => all.makeDirectory(below(path), options),
    removeDirectory: (path, options) => all.removeDirectory(below(path), options),
    rename: (from, to, options) => all.rename(below(from), below(to), options),
    setModified: (path, modified, options) => all.setModified(below(path), modified, options),
    ...all.setMode &&
      { setMode: (path, mode, options) => all.setMode?.(below(path), mode, options) ?? Promise.reject() },
  };
}
