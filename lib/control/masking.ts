/**
 * Commands as they may be logged.
 *
 * @module
 */

import type { CommandTable } from "../commands/command_table.ts";
import { type CommandLine, looksLikeVerb } from "../protocol/command_line.ts";

const MASK = "******";

/** The verb and the argument, secrets masked. */
export function maskedCommand(
  table: CommandTable,
  command: CommandLine,
): { readonly command: string; readonly argument: string } {
  const { verb, argument } = command;
  return {
    command: looksLikeVerb(verb) ? verb : "?",
    argument: argument !== "" && isSecret(table, command) ? MASK : argument,
  };
}

/** The same as one line. */
export function maskedLine(table: CommandTable, line: CommandLine): string {
  const { command, argument } = maskedCommand(table, line);
  return line.argument === "" ? command : `${command} ${argument}`;
}

/** What is no command may hold a password after a slip of the finger. */
function isSecret(table: CommandTable, { verb }: CommandLine): boolean {
  const row = table.find(verb);
  return row === undefined || row.secret === true;
}
