/**
 * POSIX mode bits of the host's files.
 *
 * @module
 */

/**
 * Reads the lower 12 mode bits of a file; `undefined` where the system has none. On Windows the runtime makes up 0666 for
 * every file, which says nothing about who may read or write it there.
 *
 * @param os `Deno.build.os`.
 */
export function modeBits(mode: number | null, os: string): number | undefined {
  return mode === null || os === "windows" ? undefined : mode & 0o7777;
}
