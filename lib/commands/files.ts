/**
 * Files and directories: CWD, CDUP, PWD (RFC 959 §4.1.1, §4.1.3), DELE, RMD, MKD, RNFR, RNTO (RFC 959 §4.1.3).
 *
 * @module
 */

import { type CallOptions, type FileSystem, FileSystemError } from "../filesystem/filesystem.ts";
import { joinPathname, quotePathname } from "../protocol/pathname.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { Session } from "../session/session.ts";
import { type CommandContext, type CommandRequest, requestPath, requireMethod, statIfThere } from "./command.ts";

/** CWD and CDUP: the row says which directory. */
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

/** Refuses RNTO where no RNFR came before it. */
export function renameSequence(session: Session): Reply | undefined {
  return session.renameFrom === undefined ? reply(503, "Bad sequence of commands: use RNFR first.") : undefined;
}

/** RNTO. */
export async function renameTo(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const { renameFrom } = request;
  if (renameFrom === undefined) throw new Error("RNTO was admitted without RNFR");
  const { fileSystem } = context;
  const path = requestPath(request);
  if (!context.settings.upload.overwrite && await statIfThere(fileSystem, path, request) !== undefined) {
    throw new FileSystemError("exists", `Cannot rename to "${path}": it exists`);
  }
  await requireMethod(fileSystem, "rename")(renameFrom, path, request);
  return reply(250, "Renaming ok.");
}
