/**
 * The manual page, from the tables of the command line, in the macros of man(7).
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import type { CommandExample, CommandRow } from "../../lib/cli/command_row.ts";
import { COMMAND_ROWS } from "../../lib/cli/command_table.ts";
import type { OptionRow } from "../../lib/cli/option_table.ts";

/** Writes the page. */
export function makeManPage(): string {
  const [serve, ...others] = COMMAND_ROWS;
  if (serve === undefined) throw new Error("There are no commands");
  return [
    '.\\" Made of lib/cli/command_table.ts and lib/cli/option_table.ts by `deno task docs`.',
    `.TH FTPSD 1 "" "ftpsd ${project.version}" "User Commands"`,
    // Names are there to be typed: no hyphens, no wide spaces.
    ".nh",
    ".ad l",
    ".SH NAME",
    "ftpsd \\- share a folder over FTPS",
    ".SH SYNOPSIS",
    ...COMMAND_ROWS.flatMap(({ usage }) => [".br", `.B ftpsd\n${escaped(usage)}`]).slice(1),
    ".SH DESCRIPTION",
    escaped(serve.about),
    ".SH OPTIONS",
    ...serve.options.flatMap(({ title, options }) => [`.SS ${escaped(title)}`, ...options.flatMap(optionEntry)]),
    ".SH COMMANDS",
    "Each takes",
    "\\fB\\-\\-help\\fR,",
    "too.",
    ...others.flatMap(commandEntry),
    ...ENDING,
    ".SH EXAMPLES",
    ...serve.examples.flatMap(exampleEntry),
    ".SH SEE ALSO",
    ".BR curl (1),",
    ".BR lftp (1),",
    ".BR deno (1)",
    ".PP",
    "Every key of the configuration file, and every risk: docs/configuration.md and docs/risks.md of the project.",
  ].join("\n") + "\n";
}

/** What the tables do not say. */
const ENDING = [
  ".SH EXIT STATUS",
  ".TP",
  ".B 0",
  "The server was stopped on request, or the command has done its work.",
  ".TP",
  ".B 1",
  "It could not run: the port is in use, a permission is missing, a file cannot be read.",
  ".TP",
  ".B 2",
  "The command line or the configuration cannot be used, or is a risk that nobody has accepted.",
  ".SH ENVIRONMENT",
  ".TP",
  ".B NO_COLOR",
  "When it is set, the log has no colors on a terminal either.",
];

/** Indent of man(7) behind a tag. */
const TAG_WIDTH = 7;

function optionEntry({ name, letter, value, choices, help }: OptionRow): string[] {
  const spellings = [...letter === undefined ? [] : [`\\fB\\-${letter}\\fR`], `\\fB\\-\\-${escaped(name)}\\fR`];
  const argument = value === undefined ? "" : ` \\fI${escaped(value)}\\fR`;
  const isListed = choices?.every((choice) => help.includes(choice)) ?? true;
  return [
    ".TP",
    `${spellings.join(", ")}${argument}`,
    // A short tag would have the text beside it, and no other has.
    ...letter === undefined && value === undefined && name.length < TAG_WIDTH - 2 ? [".br"] : [],
    escaped(help),
    ...isListed ? [] : [".br", `One of ${choices?.map((choice) => `\\fB${escaped(choice)}\\fR`).join(", ")}.`],
  ];
}

function commandEntry({ usage, about, options, takesServeOptions, examples }: CommandRow): string[] {
  return [
    `.SS ftpsd ${escaped(usage)}`,
    escaped(about),
    ...takesServeOptions ? ["The options above say which configuration is meant."] : [],
    ...options.flatMap((group) => group.options).flatMap(optionEntry),
    ".PP",
    "Examples:",
    ...examples.flatMap(exampleEntry),
  ];
}

function exampleEntry({ line, means }: CommandExample): string[] {
  return [".TP", `.B ${escaped(line)}`, escaped(means)];
}

/** Keeps roff from reading more into a text than it says: `-` is a hyphen, `~` an accent, a period first a request. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("~", "\\(ti").replaceAll("^", "\\(ha")
    .replaceAll("'", "\\(aq").replaceAll('"', "\\(dq").replaceAll("…", "\\[u2026]").replace(/^[.']/gm, "\\&$&");
}
