/**
 * Attributes of files: SIZE, MDTM (RFC 3659 §3, §4), MFMT, MFF (draft-somers-ftp-mfxx), SITE CHMOD, SITE UTIME, SITE UMASK.
 *
 * @module
 */

import type { FileInfo, FileType } from "../filesystem/filesystem.ts";
import { formatTimeValue, modeFact, parseFactChanges, parseTimeValue } from "../protocol/facts.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { type CommandContext, type CommandRequest, requestPath, requireMethod, statIfThere } from "./command.ts";
import { convertsLineEnds } from "./file_transfer.ts";

/** What SIZE is about. */
const RETRIEVABLE: readonly FileType[] = ["file"];
/** What MDTM and MFMT are about. RFC 3659 §3 leaves it to the server whether directories are. */
const DATED: readonly FileType[] = ["file", "directory"];
const MODE_REGEXP = /^0?[0-7]{3}$/;
const INVALID_TIME = reply(550, "Invalid time format; expected: YYYYMMDDHHMMSS.");
const NEEDS_TWO_ARGUMENTS = reply(501, "Syntax error: command needs two arguments.");

/** SIZE: the number of bytes that RETR would send, which in ASCII only sending would show. */
export async function size(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (convertsLineEnds(context)) return reply(550, "SIZE not allowed in ASCII mode.");
  const kept = await context.fileSystem.resumable?.(requestPath(request), request);
  if (kept !== undefined) return reply(213, String(kept));
  const info = await infoOf(context, request, RETRIEVABLE);
  return "code" in info ? info : reply(213, String(info.size));
}

/** MDTM; with a time before the path it sets that, as clients from before MFMT ask for. */
export async function modificationTime(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (request.argument !== "") return await setModified(context, request);
  const info = await infoOf(context, request, DATED);
  if ("code" in info) return info;
  const time = info.modified && formatTimeValue(info.modified);
  return time === undefined ? reply(550, "Modification time not available.") : reply(213, time);
}

/** What MDTM does when it sets the time. */
export function timeCommands(time: string): readonly string[] {
  return time === "" ? [] : ["MFMT"];
}

/** MFMT. */
export async function modifyTime(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (request.path === undefined) return NEEDS_TWO_ARGUMENTS;
  return await setModified(context, request);
}

async function setModified(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const modified = parseTimeValue(request.argument);
  if (modified === undefined) return INVALID_TIME;
  const info = await infoOf(context, request, DATED);
  if ("code" in info) return info;
  return reply(213, `${await setAndShow(context, request, modified)} ${path}.`);
}

/** Sets a time and shows the one that the file has then: not every file system can keep every time. */
async function setAndShow({ fileSystem }: CommandContext, request: CommandRequest, modified: Date): Promise<string> {
  const path = requestPath(request);
  await requireMethod(fileSystem, "setModified")(path, modified, request);
  const { modified: kept = modified } = await fileSystem.stat(path, request);
  return `Modify=${formatTimeValue(kept)};`;
}

/** The facts that MFF can change. */
export function changeableFacts(): readonly string[] {
  return ["MFF modify;unix.mode;"];
}

/** What MFF does by the facts that it changes. */
export function factCommands(argument: string): readonly string[] {
  return FACT_COMMANDS.filter(({ fact }) => fact.test(argument)).map(({ verb }) => verb);
}

const FACT_COMMANDS = [
  { fact: /(?:^|;)modify=/i, verb: "MFMT" },
  { fact: /(?:^|;)unix\.mode=/i, verb: "SITE CHMOD" },
] as const;

/** MFF: all facts are read before the first is changed. */
export async function modifyFacts(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (request.path === undefined) return NEEDS_TWO_ARGUMENTS;
  const changes = parseFactChanges(request.argument);
  if (changes === undefined) return reply(501, "Invalid facts; expected: modify=YYYYMMDDHHMMSS;unix.mode=NNN;");
  const { modified, mode, unknown } = changes;
  if (unknown !== undefined) return reply(504, `Fact "${unknown}" cannot be changed.`);
  const { fileSystem } = context;
  await fileSystem.stat(request.path, request);
  const done: string[] = [];
  if (mode !== undefined) {
    await requireMethod(fileSystem, "setMode")(request.path, mode, request);
    done.push(`UNIX.mode=${modeFact(mode)};`);
  }
  if (modified !== undefined) {
    done.push(await setAndShow(context, request, modified));
  }
  return reply(213, `${done.join("")} ${request.path}`);
}

/** SITE UTIME: the time is UTC; seconds may be left out. */
export async function setTimes(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (request.path === undefined) return NEEDS_TWO_ARGUMENTS;
  const modified = parseTimeValue(request.argument.padEnd(14, "0"));
  if (modified === undefined) return INVALID_TIME;
  await requireMethod(context.fileSystem, "setModified")(request.path, modified, request);
  return reply(200, "SITE UTIME successful.");
}

/** SITE CHMOD: three or four octal digits, no more than 777. */
export async function changeMode(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (request.path === undefined) return NEEDS_TWO_ARGUMENTS;
  if (!MODE_REGEXP.test(request.argument)) return reply(501, "Invalid SITE CHMOD format.");
  await requireMethod(context.fileSystem, "setMode")(request.path, Number.parseInt(request.argument, 8), request);
  return reply(200, "SITE CHMOD successful.");
}

/** SITE UMASK: holds for what the session makes from then on; that of the server's process holds beside it. */
export function chooseUmask(context: CommandContext, request: CommandRequest): Reply {
  if (request.argument === "") return reply(200, `UMASK is ${modeFact(context.session.umask)}.`);
  if (!MODE_REGEXP.test(request.argument)) return reply(501, "Invalid SITE UMASK format.");
  const umask = Number.parseInt(request.argument, 8);
  context.update({ umask });
  return reply(200, `UMASK set to ${modeFact(umask)}.`);
}

/** The attributes of something of the given types; what is not there is of none. */
async function infoOf(
  context: CommandContext,
  request: CommandRequest,
  types: readonly FileType[],
): Promise<FileInfo | Reply> {
  const path = requestPath(request);
  const info = await statIfThere(context.fileSystem, path, request);
  return info !== undefined && types.includes(info.type) ? info : reply(550, `${path} is not retrievable.`);
}
