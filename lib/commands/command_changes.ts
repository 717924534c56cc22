/**
 * What a program may change about the commands: less than there is, more SITE commands, and nothing that lifts a rule.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import { ALL_PERMISSIONS, type PermissionLetter, WRITE_PERMISSIONS } from "../accounts/permission.ts";
import { abortable } from "../deadline.ts";
import type { SessionEvent } from "../events.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { sessionEvent } from "../session/session.ts";
import { type CommandContext, type CommandRequest, type CommandSpec, namesOf } from "./command.ts";
import { ALL_COMMANDS, CommandTable } from "./command_table.ts";

/** A command of a logged-in user that all rules permit. */
export interface PermittedCommand extends SessionEvent {
  /** Who asks. */
  readonly account: Account;
  /** Verb, upper case, also where an alias was sent; a SITE command has both words. */
  readonly command: string;
  /** Argument as it was sent, without the pathname where it has more than that. */
  readonly argument: string;
  /** Virtual path that the command is about; `undefined` for those that are about none. */
  readonly path: string | undefined;
  /** Aborts when nobody waits for the command any more: by ABOR, or at the end of the session. */
  readonly signal: AbortSignal;
}

/** Code with which a SITE command may be answered (RFC 959 §4.2). */
export type SiteReplyCode = 200 | 202 | 211 | 213 | 214 | 250 | 450 | 451 | 452 | 501 | 503 | 504 | 550 | 552 | 553;

/** Answer to a SITE command. */
export interface SiteReply {
  /** 2yz: it was done; 4yz: not now; 5yz: not at all. */
  readonly code: SiteReplyCode;
  /** One line, or several that are separated by LF. CR and NUL are sent as `?`. */
  readonly text: string;
}

/** A SITE command of a program's own (RFC 959 §4.1.3). It can be used after the login, as the TLS policy wants it. */
export interface SiteCommand {
  /** Word after SITE, one to ten ASCII letters; clients may write it in small letters. */
  readonly name: string;
  /**
   * Whether an argument must, may or must not follow.
   *
   * @default {"none"}
   */
  readonly argument?: "none" | "optional" | "required";
  /** Right that the user needs, for the path or else for the current directory. Read letters are what anonymous users have. */
  readonly permission: PermissionLetter;
  /**
   * Whether the argument is a pathname: it is resolved, never leads out of the root, and `permission` is asked for it.
   *
   * @default {false}
   */
  readonly isPathname?: boolean;
  /** What SITE HELP says behind the syntax, such as `"count the files of a directory"`. */
  readonly help: string;
  /**
   * Does it. A string is the text of a 200. A thrown `FileSystemError` is answered as such an error always is, any other by
   * 451, which says nothing but the session's id.
   */
  run(command: PermittedCommand): SiteReply | string | Promise<SiteReply | string>;
}

/** Changes of the commands. */
export interface CommandChanges {
  /**
   * Commands that are not offered: answered like unknown ones (500), and not listed by HELP and FEAT. A verb takes its
   * aliases with it; a SITE command has both words, such as `"SITE CHMOD"`.
   */
  readonly disabled?: readonly string[];
  /**
   * Other rights by verb, such as `{ MFMT: "M" }`. What asks for a write letter (`adfmwMT`) can only ask for another one of
   * them, and what asks for a read letter (`elr`) for any.
   */
  readonly permissions?: Readonly<Record<string, PermissionLetter>>;
  /**
   * Asked before each command after the login that all rules permit, but QUIT, USER and others that need no login, and ABOR.
   * A text refuses it with 550.
   */
  readonly refuse?: (command: PermittedCommand) => string | undefined | Promise<string | undefined>;
  /** SITE commands beside those there are. One of the same name has to be disabled first. */
  readonly site?: readonly SiteCommand[];
}

/** Without these no client gets in or out. */
const INDISPENSABLE = ["USER", "PASS", "AUTH", "PBSZ", "PROT", "QUIT"];
const SITE_REPLY_CODES: readonly SiteReplyCode[] = [
  ...[200, 202, 211, 213, 214, 250] as const,
  ...[450, 451, 452] as const,
  ...[501, 503, 504, 550, 552, 553] as const,
];
const SITE_NAME = /^[A-Za-z]{1,10}$/;

/**
 * The commands with changes.
 *
 * @throws {RangeError} When a change names no command, or one that cannot be changed like that.
 */
export function changedCommands(changes: CommandChanges): CommandTable {
  const { disabled = [], permissions = {}, refuse, site = [] } = changes;
  const without = disabled.map(findDisabled);
  const letters = new Map(Object.entries(permissions).map(([verb, letter]) => [changeable(verb, letter), letter]));
  const kept = ALL_COMMANDS.rows.filter((row) => !without.includes(row)).map((row) => {
    const permission = letters.get(row);
    return permission === undefined ? row : { ...row, permission };
  });
  const rows = [...kept, ...site.map((command) => siteRow(command, kept))];
  requireUnique(rows);
  return new CommandTable(refuse === undefined ? rows : rows.map((row) => refusable(row, refuse)));
}

function findDisabled(verb: string): CommandSpec {
  const row = findRow("disable", verb);
  if (INDISPENSABLE.includes(row.verb)) throw new RangeError(`Cannot disable ${row.verb}: no client could do without`);
  return row;
}

function findRow(change: string, verb: string): CommandSpec {
  const row = ALL_COMMANDS.find(verb.toUpperCase());
  if (row === undefined) throw new RangeError(`Cannot ${change} "${verb}": there is no such command`);
  return row;
}

/** Finds a row whose letter may become this one. */
function changeable(verb: string, letter: string): CommandSpec {
  const row = findRow("change the permission of", verb);
  const { permission } = row;
  if (permission === undefined) throw new RangeError(`Cannot change the permission of ${row.verb}: it needs none`);
  const choices = WRITE_PERMISSIONS.includes(permission) ? WRITE_PERMISSIONS : ALL_PERMISSIONS;
  if (letter.length === 1 && choices.includes(letter)) return row;
  throw new RangeError(`Cannot use the permission "${letter}" for ${row.verb}: it must be one of ${choices}`);
}

function siteRow(command: SiteCommand, others: readonly CommandSpec[]): CommandSpec {
  const { name, argument = "none", permission, isPathname = false, help } = command;
  if (!SITE_NAME.test(name)) throw new RangeError(`Cannot add SITE "${name}": a name is one to ten ASCII letters`);
  if (permission.length !== 1 || !ALL_PERMISSIONS.includes(permission)) {
    throw new RangeError(`Cannot add SITE ${name}: its permission "${permission}" is no letter of a right`);
  }
  const verb = `SITE ${name.toUpperCase()}`;
  if (others.some((row) => namesOf(row).includes(verb))) {
    throw new RangeError(`Cannot add ${verb}: there is one; disable that first`);
  }
  return {
    verb,
    argument,
    ...argument !== "none" && { verbatim: true },
    permission,
    ...isPathname && { pathname: "whole" },
    help: `${verb}${SYNTAX[argument][isPathname ? 1 : 0]} (${help})`,
    rfc: "a command of this server",
    run: async (context, request) => {
      const answer = Promise.try(() => command.run(permittedCommand(context, request)));
      return toReply(verb, await abortable(answer, request.signal));
    },
  };
}

/** Arguments as HELP shows them: text, pathname. */
const SYNTAX = {
  none: ["", ""],
  optional: [" [<SP> argument]", " [<SP> path]"],
  required: [" <SP> argument", " <SP> path"],
} as const;

function requireUnique(rows: readonly CommandSpec[]): void {
  const names = rows.flatMap(namesOf);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RangeError(`Cannot add ${twice} twice`);
}

/** The types do not hold programs in JavaScript, and a 331 or 221 would confuse every client. */
function toReply(verb: string, answer: SiteReply | string): Reply {
  const { code, text } = typeof answer === "string" ? { code: 200, text: answer } as const : answer;
  if (typeof text !== "string") throw new TypeError(`Cannot answer ${verb} with something that is no text`);
  if (!SITE_REPLY_CODES.includes(code)) throw new TypeError(`Cannot answer ${verb} with code ${code}`);
  return reply(code, text);
}

type Refuse = NonNullable<CommandChanges["refuse"]>;

/** Commands that belong to no login, and the one that ends what is under way, are never refused. */
function refusable(row: CommandSpec, refuse: Refuse): CommandSpec {
  if (row.beforeLogin === true || row.interruptsTransfer) return row;
  return {
    ...row,
    async run(context, request) {
      // STAT without a path needs no login.
      const isLoggedIn = context.session.login.state === "loggedIn";
      const answer = Promise.try(() => isLoggedIn ? refuse(permittedCommand(context, request)) : undefined);
      const text = await abortable(answer, request.signal); // a command that was given up is not run later
      if (text === undefined) return await row.run(context, request);
      if (typeof text !== "string") throw new TypeError("Cannot refuse a command with something that is no text");
      return reply(550, text);
    },
  };
}

function permittedCommand(context: CommandContext, request: CommandRequest): PermittedCommand {
  const { session, account } = context;
  const { verb: command, argument, path, signal } = request;
  return { ...sessionEvent(session), account, command, argument, path, signal };
}
