/**
 * Completions for bash, 3.2 or newer, which need no other package.
 *
 * @module
 */

import type { CommandRow } from "./command_row.ts";
import { COMMAND_NAMES, COMMAND_ROWS, optionsOf } from "./command_table.ts";
import type { OptionRow } from "./option_table.ts";

/** Makes the script. */
export function bashScript(): string {
  const names = COMMAND_NAMES.join(" ");
  return [
    "# Completions of ftpsd for bash: source <(ftpsd completions bash)",
    "_ftpsd() {",
    "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=serve words=",
    "  COMPREPLY=()",
    "  # bash takes the = of --option=value for a word of its own.",
    "  if [[ $word == '=' ]]; then word=; elif [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi",
    "  case $before in",
    ...valueCases(),
    "  esac",
    `  if (( COMP_CWORD > 1 )); then case \${COMP_WORDS[1]} in ${
      COMMAND_NAMES.join("|")
    }) command=\${COMP_WORDS[1]};; esac; fi`,
    "  case $command in",
    ...COMMAND_ROWS.map((row) => `    ${row.name}) words='${wordsOf(row).join(" ")}' ;;`),
    `    help) words='${names}' ;;`,
    "  esac",
    `  if (( COMP_CWORD == 1 )); then words+=' ${names}'; fi`,
    "  if [[ $word == -* ]]; then",
    "    _ftpsd_words \"$(printf '%s\\n' $words | grep '^-')\"",
    "  else",
    "    _ftpsd_words \"$(printf '%s\\n' $words | grep -v '^-')\"",
    `    case $command in ${folderCommands().join("|")}) _ftpsd_folders ;; *) _ftpsd_nothing ;; esac`,
    "  fi",
    "}",
    "",
    "_ftpsd_words() {",
    '  COMPREPLY=( $(compgen -W "$1" -- "$word") )',
    "}",
    "",
    "# Where nothing is found, readline completes names of files by itself; bash 3.2 cannot be told otherwise.",
    "_ftpsd_folders() {",
    "  compopt -o plusdirs +o default 2>/dev/null",
    "}",
    "",
    "_ftpsd_nothing() {",
    "  compopt +o default 2>/dev/null",
    "}",
    "",
    "complete -o default -F _ftpsd ftpsd",
  ].join("\n");
}

/** What may follow the options that have a value; one name means the same to all sub-commands. */
function valueCases(): string[] {
  const spellings = new Map<string, string[]>();
  for (const option of COMMAND_ROWS.flatMap(optionsOf)) {
    if (option.value === undefined) continue;
    const action = valueAction(option);
    spellings.set(action, [...spellings.get(action) ?? [], ...spellingsOf(option)]);
  }
  return [...spellings].map(([action, all]) => `    ${[...new Set(all)].join("|")}) ${action}return ;;`);
}

function valueAction({ value, choices }: OptionRow): string {
  if (choices !== undefined) return `_ftpsd_words '${choices.join(" ")}'; `;
  if (value === "FILE") return "";
  return value === "DIR" ? "_ftpsd_folders; " : "_ftpsd_nothing; ";
}

function spellingsOf({ name, letter }: OptionRow): string[] {
  return letter === undefined ? [`--${name}`] : [`-${letter}`, `--${name}`];
}

function wordsOf(row: CommandRow): string[] {
  const operands = typeof row.operand === "object" ? row.operand : [];
  return [...optionsOf(row).map(({ name }) => `--${name}`), ...operands];
}

function folderCommands(): string[] {
  return COMMAND_ROWS.filter(({ operand }) => operand === "DIR").map(({ name }) => name);
}
