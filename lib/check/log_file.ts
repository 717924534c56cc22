/**
 * The file of a log: whether and how it can be opened.
 *
 * @module
 */

import { close, constants, fstat, open } from "node:fs";
import { promisify } from "node:util";

/** How long a pipe that was only tried stays open. */
const PIPE_HELD_MS = 5000;
/** A pipe that nobody reads is not waited for. `O_NONBLOCK` is not known on Windows. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

/**
 * Opens a file to append to, which is made if it is not there, or a pipe. The caller closes it.
 *
 * @throws {Error} When it cannot be opened; code `ENXIO` for a pipe that nobody reads.
 */
export function openLogFile(path: string): Promise<number> {
  return promisify(open)(path, FLAGS, 0o640);
}

/**
 * Opens the file as {@linkcode openLogFile} does, and closes it; one that was not there is removed again.
 *
 * @throws {Error} As {@linkcode openLogFile}.
 */
export async function probeLogFile(path: string): Promise<void> {
  try {
    await release(await promisify(open)(path, FLAGS & ~constants.O_CREAT));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    await promisify(close)(await promisify(open)(path, FLAGS | constants.O_EXCL, 0o640));
    await Deno.remove(path);
  }
}

/** Closes what was opened; a pipe later, since its reader takes the end of the last writer for the end of all. */
async function release(fd: number): Promise<void> {
  const stats = await promisify(fstat)(fd);
  if (!stats.isFIFO()) return await promisify(close)(fd);
  Deno.unrefTimer(setTimeout(() => close(fd, () => {}), PIPE_HELD_MS));
}

/** What is wrong with a log that cannot be opened, in a few words. */
export function describeLogFailure(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return LOG_FAILURES[code] ?? (error instanceof Error ? error.message : String(error));
}

const LOG_FAILURES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder is a file",
  ENXIO: "nobody reads this pipe",
};
