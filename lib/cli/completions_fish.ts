/**
 * Completions for fish.
 *
 * @module
 */

import type { CommandRow } from "./command_row.ts";
import { COMMAND_NAMES, COMMAND_ROWS, optionsOf } from "./command_table.ts";
import type { OptionRow } from "./option_table.ts";

/** Makes the script. */
export function fishScript(): string {
  const named = COMMAND_NAMES.join(" ");
  return [
    "# Completions of ftpsd for fish: ftpsd completions fish > ~/.config/fish/completions/ftpsd.fish",
    "complete -c ftpsd -f",
    ...COMMAND_ROWS.map(({ name, summary }) =>
      `complete -c ftpsd -n __fish_is_first_token -a ${name} -d ${quoted(summary)}`
    ),
    "complete -c ftpsd -n __fish_is_first_token -a help -d 'explain a command'",
    `complete -c ftpsd -n '__fish_seen_subcommand_from help' -a ${quoted(named)}`,
    ...COMMAND_ROWS.flatMap(commandLines),
  ].join("\n");
}

function commandLines(row: CommandRow): string[] {
  const others = COMMAND_NAMES.filter((name) => name !== "serve").join(" ");
  // serve is meant where no command is named.
  const condition = row.name === "serve"
    ? `not __fish_seen_subcommand_from ${others}`
    : `__fish_seen_subcommand_from ${row.name}`;
  const start = `complete -c ftpsd -n ${quoted(condition)}`;
  return [
    ...row.operand === undefined ? [] : [`${start} ${operandWords(row.operand)}`],
    ...optionsOf(row).map((option) => `${start} ${optionWords(option)}`),
  ];
}

function operandWords(operand: NonNullable<CommandRow["operand"]>): string {
  if (operand === "HOST") return "-a '(__fish_print_hostnames)'";
  return operand === "DIR" ? "-a '(__fish_complete_directories)'" : `-a ${quoted(operand.join(" "))}`;
}

function optionWords({ name, letter, value, choices, help }: OptionRow): string {
  return [
    ...letter === undefined ? [] : [`-s ${letter}`],
    `-l ${name}`,
    ...value === undefined ? [] : [valueWords(value, choices)],
    `-d ${quoted(help)}`,
  ].join(" ");
}

function valueWords(value: string, choices: readonly string[] | undefined): string {
  if (choices !== undefined) return `-x -a ${quoted(choices.join(" "))}`;
  if (value === "FILE") return "-r -F";
  return value === "DIR" ? "-x -a '(__fish_complete_directories)'" : "-x";
}

/** One word for fish, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
