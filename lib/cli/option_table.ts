/**
 * The options of `ftpsd serve`, and how they are read: one row each.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { findNearest } from "../config/unknown_keys.ts";
import { UsageError } from "./exit_error.ts";

/** One option of the command line. */
export interface OptionRow {
  /** Long name, without dashes. */
  readonly name: string;
  /** Letter, pyftpdlib's where it has one. */
  readonly letter?: string;
  /** Name of the value in the help; absent: a switch. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly repeatable?: true;
  /** One line for the help. */
  readonly help: string;
}

/** Options by what they are about, as the help shows them. */
export const OPTION_GROUPS: readonly { readonly title: string; readonly options: readonly OptionRow[] }[] = [
  {
    title: "What to share",
    options: [
      {
        name: "directory",
        letter: "d",
        value: "DIR",
        help: "folder to share, as DIR alone (default: the current one)",
      },
      { name: "write", letter: "w", help: "let the user change files" },
      { name: "username", letter: "u", value: "NAME", help: "user who may log in; without it anybody may read" },
      { name: "password", letter: "P", value: "TEXT", help: "password; others on this host can see it" },
      { name: "password-file", value: "FILE", help: "file that holds the password or its hash (better)" },
      { name: "force-anonymous-write", help: "let anybody change files, with --write and no user" },
    ],
  },
  {
    title: "Where to listen",
    options: [
      { name: "interface", letter: "i", value: "ADDRESS", help: "address to listen on (default: 127.0.0.1)" },
      { name: "port", letter: "p", value: "PORT", help: "port, 0 for any (default: 2121)" },
      { name: "implicit-port", value: "PORT", help: "listen there too, with TLS from the first byte" },
      { name: "range", letter: "r", value: "FROM-TO", help: "ports of passive data connections (default: any)" },
      { name: "nat-address", letter: "n", value: "ADDRESS", help: "IPv4 address that PASV announces, behind NAT" },
    ],
  },
  {
    title: "TLS",
    options: [
      { name: "tls", value: "POLICY", help: "required, control, optional or off (default: required)" },
      { name: "certfile", value: "FILE", help: "certificate chain, PEM (default: one made in memory)" },
      { name: "keyfile", value: "FILE", help: "its private key, PEM" },
      { name: "tls-session-reuse", value: "MODE", help: "off, allow or require, for data (default: allow)" },
    ],
  },
  {
    title: "Limits",
    options: [
      { name: "timeout", value: "SECONDS", help: "longest silence on the control connection (default: 300)" },
      { name: "max-cons", value: "N", help: "connections at once (default: 512)" },
      { name: "max-cons-per-ip", value: "N", help: "the same from one address (default: no limit)" },
      { name: "max-login-attempts", value: "N", help: "failed logins before the end (default: 3)" },
      { name: "active", help: "allow active mode: PORT and EPRT" },
      { name: "permit-foreign-addresses", help: "in active mode, to other hosts than the client" },
      { name: "permit-privileged-ports", help: "in active mode, to ports below 1024" },
    ],
  },
  {
    title: "Configuration",
    options: [
      { name: "config", letter: "c", value: "FILE", help: "YAML file with accounts and all else; options override it" },
      {
        name: "accept-risk",
        value: "ID",
        repeatable: true,
        help: "accept a risk by its id (ftpsd check --explain ID)",
      },
    ],
  },
  {
    title: "Output",
    options: [
      { name: "banner", value: "TEXT", help: 'greeting (default: "ftpsd ready.")' },
      { name: "encoding", value: "NAME", help: "encoding of names for old clients (default: utf-8)" },
      { name: "use-localtime", help: "show local times in listings (default: UTC)" },
      { name: "log-format", value: "FORMAT", help: "pretty or json (default: pretty)" },
      { name: "verbose", letter: "V", help: "log the protocol dialogue, passwords masked" },
      { name: "debug", letter: "D", help: "the same, and stacks of internal errors" },
      { name: "version", letter: "v", help: "show the version" },
      { name: "help", letter: "h", help: "show this help" },
    ],
  },
];

/** Options of `ftpsd serve`. */
export const SERVE_OPTIONS: readonly OptionRow[] = OPTION_GROUPS.flatMap(({ options }) => options);

/** What stood on the command line. */
export interface ParsedArguments {
  /** Arguments that are no options. */
  readonly operands: readonly string[];
  /** Switches that were given, by long name. */
  readonly switches: ReadonlySet<string>;
  /** Values that were given, by long name. */
  readonly values: ReadonlyMap<string, string>;
  /** Values of repeatable options that were given, by long name. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads the command line by a table.
 *
 * @throws {UsageError} For an unknown option, or one whose value is missing.
 */
export function parseArguments(args: readonly string[], table = SERVE_OPTIONS): ParsedArguments {
  const namesOf = (rows: readonly OptionRow[]) => rows.map(({ name }) => name);
  const valued = table.filter(({ value }) => value !== undefined);
  const parsed: Record<string, unknown> = parseArgs([...args], {
    boolean: namesOf(table.filter(({ value }) => value === undefined)),
    string: [...namesOf(valued), "_"],
    collect: namesOf(table.filter(({ repeatable }) => repeatable === true)),
    alias: Object.fromEntries(table.flatMap(({ name, letter }) => letter === undefined ? [] : [[name, letter]])),
    unknown: (argument) => {
      if (argument.startsWith("-") && argument !== "-") throw unknownOption(optionOf(argument), namesOf(table));
    },
  });
  const given = valued.flatMap(({ name }): [string, string[]][] => {
    const values = [parsed[name] ?? []].flat().map(String);
    if (values.includes("") && name !== "banner") throw new UsageError(`--${name} needs a value`);
    return values.length === 0 ? [] : [[name, values]];
  });
  return {
    operands: (parsed._ as unknown[]).map(String),
    switches: new Set(namesOf(table).filter((name) => parsed[name] === true)),
    values: new Map(given.map(([name, values]) => [name, values.at(-1) ?? ""])),
    lists: new Map(given),
  };
}

function unknownOption(option: string, names: readonly string[]): UsageError {
  const nearest = findNearest(names, option.replace(/^-+/, ""));
  const meant = nearest === undefined || !option.startsWith("--") ? "" : `; did you mean --${nearest}?`;
  return new UsageError(`unknown option ${option}${meant}`);
}

function optionOf(argument: string): string {
  return argument.split("=", 1)[0] ?? argument;
}

/** The help of a sub-command that has a few options of its own. */
export function commandHelpText(usage: string, about: string, options: readonly OptionRow[]): string {
  return [about, "", `Usage: ${usage}`, "", ...options.map(helpLine)].join("\n");
}

/** The help, from the table. */
export function helpText(): string {
  const groups = OPTION_GROUPS.map(({ title, options }) => `${title}:\n${options.map(helpLine).join("\n")}`);
  return [
    "Share a folder over FTPS.",
    "",
    "Usage: ftpsd [serve] [DIR] [options]",
    "       ftpsd check | permissions | hash-password | cert  (each with --help)",
    "",
    groups.join("\n\n"),
    "",
    "Examples:",
    "  ftpsd ~/photos                       anybody on this host may read, over TLS",
    "  ftpsd inbox -i 0.0.0.0 -w -u scanner --password-file secret.txt",
  ].join("\n");
}

const HELP_COLUMN = 33;
const HELP_WIDTH = 80;

function helpLine({ name, letter, value, help }: OptionRow): string {
  const short = letter === undefined ? "    " : `-${letter}, `;
  const option = `  ${short}--${name}${value === undefined ? "" : ` ${value}`}`;
  const [first, ...rest] = wrap(help, HELP_WIDTH - HELP_COLUMN);
  return [option.padEnd(HELP_COLUMN) + first, ...rest.map((line) => " ".repeat(HELP_COLUMN) + line)].join("\n");
}

/** Breaks a text between words. */
function wrap(text: string, width: number): string[] {
  return text.match(new RegExp(`.{1,${width}}(?= |$)`, "g"))?.map((line) => line.trimStart()) ?? [];
}
