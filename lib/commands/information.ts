/**
 * Information and options: FEAT, OPTS (RFC 2389), LANG (RFC 2640), HELP, SITE HELP, STAT, SYST, NOOP (RFC 959 §4.1.3), CLNT.
 *
 * @module
 */

import { formatFeatureFacts, parseFactSelection } from "../protocol/facts.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import { multilineReply, type Reply, reply } from "../protocol/reply.ts";
import { UTF8 } from "../protocol/text_encoding.ts";
import type { Session } from "../session/session.ts";
import type { Direction } from "../transport/connection.ts";
import { type CommandContext, type CommandRequest, type CommandSpec, namesOf } from "./command.ts";
import { chooseHash } from "./hash.ts";
import { statusOfPath } from "./listing.ts";

/** Refuses what needs a login. */
export const NOT_LOGGED_IN: Reply = reply(530, "Log in with USER and PASS first.");

const SITE = "SITE ";
const NAMES_A_ROW = 8;

/** FEAT: what the table says, sorted. Without a user nobody can know what the file system offers; all is listed then. */
export function features(context: CommandContext): Reply {
  const lines = context.commands
    .filter((row) => row.needs === undefined || offersCapability(context, row.needs))
    .flatMap((row) => row.features?.(context) ?? [])
    .sort();
  return multilineReply(211, ["Features supported:", ...lines.map((line) => ` ${line}`), "End FEAT."]);
}

function offersCapability(context: CommandContext, needs: NonNullable<CommandSpec["needs"]>): boolean {
  const { login } = context.session;
  return login.state !== "loggedIn" || login.account.fileSystem[needs] !== undefined;
}

/** The MLST line of FEAT; the chosen facts have a star (RFC 3659 §7.8). */
export function factFeature(context: CommandContext): readonly string[] {
  return [`MLST ${formatFeatureFacts(context.session.facts)}`];
}

/** The UTF8 line of FEAT (RFC 2640 §3.2), where that is spoken. */
export function utf8Feature({ session }: CommandContext): readonly string[] {
  return session.encoding === UTF8 ? ["UTF8"] : [];
}

/** OPTS: MLST chooses facts, HASH an algorithm, UTF8 that encoding. */
export function options(context: CommandContext, request: CommandRequest): Reply {
  const [name = "", ...rest] = request.argument.split(" ");
  switch (name.toUpperCase()) {
    case "UTF8":
    case "UTF-8":
      return chooseUtf8(context, rest.join(" "));
    case "HASH":
      return chooseHash(context, rest.join(" "));
    case "MLST":
      return rest.length > 1 ? reply(501, "Invalid number of arguments.") : chooseFacts(context, rest[0] ?? "");
    default:
      // Before the login there is nothing but what clients are known to need then.
      if (context.session.login.state !== "loggedIn") return NOT_LOGGED_IN;
      return reply(501, `Unsupported command "${name.toUpperCase()}".`);
  }
}

/** Clients ask for UTF-8 whether or not there is anything else; only where there is can they leave it again. */
function chooseUtf8(context: CommandContext, argument: string): Reply {
  const { defaultEncoding } = context;
  if (defaultEncoding === UTF8) return reply(200, "Always in UTF8 mode.");
  const isOff = argument.toUpperCase() === "OFF";
  context.update({ encoding: isOff ? defaultEncoding : UTF8 });
  return reply(200, isOff ? "UTF8 mode off." : "UTF8 mode on.");
}

function chooseFacts(context: CommandContext, argument: string): Reply {
  const facts = parseFactSelection(argument);
  if (facts === undefined) return reply(501, "Invalid argument.");
  context.update({ facts });
  return reply(200, `MLST OPTS ${facts.map((fact) => `${fact};`).join("")}`);
}

/** HELP: all names, or the syntax of one. */
export function help(context: CommandContext, request: CommandRequest): Reply {
  if (request.argument !== "") return helpOn(context, request.argument) ?? reply(501, "Unrecognized command.");
  const names = context.commands.flatMap(namesOf).filter((name) => !name.startsWith(SITE)).sort();
  return multilineReply(214, [
    "The following commands are recognized:",
    ...rows(names),
    "Help command successful.",
  ]);
}

/** SITE HELP: the same for the SITE commands. */
export function siteHelp(context: CommandContext, request: CommandRequest): Reply {
  const { argument } = request;
  if (argument !== "") {
    return helpOn(context, `${SITE}${argument}`) ?? helpOn(context, argument) ??
      reply(501, "Unrecognized SITE command.");
  }
  const names = context.commands.flatMap(namesOf).filter((name) => name.startsWith(SITE)).sort();
  return multilineReply(214, [
    "The following SITE commands are recognized:",
    ...names.map((name) => ` ${name.slice(SITE.length)}`),
    "Help SITE command successful.",
  ]);
}

function helpOn(context: CommandContext, name: string): Reply | undefined {
  const row = context.findCommand(name.toUpperCase());
  return row && reply(214, `Syntax: ${row.help}`);
}

function rows(names: readonly string[]): string[] {
  const count = Math.ceil(names.length / NAMES_A_ROW);
  return Array.from(
    { length: count },
    (_, index) =>
      names.slice(index * NAMES_A_ROW, (index + 1) * NAMES_A_ROW).map((name) => ` ${name.padEnd(6)}`).join(""),
  );
}

/** STAT: the session's state, or with a path a listing. */
export function status(context: CommandContext, request: CommandRequest): Reply | Promise<Reply> {
  return request.path === undefined ? sessionStatus(context) : statusOfPath(context, request);
}

function sessionStatus(context: CommandContext): Reply {
  const { session } = context;
  return multilineReply(211, [
    "FTP server status:",
    ` Connected to: ${formatSocketAddress(session.local)}`,
    ` ${loginStatus(session)}`,
    ` TYPE: ${session.type === "A" ? "ASCII" : "Binary"}; STRUcture: File; MODE: Stream`,
    ...dataStatus(context).map((line) => ` ${line}`),
    "End of status.",
  ]);
}

function loginStatus(session: Session): string {
  switch (session.login.state) {
    case "none":
      return "Waiting for username.";
    case "passwordExpected":
      return "Waiting for password.";
    case "loggedIn":
      return `Logged in as: ${session.login.account.username}`;
  }
}

/** What has gone over a data connection; one whose transfer has not begun has no direction. */
interface MovedBytes {
  readonly bytes: number;
  readonly seconds: number;
  readonly direction?: Direction | undefined;
}

function dataStatus(context: CommandContext): readonly string[] {
  const { transfer, dataPort } = context;
  if (transfer?.direction !== undefined) return openDataStatus(transfer);
  switch (dataPort.state) {
    case "closed":
      return ["Data connection closed."];
    case "listening":
      return ["Passive data channel waiting for connection."];
    case "connected":
    case "ended":
      return openDataStatus({ bytes: 0, seconds: 0 });
  }
}

function openDataStatus({ bytes, direction, seconds }: MovedBytes): readonly string[] {
  return [
    "Data connection open:",
    `Total bytes sent: ${direction === "send" ? bytes : 0}`,
    `Total bytes received: ${direction === "receive" ? bytes : 0}`,
    `Transfer elapsed time: ${seconds.toFixed(1)} secs`,
  ];
}

/** LANG: replies are in English (RFC 2640 §4.1). */
export function language(_context: CommandContext, request: CommandRequest): Reply {
  const isEnglish = request.argument === "" || /^en(?:-|$)/i.test(request.argument);
  return isEnglish ? reply(200, "Replies are in English.") : reply(504, "Replies are in English only.");
}

/** SYST: makes clients parse listings as those of `ls -l`. */
export function system(): Reply {
  return reply(215, "UNIX Type: L8");
}

/** NOOP. */
export function noOperation(): Reply {
  return reply(200, "I successfully did nothing.");
}

/** CLNT: the client's name, which changes nothing. */
export function clientName(): Reply {
  return reply(200, "Noted.");
}
