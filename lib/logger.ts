/**
 * Log lines out of events, for people or for programs.
 *
 * @module
 */

import type { EndedTransferEvent, ServerEvent, ServerEventName, ServerEvents, SessionEvent } from "./events.ts";

/** Levels from the most talkative to the most silent. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** How urgent a line is. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Forms of the log: `pretty` in pyftpdlib's manner, or one JSON object a line. */
export const LOG_FORMATS = ["pretty", "json"] as const;

/** Form of the log. */
export type LogFormat = typeof LOG_FORMATS[number];

/** Options of {@linkcode Logger}. */
export interface LoggerOptions {
  readonly format: LogFormat;
  /** Lines below this level are left out. */
  readonly level: LogLevel;
  /** Whether internal errors show their stack. */
  readonly stacks: boolean;
  /**
   * Whether the beginning of a line shows its level by its color, as terminals understand; never in JSON.
   *
   * @default {false}
   */
  readonly isColored?: boolean;
  /** Takes a line without its end. */
  readonly write: (line: string) => void;
}

/** Writes events and remarks as log lines. */
export class Logger {
  readonly #options: LoggerOptions;

  constructor(options: LoggerOptions) {
    this.#options = options;
  }

  /** The events that it writes at its level. */
  get events(): readonly ServerEventName[] {
    const names = Object.keys(LEVELS) as ServerEventName[];
    return names.filter((name) => this.#shows(LEVELS[name]));
  }

  /** Writes an event. */
  event(event: ServerEvent): void {
    const level = LEVELS[event.event];
    if (!this.#shows(level)) return;
    const { format, stacks, write } = this.#options;
    if (format === "json") return write(jsonOfEvent(event, level, { stacks }));
    write(this.#prettyLine(event.time, level, linesOf(event)));
    const stack = event.event === "internalError" ? stackOf(event, stacks) : undefined;
    if (stack !== undefined) {
      write(this.#prettyLine(event.time, level, stack.split("\n")));
    }
  }

  /** Writes a remark that is no event. */
  log(level: LogLevel, text: string): void {
    if (!this.#shows(level)) return;
    const { format, write } = this.#options;
    const time = new Date();
    write(format === "json" ? jsonLine({ time, level, event: "remark", text }) : this.#prettyLine(time, level, [text]));
  }

  /**
   * Writes what somebody has just asked for, whatever the level.
   *
   * @param lines For people.
   * @param fields For programs, beside the name.
   */
  answer(event: string, lines: readonly string[], fields: Readonly<Record<string, unknown>>): void {
    const { format, write } = this.#options;
    const time = new Date();
    write(
      format === "json" ? jsonLine({ time, level: "info", event, ...fields }) : this.#prettyLine(time, "info", lines),
    );
  }

  #prettyLine(time: Date, level: LogLevel, lines: readonly string[]): string {
    const prefix = prettyPrefix(time, level);
    return `${this.#options.isColored ? inColorOf(level, prefix) : prefix} ${lines.map(printable).join("\n    ")}`;
  }

  #shows(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.#options.level);
  }
}

const LEVELS: Readonly<Record<ServerEventName, LogLevel>> = {
  addressResolved: "info",
  addressUnresolved: "warn",
  administered: "warn",
  banned: "warn",
  certificateRenewalFailed: "error",
  certificateRenewed: "info",
  commandDone: "debug",
  commandRefused: "info",
  connected: "info",
  connectionRefused: "warn",
  dialogue: "debug",
  disconnected: "info",
  eventsMissed: "warn",
  fileReceived: "info",
  fileSent: "info",
  internalError: "error",
  listening: "info",
  loggedOut: "info",
  loginFailed: "warn",
  loginSucceeded: "info",
  secured: "info",
  stopped: "info",
  transferIncomplete: "warn",
  transferStarted: "info",
};

function jsonOfEvent(event: ServerEvent, level: LogLevel, options: { readonly stacks: boolean }): string {
  const { time, ...fields } = event;
  if (fields.event !== "internalError") return jsonLine({ time, level, ...fields });
  const { cause, ...rest } = fields;
  return jsonLine({ time, level, ...rest, stack: stackOf({ cause, ...rest }, options.stacks) });
}

/** The stack of an error that is logged with it: of all, or of those that nobody caught. */
function stackOf({ cause, uncaught }: ServerEvents["internalError"], showsAll: boolean): string | undefined {
  return (showsAll || uncaught) && cause instanceof Error ? cause.stack : undefined;
}

/** JSON leaves some characters as they are that command a terminal; their codes are the same text in JSON. */
function jsonLine(fields: Readonly<Record<string, unknown>>): string {
  return printable(JSON.stringify(fields));
}

/** Select Graphic Rendition of terminals (ECMA-48 §8.3.117): blue, green, yellow and red, as in pyftpdlib. */
const COLORS: Readonly<Record<LogLevel, number>> = { debug: 34, info: 32, warn: 33, error: 31 };

/** Puts a text in the color of a level, for a terminal. */
export function inColorOf(level: LogLevel, text: string): string {
  return `\x1b[${COLORS[level]}m${text}\x1b[0m`;
}

/** `[I 2026-02-08 10:55:42]`, local time. */
function prettyPrefix(time: Date, level: LogLevel): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `[${level.charAt(0).toUpperCase()} ${date} ${clock}]`;
}

/** Shows control characters, which could forge lines or command a terminal, by their codes. */
export function printable(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A reply may have several lines; line ends anywhere else are part of a name. */
function linesOf(event: ServerEvent): string[] {
  if (event.event !== "dialogue") return [describe(event)];
  const [line = "", ...rest] = event.line.split("\r\n");
  return [describe({ ...event, line }), ...rest];
}

function describe(event: ServerEvent): string {
  switch (event.event) {
    case "listening":
      return `>>> starting ${SERVER_NAMES[event.tls]} server on ${withPort(event.host, event.port)} <<<`;
    case "stopped":
      return ">>> server has stopped <<<";
    case "administered":
      return `admin at ${event.by}: ${event.action}${event.subject === "" ? "" : ` ${event.subject}`}`;
    case "banned":
      return `${event.address} banned for ${event.seconds} s: too many failed logins`;
    case "certificateRenewed":
      return `certificate for ${event.names.join(", ")} renewed: ${event.fingerprint}, valid to ${event.validTo}`;
    case "certificateRenewalFailed":
      return `no certificate for ${
        event.names.join(", ")
      } (failure ${event.failures}): ${event.reason}; ${event.hint}; ` +
        `next attempt ${event.nextAttempt}`;
    case "eventsMissed":
      return `${event.count} events missed`;
    case "addressResolved":
      return `passive.address ${event.name} is ${event.address}`;
    case "addressUnresolved":
      return `passive.address ${event.name} not found: ${event.reason}; ${
        event.kept === undefined ? "PASV is answered by 425" : `${event.kept} is announced still`
      }`;
    case "connectionRefused":
      return `${event.remote} refused: ${event.reason}`;
    case "internalError":
      return `internal error${event.session === undefined ? "" : ` in session ${event.session}`}: ${event.message}`;
    default:
      return `${prefix(event)} ${describeSession(event)}`;
  }
}

/** An event that belongs to a session. */
type OfSession = Exclude<
  ServerEvent,
  {
    readonly event:
      | "addressResolved"
      | "addressUnresolved"
      | "administered"
      | "banned"
      | "certificateRenewalFailed"
      | "certificateRenewed"
      | "eventsMissed"
      | "listening"
      | "stopped"
      | "connectionRefused"
      | "internalError";
  }
>;

function describeSession(event: OfSession): string {
  switch (event.event) {
    case "connected":
      return `FTP session opened (connect), session ${event.session}${routeText(event)}`;
    case "secured":
      return `secured by ${event.protocol} ${event.cipher}${event.resumed ? ", resumed" : ""}${
        event.peerCertificate ? `, certificate "${event.peerCertificate.subject}"` : ""
      }`;
    case "loginSucceeded":
      return `USER '${event.username}' logged in.${event.notice === undefined ? "" : ` ${event.notice}`}`;
    case "loginFailed":
      return `USER '${event.username}' failed login${event.reason === undefined ? "" : `: ${event.reason}`}.`;
    case "loggedOut":
      return `USER '${event.username}' logged out.`;
    case "transferStarted":
      return `${event.command} ${event.path} started`;
    case "fileSent":
    case "fileReceived":
      return transferText(event, "completed=1");
    case "transferIncomplete":
      return `${transferText(event, "completed=0")} reason='${event.reason}'`;
    case "commandDone":
      return `${event.command} ${event.code} seconds=${event.seconds.toFixed(3)}`;
    case "commandRefused":
      return `${event.command}${event.argument ? ` ${event.argument}` : ""} ${event.code} '${event.reply}'`;
    case "dialogue":
      return `${event.direction === "received" ? "<-" : "->"} ${event.line}`;
    case "disconnected":
      return `FTP session closed (disconnect): ${event.reason}`;
  }
}

function routeText({ via, uniqueId }: ServerEvents["connected"]): string {
  if (via === undefined) return "";
  return `, via ${via}${uniqueId === undefined ? "" : ` (${uniqueId})`}`;
}

const SERVER_NAMES = {
  explicit: "FTPS (explicit TLS)",
  implicit: "FTPS (implicit TLS)",
  off: "FTP (clear text)",
} as const;

function transferText(event: EndedTransferEvent, completed: string): string {
  return `${event.command} ${event.path} ${completed} bytes=${event.bytes} seconds=${event.seconds.toFixed(3)}`;
}

function prefix(event: SessionEvent): string {
  return `${event.remote}-[${event.username ?? ""}]`;
}

function withPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
