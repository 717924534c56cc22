/**
 * The helps, from the tables: a short one that fits a screen of 24 lines, and a whole one for each sub-command.
 *
 * @module
 */

import type { CommandExample, CommandRow } from "./command_row.ts";
import { COMMAND_ROWS } from "./command_table.ts";
import { type OptionRow, SERVE_OPTIONS } from "./option_table.ts";

const HELP_WIDTH = 80;
const OPTION_COLUMN = 33;

/** The most common options, the sub-commands, examples. */
export function shortHelp(): string {
  const [serve, ...others] = COMMAND_ROWS;
  const commands = others.filter(({ isRare }) => !isRare).map(({ name, summary }) => `  ${name.padEnd(16)}${summary}`);
  return [
    "Share a folder over FTPS.",
    "",
    "Usage: ftpsd [DIR] [options]               (ftpsd help serve shows all options)",
    ...SERVE_OPTIONS.filter(({ isCommon }) => isCommon).map(optionLine),
    "",
    "Commands (each with --help):",
    ...commands,
    "",
    "Examples:",
    ...(serve?.examples ?? []).map(({ line }) => `  ${line}`),
  ].join("\n");
}

/** All about one sub-command. */
export function commandHelp(row: CommandRow): string {
  const { usage, about, options, takesServeOptions, examples } = row;
  const groups = options.map(({ title, options }) => [`${title}:`, ...options.map(optionLine)]);
  const sections = [
    [capitalized(`${row.summary}.`)],
    [`Usage: ftpsd ${usage}`],
    wrap(about, HELP_WIDTH),
    ...groups,
    ...takesServeOptions ? [["The options of serve: ftpsd help serve"]] : [],
    ["Examples:", ...exampleLines(examples)],
  ];
  return sections.map((lines) => lines.join("\n")).join("\n\n");
}

function exampleLines(examples: readonly CommandExample[]): string[] {
  return examples.flatMap(({ line, means }) => [`  ${line}`, `      ${means}`]);
}

function optionLine({ name, letter, value, help }: OptionRow): string {
  const short = letter === undefined ? "    " : `-${letter}, `;
  const option = `  ${short}--${name}${value === undefined ? "" : ` ${value}`}`;
  const [first, ...rest] = wrap(help, HELP_WIDTH - OPTION_COLUMN);
  return [option.padEnd(OPTION_COLUMN) + first, ...rest.map((line) => " ".repeat(OPTION_COLUMN) + line)].join("\n");
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Breaks a text between words. */
function wrap(text: string, width: number): string[] {
  return text.match(new RegExp(`.{1,${width}}(?= |$)`, "g"))?.map((line) => line.trimStart()) ?? [];
}
