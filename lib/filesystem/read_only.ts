/**
 * A view of a file system that changes nothing.
 *
 * @module
 */

import type { DirectoryEntry, FileInfo, FileSystem, ReadableFile } from "./filesystem.ts";

/**
 * Gives a view without the writing methods, which takes the commands that need them out of service.
 *
 * @example
 * ```ts
 * import { MemoryFileSystem, readOnly } from "@ftpsd/ftpsd";
 *
 * const fileSystem = readOnly(MemoryFileSystem.of({ "/hello.txt": "Hello" }));
 * console.assert(fileSystem.openWrite === undefined);
 * ```
 */
export function readOnly(fileSystem: FileSystem): FileSystem {
  const { listsSorted, listNames } = fileSystem;
  return {
    ...listsSorted && { listsSorted },
    ...listNames && { listNames: (path: string): AsyncIterable<string> => listNames.call(fileSystem, path) },
    stat: (path: string): Promise<FileInfo> => fileSystem.stat(path),
    list: (path: string): AsyncIterable<DirectoryEntry> => fileSystem.list(path),
    openRead: (path: string, options?: { readonly offset?: number }): Promise<ReadableFile> =>
      fileSystem.openRead(path, options),
  };
}
