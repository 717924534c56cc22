/**
 * Files and directories: DELE, RMD, MKD, RNFR, RNTO (RFC 959 §4.1.3).
 *
 * @module
 */

import type { CallOptions, FileSystem } from "../filesystem/filesystem.ts";
import { FileSystemError } from "../filesystem/filesystem_error.ts";
import { quotePathname } from "../protocol/pathname.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { Session } from "../session/session.ts";
import { type CommandContext, type CommandRequest, requestPath, requireMethod } from "./command.ts";

/** DELE. */
export async function deleteFile(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  if (path === "/") throw new FileSystemError("isDirectory", "Cannot remove the root as a file");
  await requireMethod(context.fileSystem, "remove")(path, request);
  return reply(250, "File removed.");
}

/** RMD. */
export async function removeDirectory(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  if (path === "/") return reply(550, "Can't remove root directory.");
  await requireMethod(context.fileSystem, "removeDirectory")(path, request);
  return reply(250, "Directory removed.");
}

/** MKD: the reply quotes the absolute path (RFC 959 appendix II). */
export async function makeDirectory(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const { signal } = request;
  await requireMethod(context.fileSystem, "makeDirectory")(path, { umask: context.session.umask, signal });
  return reply(257, `${quotePathname(path)} directory created.`);
}

/** RNFR. */
export async function renameFrom(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  if (path === "/") return reply(550, "Can't rename home directory.");
  await context.fileSystem.stat(path, request);
  context.update({ renameFrom: path });
  return reply(350, "Ready for destination name.");
}

/** Refuses RNTO where no RNFR stands before it. */
export function renameSequence(session: Session): Reply | undefined {
  return session.renameFrom === undefined ? reply(503, "Bad sequence of commands: use RNFR first.") : undefined;
}

/** RNTO. */
export async function renameTo(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const { renameFrom } = request;
  if (renameFrom === undefined) throw new Error("RNTO was admitted without RNFR");
  const { fileSystem } = context;
  const path = requestPath(request);
  if (!context.settings.upload.overwrite) await requireFree(fileSystem, path, request);
  await requireMethod(fileSystem, "rename")(renameFrom, path, request);
  return reply(250, "Renaming ok.");
}

async function requireFree(fileSystem: FileSystem, path: string, options: CallOptions): Promise<void> {
  try {
    await fileSystem.stat(path, options);
  } catch (error) {
    if (error instanceof FileSystemError && error.kind === "notFound") return;
    throw error;
  }
  throw new FileSystemError("exists", `Cannot rename to "${path}": it exists`);
}
