/**
 * The gate: decides from the row of the table, and nothing else, whether a command may run.
 *
 * @module
 */

import {
  type CommandContext,
  type CommandRequest,
  type CommandSpec,
  hasPermission,
  mayMove,
  mayRun,
} from "../commands/command.ts";
import { NOT_LOGGED_IN } from "../commands/information.ts";
import { FileSystemError } from "../filesystem/filesystem.ts";
import { type CommandLine, looksLikeVerb } from "../protocol/command_line.ts";
import {
  type ArgumentReading,
  hasForbiddenCharacter,
  locatePathname,
  parentPath,
  resolvePathname,
} from "../protocol/pathname.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { Session } from "../session/session.ts";
import { requiresTlsOnControl, requiresTlsOnData } from "../settings/settings.ts";

const RESTART_RESET = { restartOffset: 0 };

/** What the gate decides. */
export type Admission =
  | { readonly row: CommandSpec; readonly request: CommandRequest }
  | { readonly refusal: Reply };

/**
 * Checks in one fixed order: known, argument, TLS, login, sequence, transfer running, data protection, capability, path,
 * permission.
 *
 * @param transferEnded Waits for the running transfer, if there is one, before the command of the row.
 * @returns At once where nothing has to be waited for, as by most commands.
 */
export function admit(
  context: CommandContext,
  given: CommandLine,
  transferEnded: () => Promise<void> | undefined,
): Admission | Promise<Admission> {
  const row = context.findCommand(given.verb);
  if (row === undefined) return { refusal: reply(500, notUnderstood(given)) };
  const line = withoutStrayBlanks(row, given);
  const before = context.session;
  // REST and RNFR hold for the next command of their kind, even one that is refused (RFC 959 §4.1.3, RFC 3659 §5.3)
  const resets = row.dataConnection === "uses" ? RESTART_RESET : row.resets;
  if (resets !== undefined) context.update(resets);
  const refusal = refuseArgument(row, line) ?? refuseBeforeTls(context, row) ?? refuseBeforeLogin(context, row, line) ??
    row.sequence?.(before);
  if (refusal !== undefined) return { refusal };
  const opensAwaitedPort = row.dataConnection === "prepares" && context.dataPort.isAwaited;
  const waiting = row.duringTransfer || opensAwaitedPort ? undefined : transferEnded();
  if (waiting === undefined) return admitNow(context, row, line, before);
  return waiting.then(() => admitNow(context, row, line, before));
}

function admitNow(
  context: CommandContext,
  row: CommandSpec,
  line: CommandLine,
  { restartOffset, renameFrom }: Session,
): Admission | Promise<Admission> {
  const refusal = refuseClearData(context, row) ?? refuseMissingCapability(context, row);
  if (refusal !== undefined) return { refusal };
  const request: CommandRequest = {
    verb: row.verb,
    argument: line.argument,
    pathname: "",
    path: undefined,
    signal: context.signal,
    ...restartOffset > 0 && { restartOffset },
    ...renameFrom !== undefined && { renameFrom },
  };
  return row.permission === undefined ? { row, request } : admitPath(context, row, request);
}

/** Blanks behind an argument that can have none at its end: `MODE S ` means `MODE S`. */
function withoutStrayBlanks(row: CommandSpec, line: CommandLine): CommandLine {
  const isVerbatim = row.argument !== "none" && (row.verbatim === true || row.pathname !== undefined);
  if (isVerbatim || !line.argument.endsWith(" ")) return line;
  let end = line.argument.length;
  while (line.argument[end - 1] === " ") end--;
  return { ...line, argument: line.argument.slice(0, end) };
}

function notUnderstood({ verb }: CommandLine): string {
  return looksLikeVerb(verb) ? `Command "${verb}" not understood.` : "Command not understood.";
}

function refuseArgument(row: CommandSpec, line: CommandLine): Reply | undefined {
  if (row.argument === "required" && line.argument === "") {
    return reply(501, "Syntax error: command needs an argument.");
  }
  if (row.argument === "none" && line.argument !== "") {
    return reply(501, "Syntax error: command does not accept arguments.");
  }
  return undefined;
}

function refuseBeforeTls(context: CommandContext, row: CommandSpec): Reply | undefined {
  const refused = !row.beforeTls && context.session.tls === undefined && requiresTlsOnControl(context.settings);
  return refused ? reply(550, "SSL/TLS required on the control channel.") : undefined;
}

function refuseBeforeLogin(context: CommandContext, row: CommandSpec, line: CommandLine): Reply | undefined {
  if (context.session.login.state === "loggedIn" || row.beforeLogin === true) return undefined;
  if (row.beforeLogin === "withoutArgument" && line.argument === "") return undefined;
  return NOT_LOGGED_IN;
}

function refuseClearData(context: CommandContext, row: CommandSpec): Reply | undefined {
  if (!requiresTlsOnData(context.settings) || context.session.protection === "P") return undefined;
  switch (row.dataConnection) {
    case "prepares":
      return reply(550, "SSL/TLS required on the data channel.");
    case "uses":
      return reply(521, "Data connections must be protected; use PBSZ 0 and PROT P.");
    default:
      return undefined;
  }
}

function refuseMissingCapability(context: CommandContext, row: CommandSpec): Reply | undefined {
  const missing = row.needs !== undefined && context.account.fileSystem[row.needs] === undefined;
  return missing ? reply(502, "Not implemented by this file system.") : undefined;
}

async function admitPath(context: CommandContext, row: CommandSpec, asked: CommandRequest): Promise<Admission> {
  const { argument, pathname } = await readArgument(context, row, asked.argument);
  if (hasForbiddenCharacter(pathname)) return { refusal: reply(553, "File name not allowed.") };
  const path = pathname === ""
    ? defaultPath(context, row, asked.argument)
    : resolvePathname(context.session.directory, pathname);
  const request = { ...asked, argument, pathname, path };
  return await isPermitted(context, row, request)
    ? { row, request }
    : { refusal: reply(550, "Not enough privileges.") };
}

/** The reading whose pathname leads to something. Those before the last one are asked, the last one is taken as it is. */
async function readArgument(context: CommandContext, row: CommandSpec, argument: string): Promise<ArgumentReading> {
  const none = { argument, pathname: "" };
  if (row.pathname === undefined) return none;
  const readings = locatePathname(argument, row.pathname);
  for (const reading of readings.slice(0, -1)) if (await exists(context, reading.pathname)) return reading;
  return readings.at(-1) ?? none;
}

async function exists({ fileSystem, session, signal }: CommandContext, pathname: string): Promise<boolean> {
  if (hasForbiddenCharacter(pathname)) return false;
  try {
    await fileSystem.stat(resolvePathname(session.directory, pathname), { signal });
    return true;
  } catch (error) {
    if (error instanceof FileSystemError) return false;
    throw error;
  }
}

/** A command whose path is missing asks for no right: it refuses itself. */
async function isPermitted(context: CommandContext, row: CommandSpec, request: CommandRequest): Promise<boolean> {
  if (row.permission === undefined || (row.pathname !== undefined && request.path === undefined)) return true;
  const { account } = context;
  const path = request.path ?? context.session.directory;
  if (!await hasPermission(account, row.permission, path, request)) return false;
  for (const verb of row.furtherCommands?.(request.argument) ?? []) {
    if (!await mayRun(context, request, { verb, account, path })) return false;
  }
  return !row.movesTree || await mayMove(account, path, request);
}

function defaultPath(context: CommandContext, row: CommandSpec, argument: string): string | undefined {
  const { directory } = context.session;
  switch (row.defaultPath) {
    case "current":
      return directory;
    case "currentBehindFlags":
      return argument === "" ? undefined : directory;
    case "parent":
      return parentPath(directory);
    case "root":
      return "/";
    default:
      return undefined;
  }
}
