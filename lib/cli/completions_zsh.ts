/**
 * Completions for zsh.
 *
 * @module
 */

import type { CommandRow } from "./command_row.ts";
import { COMMAND_NAMES, COMMAND_ROWS, optionsOf } from "./command_table.ts";
import type { OptionRow } from "./option_table.ts";

/** Makes the script, which can be sourced, or put on the `fpath` as `_ftpsd`. */
export function zshScript(): string {
  return [
    "#compdef ftpsd",
    "# Completions of ftpsd for zsh: source <(ftpsd completions zsh), after compinit",
    "",
    "_ftpsd() {",
    "  local command=serve",
    "  if (( CURRENT > 2 )); then",
    "    case $words[2] in",
    `      ${COMMAND_NAMES.join("|")}) command=$words[2]; shift words; (( CURRENT-- )) ;;`,
    "    esac",
    "  fi",
    "  case $command in",
    ...COMMAND_ROWS.flatMap(commandCase),
    "    help) _arguments '1:command:_ftpsd_commands' ;;",
    "  esac",
    "}",
    "",
    "_ftpsd_commands() {",
    "  local -a commands=(",
    ...COMMAND_ROWS.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`),
    "    'help:explain a command'",
    "  )",
    "  _describe command commands",
    "}",
    "",
    "_ftpsd_first() {",
    "  _alternative 'commands:command:_ftpsd_commands' 'directories:folder:_files -/'",
    "}",
    "",
    'if [[ $funcstack[1] == _ftpsd ]]; then _ftpsd "$@"; else compdef _ftpsd ftpsd; fi',
  ].join("\n");
}

function commandCase(row: CommandRow): string[] {
  const specs = [...optionsOf(row).map(optionSpec), ...operandSpec(row)];
  return [
    `    ${row.name})`,
    "      _arguments -s -S \\",
    specs.map((spec) => `        ${spec}`).join(" \\\n"),
    "      ;;",
  ];
}

function operandSpec({ name, operand }: CommandRow): string[] {
  if (operand === undefined) return [];
  if (operand === "HOST") return [quoted("1:host:_hosts")];
  if (operand !== "DIR") return [quoted(`1:word:(${operand.join(" ")})`)];
  return [name === "serve" ? "'1:folder or command:_ftpsd_first'" : "'1:folder:_files -/'"];
}

/** `(-p --port)` keeps one spelling from being offered after the other; `*` lets an option be repeated. */
function optionSpec(option: OptionRow): string {
  const { name, letter, value, repeatable, help } = option;
  const text = `[${help.replace(/[[\]\\:]/g, "\\$&")}]${value === undefined ? "" : `:${value}:${valueAction(option)}`}`;
  const long = value === undefined ? `--${name}` : `--${name}=`;
  const exclusion = repeatable ? "*" : letter === undefined ? "" : `(-${letter} --${name})`;
  if (letter === undefined) return quoted(`${exclusion}${long}${text}`);
  return `${quoted(exclusion)}{-${letter}${value === undefined ? "" : "+"},${long}}${quoted(text)}`;
}

function valueAction({ value, choices }: OptionRow): string {
  if (choices !== undefined) return `(${choices.join(" ")})`;
  if (value === "FILE") return "_files";
  return value === "DIR" ? "_files -/" : " ";
}

/** One word for zsh, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
