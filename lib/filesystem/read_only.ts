/**
 * A view of a file system that changes nothing.
 *
 * @module
 */

import type {
  CallOptions,
  DirectoryEntry,
  FileDigest,
  FileInfo,
  FileSystem,
  HashAlgorithm,
  OpenReadOptions,
  ReadableFile,
} from "./filesystem.ts";

/**
 * Returns a view without the writing methods, which takes the commands that need them out of service.
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
  const { listsSorted, listNames, listTypes, lstat, digest } = fileSystem;
  return {
    ...listsSorted && { listsSorted },
    ...listNames && {
      listNames: (path: string, options: CallOptions): AsyncIterable<string> =>
        listNames.call(fileSystem, path, options),
    },
    ...listTypes && {
      listTypes: (path: string, options: CallOptions): AsyncIterable<DirectoryEntry> =>
        listTypes.call(fileSystem, path, options),
    },
    ...lstat && {
      lstat: (path: string, options: CallOptions): Promise<FileInfo> => lstat.call(fileSystem, path, options),
    },
    ...digest && {
      digest: (path: string, algorithm: HashAlgorithm, options: CallOptions): Promise<FileDigest | undefined> =>
        digest.call(fileSystem, path, algorithm, options),
    },
    stat: (path: string, options: CallOptions): Promise<FileInfo> => fileSystem.stat(path, options),
    list: (path: string, options: CallOptions): AsyncIterable<DirectoryEntry> => fileSystem.list(path, options),
    openRead: (path: string, options: OpenReadOptions): Promise<ReadableFile> => fileSystem.openRead(path, options),
  };
}
