import { type FileSystem, FileSystemError } from "../../lib/filesystem/filesystem.ts";

/** Makes a file system of which only the types are known: directories as given, files where the name has a dot. */
export function makeTree(directories: readonly string[] = []): FileSystem {
  return {
    stat(path) {
      if (directories.includes(path)) return Promise.resolve({ type: "directory", size: 0 });
      if (path.includes(".")) return Promise.resolve({ type: "file", size: 0 });
      return Promise.reject(new FileSystemError("notFound", `No such file: "${path}"`));
    },
    list() {
      throw new FileSystemError("unsupported", "Nothing is listed");
    },
    openRead() {
      return Promise.reject(new FileSystemError("unsupported", "Nothing is read"));
    },
  };
}
