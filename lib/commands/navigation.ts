/**
 * Navigation: CWD, CDUP, PWD (RFC 959 §4.1.1, §4.1.3).
 *
 * @module
 */

import { FileSystemError } from "../filesystem/filesystem_error.ts";
import { quotePathname } from "../protocol/pathname.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { directoryChanged } from "../session/transitions.ts";
import { type CommandContext, type CommandRequest, requestPath } from "./command.ts";

/** CWD and CDUP: the row tells the directory. */
export async function changeDirectory(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const info = await context.fileSystem.stat(path, request);
  if (info.type !== "directory") throw new FileSystemError("notDirectory", `Not a directory: "${path}"`);
  context.update(directoryChanged(context.session, path));
  return reply(250, `"${path}" is the current directory.`);
}

/** PWD: quotes in the name are doubled (RFC 959 appendix II). */
export function printDirectory(context: CommandContext): Reply {
  return reply(257, `${quotePathname(context.session.directory)} is the current directory.`);
}
