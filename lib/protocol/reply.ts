/**
 * Replies of the control connection: RFC 959 §4.2, multi-line form of RFC 959 §4.2 and RFC 2389 §3.2.
 *
 * @module
 */

/** Reply codes this server sends, with their meaning. */
export const REPLY_CODES = {
  150: "File status okay; about to open data connection",
  200: "Command okay",
  202: "Command not implemented, superfluous at this site",
  211: "System status, or system help reply",
  212: "Directory status",
  213: "File status",
  214: "Help message",
  215: "System type",
  220: "Service ready for new user",
  221: "Service closing control connection",
  225: "Data connection open; no transfer in progress",
  226: "Closing data connection; requested file action successful",
  227: "Entering Passive Mode",
  229: "Entering Extended Passive Mode",
  230: "User logged in, proceed",
  232: "User logged in, authorized by security data exchange",
  234: "Security data exchange complete",
  250: "Requested file action okay, completed",
  257: "Pathname created",
  331: "User name okay, need password",
  350: "Requested file action pending further information",
  421: "Service not available, closing control connection",
  425: "Can't open data connection",
  426: "Connection closed; transfer aborted",
  450: "Requested file action not taken; file unavailable for now",
  451: "Requested action aborted: local error in processing",
  452: "Requested action not taken: insufficient storage space",
  500: "Syntax error, command unrecognized",
  501: "Syntax error in parameters or arguments",
  502: "Command not implemented",
  503: "Bad sequence of commands",
  504: "Command not implemented for that parameter",
  521: "Data connection cannot be opened with this protection level",
  522: "Network protocol or TLS session not supported",
  530: "Not logged in",
  534: "Request denied for policy reasons",
  550: "Requested action not taken; file unavailable",
  552: "Requested file action aborted: exceeded storage allocation",
  553: "Requested action not taken: file name not allowed",
  554: "Requested action not taken: invalid REST parameter",
} as const;

/** Code of a reply. */
export type ReplyCode = keyof typeof REPLY_CODES;

/** What the control connection does once the reply is on its way. */
export type ReplyEffect = "close" | "startTls";

/** One reply: its code and its text, one or more lines. */
export interface Reply {
  /** Three digits (RFC 959 §4.2.1). */
  readonly code: ReplyCode;
  /** First line, lines between, last line. Lines between go on the wire as they are here. */
  readonly lines: readonly [string, ...string[]];
  /** Absent: the dialogue goes on. */
  readonly effect?: ReplyEffect;
}

/** Makes a reply; `text` may have several lines, separated by LF. */
export function reply(code: ReplyCode, text: string, effect?: ReplyEffect): Reply {
  return multilineReply(code, text.split("\n") as [string, ...string[]], effect);
}

/** Longest line of a text that an operator chose freely. */
const MAX_MESSAGE = 75;

/** Makes a reply of an operator's own text. Where that is long, an empty line follows, as pyftpdlib's clients know it. */
export function messageReply(code: ReplyCode, text: string, effect?: ReplyEffect): Reply {
  const isLong = !text.includes("\n") && text.length > MAX_MESSAGE;
  return isLong ? multilineReply(code, [text, ""], effect) : reply(code, text, effect);
}

/** Makes a reply of given lines. */
export function multilineReply(code: ReplyCode, lines: readonly [string, ...string[]], effect?: ReplyEffect): Reply {
  return effect === undefined ? { code, lines } : { code, lines, effect };
}

/**
 * Writes a reply as it goes on the wire, with the final CR LF. CR, LF and NUL become `?`, so that a file name or a
 * message can never forge a reply, and a name with any other character can be sent back as it was shown; a line between that begins with a digit gets a space before it, so that it cannot be
 * taken for the last one.
 */
export function formatReply(reply: Reply): string {
  const { code } = reply;
  const lines = reply.lines.map(printable);
  if (lines.length === 1) return `${code} ${lines[0]}\r\n`;
  const between = lines.slice(1, -1).map((line) => /^\d/.test(line) ? ` ${line}\r\n` : `${line}\r\n`).join("");
  return `${code}-${lines[0]}\r\n${between}${code} ${lines.at(-1)}\r\n`;
}

/** Returns whether the reply refuses the command (4yz and 5yz). */
export function isNegative(reply: Reply): boolean {
  return reply.code >= 400;
}

function printable(line: string): string {
  return line.replace(/[\r\n\0]/g, "?");
}
