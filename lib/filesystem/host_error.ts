/**
 * Turns the runtime's errors into those of the file system port.
 *
 * @module
 */

import { FileSystemError, type FileSystemErrorKind } from "./filesystem_error.ts";

const KINDS: Readonly<Record<string, FileSystemErrorKind>> = {
  EACCES: "permissionDenied",
  EBUSY: "busy",
  EDQUOT: "noSpace",
  EEXIST: "exists",
  EFBIG: "noSpace",
  EINVAL: "invalidName", // names FAT cannot hold; a directory renamed into itself
  EISDIR: "isDirectory",
  ELOOP: "notFound",
  ENAMETOOLONG: "invalidName",
  ENOENT: "notFound",
  ENOSPC: "noSpace",
  ENOTDIR: "notDirectory",
  ENOTEMPTY: "directoryNotEmpty",
  ENXIO: "notRegularFile", // a socket, or a FIFO nobody reads
  EPERM: "permissionDenied",
  EROFS: "permissionDenied",
  ETXTBSY: "busy",
  EXDEV: "unsupported",
};

/** System error numbers that the runtime gives no code for. */
const KINDS_BY_NUMBER: Readonly<Record<string, FileSystemErrorKind>> = {
  27: "noSpace", // EFBIG
  69: "noSpace", // EDQUOT on macOS and the BSDs
  122: "noSpace", // EDQUOT on Linux
};

/**
 * Gives the file system error that an error of the runtime stands for, with that as its cause; an unexpected one is given
 * back as it is.
 *
 * @param path Virtual path, for the message.
 */
export function asFileSystemError(error: unknown, path: string): unknown {
  if (error instanceof FileSystemError) return error;
  const kind = kindOf(error);
  if (kind === undefined) return error;
  return new FileSystemError(kind, `Cannot use "${path}": ${(error as Error).message}`, { cause: error });
}

/**
 * Runs an operation on the host.
 *
 * @param path Virtual path, for the message.
 * @throws {FileSystemError} When the operation throws an error that stands for one.
 */
export function onHost<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw asFileSystemError(error, path);
  }
}

function kindOf(error: unknown): FileSystemErrorKind | undefined {
  if (error instanceof Deno.errors.NotCapable) return "permissionDenied";
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return KINDS[error.code];
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  return number === undefined || Deno.build.os === "windows" ? undefined : KINDS_BY_NUMBER[number];
}
