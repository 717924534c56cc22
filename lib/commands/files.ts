/**
 * Files and directories: DELE, RMD, MKD, RNFR, RNTO (RFC 959 §4.1.3), SIZE, MDTM (RFC 3659 §3, §4), MFMT
 * (draft-somers-ftp-mfxx), SITE CHMOD.
 *
 * @module
 */

import type { FileInfo } from "../filesystem/filesystem.ts";
import { quotePathname } from "../protocol/pathname.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { formatTimeValue, parseTimeValue } from "../protocol/time_value.ts";
import type { Session } from "../session/session.ts";
import { renameMarked } from "../session/transitions.ts";
import { type CommandContext, type CommandRequest, offered, requestPath } from "./command.ts";
import { convertsLineEnds } from "./restart.ts";

/** DELE. */
export async function deleteFile(context: CommandContext, request: CommandRequest): Promise<Reply> {
  await offered(context.account.fileSystem, "remove")(requestPath(request));
  return reply(250, "File removed.");
}

/** RMD. */
export async function removeDirectory(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  if (path === "/") return reply(550, "Can't remove root directory.");
  await offered(context.account.fileSystem, "removeDirectory")(path);
  return reply(250, "Directory removed.");
}

/** MKD: the reply quotes the absolute path (RFC 959 appendix II). */
export async function makeDirectory(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  await offered(context.account.fileSystem, "makeDirectory")(path);
  return reply(257, `${quotePathname(path)} directory created.`);
}

/** RNFR. */
export async function renameFrom(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  if (path === "/") return reply(550, "Can't rename home directory.");
  await context.account.fileSystem.stat(path);
  context.update(renameMarked(context.session, path));
  return reply(350, "Ready for destination name.");
}

/** Refuses RNTO where no RNFR stands before it. */
export function renameSequence(session: Session): Reply | undefined {
  return session.renameFrom === undefined ? reply(503, "Bad sequence of commands: use RNFR first.") : undefined;
}

/** RNTO: uses the name up, also when it fails. */
export async function renameTo(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const { renameFrom } = context.session;
  if (renameFrom === undefined) throw new Error("RNTO was admitted without RNFR");
  context.update(renameMarked(context.session, undefined));
  await offered(context.account.fileSystem, "rename")(renameFrom, requestPath(request));
  return reply(250, "Renaming ok.");
}

/** SIZE: the number of bytes that RETR would send, which in ASCII only sending would tell. */
export async function size(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (convertsLineEnds(context)) return reply(550, "SIZE not allowed in ASCII mode.");
  const info = await retrievable(context, request);
  return "code" in info ? info : reply(213, String(info.size));
}

/** MDTM. */
export async function modificationTime(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const info = await retrievable(context, request);
  if ("code" in info) return info;
  const time = info.modified && formatTimeValue(info.modified);
  return time === undefined ? reply(550, "Modification time not available.") : reply(213, time);
}

/** MFMT. */
export async function modifyTime(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (request.path === undefined) return NEEDS_TWO_ARGUMENTS;
  const modified = parseTimeValue(request.argument);
  if (modified === undefined) return reply(550, "Invalid time format; expected: YYYYMMDDHHMMSS.");
  const info = await retrievable(context, request);
  if ("code" in info) return info;
  await offered(context.account.fileSystem, "setModified")(request.path, modified);
  return reply(213, `Modify=${formatTimeValue(modified)}; ${request.path}.`);
}

/** SITE CHMOD: three or four octal digits, no more than 777. */
export async function changeMode(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (request.path === undefined) return NEEDS_TWO_ARGUMENTS;
  if (!/^0?[0-7]{3}$/.test(request.argument)) return reply(501, "Invalid SITE CHMOD format.");
  await offered(context.account.fileSystem, "setMode")(request.path, Number.parseInt(request.argument, 8));
  return reply(200, "SITE CHMOD successful.");
}

const NEEDS_TWO_ARGUMENTS = reply(501, "Syntax error: command needs two arguments.");

async function retrievable(context: CommandContext, request: CommandRequest): Promise<FileInfo | Reply> {
  const path = requestPath(request);
  const info = await context.account.fileSystem.stat(path);
  return info.type === "file" ? info : reply(550, `${path} is not retrievable.`);
}
