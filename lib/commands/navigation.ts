/**
 * Navigation: CWD, CDUP, PWD (RFC 959 §4.1.1, §4.1.3).
 *
 * @module
 */

import type { CallOptions, FileSystem } from "../filesystem/filesystem.ts";
import { FileSystemError } from "../filesystem/filesystem_error.ts";
import { joinPathname, quotePathname } from "../protocol/pathname.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { type CommandContext, type CommandRequest, requestPath } from "./command.ts";

/** CWD and CDUP: the row tells the directory. */
export async function changeDirectory(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const info = await context.fileSystem.stat(path, request);
  if (info.type !== "directory") throw new FileSystemError("notDirectory", `Not a directory: "${path}"`);
  if (info.mode !== undefined) await assertSearchable(context.fileSystem, path, request);
  context.update({ directory: path });
  return reply(250, `"${path}" is the current directory.`);
}

/** Refuses a directory whose bits let nobody reach what is in it: whether something is there cannot be asked then. */
async function assertSearchable(fileSystem: FileSystem, path: string, options: CallOptions): Promise<void> {
  try {
    await fileSystem.stat(joinPathname(path, "x"), options);
  } catch (error) {
    if (!(error instanceof FileSystemError) || error.kind === "permissionDenied") throw error;
  }
}

/** PWD: quotes in the name are doubled (RFC 959 appendix II). */
export function printDirectory(context: CommandContext): Reply {
  return reply(257, `${quotePathname(context.session.directory)} is the current directory.`);
}
