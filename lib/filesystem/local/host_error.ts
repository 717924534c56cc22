/**
 * Turns the runtime's errors into those of the file system port.
 *
 * @module
 */

import { FileSystemError, type FileSystemErrorKind } from "../filesystem.ts";

const IS_WINDOWS = Deno.build.os === "windows";

const KINDS: Readonly<Record<string, FileSystemErrorKind>> = {
  EACCES: "permissionDenied",
  EAGAIN: "busy", // somebody has a lease on the file, and is asked to end it
  // On Windows somebody has the file open; elsewhere it is a mount point, which will not pass
  EBUSY: IS_WINDOWS ? "busy" : "permissionDenied",
  EDQUOT: "noSpace",
  EEXIST: "exists",
  EFBIG: "noSpace",
  EINVAL: "invalidName", // names FAT cannot hold; a directory renamed into itself
  EISDIR: "isDirectory",
  ELOOP: "notFound",
  EMLINK: "noSpace", // the directory has as many as it can hold
  ENAMETOOLONG: "invalidName",
  ENOENT: "notFound",
  ENOSPC: "noSpace",
  ENOSYS: "unsupported",
  ENOTDIR: "notDirectory",
  ENOTEMPTY: "directoryNotEmpty",
  ENOTSUP: "unsupported",
  ENXIO: "notRegularFile", // a socket, or a FIFO nobody reads
  EOPNOTSUPP: "unsupported",
  EPERM: "permissionDenied",
  EROFS: "permissionDenied",
  ETXTBSY: "permissionDenied", // a program that runs
  EXDEV: "permissionDenied", // renamed to another mount
};

/** System error numbers that the runtime has no code for. */
const KINDS_BY_NUMBER: Readonly<Record<string, FileSystemErrorKind>> = {
  27: "noSpace", // EFBIG
  31: "noSpace", // EMLINK
  69: "noSpace", // EDQUOT on macOS and the BSDs
  122: "noSpace", // EDQUOT on Linux
};

/**
 * Returns the file system error that an error of the runtime means, with that as its cause; an unexpected one is returned
 * as it is.
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
 * @throws {FileSystemError} When the operation throws an error that means one.
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
  if ("code" in error && typeof error.code === "string" && error.code !== "UNKNOWN") return KINDS[error.code];
  const number = numberOf(error);
  return number === undefined || IS_WINDOWS ? undefined : KINDS_BY_NUMBER[number];
}

/** `node:fs` has it as a negative field beside the code UNKNOWN, Deno in its message. */
function numberOf(error: Error): string | undefined {
  if ("errno" in error && typeof error.errno === "number") return String(Math.abs(error.errno));
  return /\(os error (\d+)\)/.exec(error.message)?.[1];
}
