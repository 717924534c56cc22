/**
 * Commands as they may be logged.
 *
 * @module
 */

import { type CommandLine, looksLikeVerb } from "../protocol/command_line.ts";
import { findCommand } from "./gate.ts";

const MASK = "******";

/** The verb and the argument, secrets masked. */
export function maskedCommand(command: CommandLine): { readonly command: string; readonly argument: string } {
  const { verb, argument } = command;
  return {
    command: looksLikeVerb(verb) ? verb : "?",
    argument: argument !== "" && isSecret(command) ? MASK : argument,
  };
}

/** The same as one line. */
export function maskedLine(line: CommandLine): string {
  const { command, argument } = maskedCommand(line);
  return line.argument === "" ? command : `${command} ${argument}`;
}

/** What is no command may hold a password after a slip of the finger. */
function isSecret({ verb }: CommandLine): boolean {
  const row = findCommand(verb);
  return row === undefined || row.secret === true;
}
