/**
 * The rows of the commands that one server has, by verb, and commands as they may be logged.
 *
 * @module
 */

import { type CommandLine, looksLikeVerb } from "../protocol/command_line.ts";
import { type CommandSpec, namesOf } from "./command.ts";
import { COMMANDS } from "./table.ts";

/** Finds rows. */
export class CommandTable {
  /** Every row, in order. */
  readonly rows: readonly CommandSpec[];
  readonly #byName: ReadonlyMap<string, CommandSpec>;

  constructor(rows: readonly CommandSpec[]) {
    this.rows = rows;
    this.#byName = new Map(rows.flatMap((row) => namesOf(row).map((name) => [name, row])));
  }

  /** The row of a verb or alias, upper case; a SITE command has both words. */
  find(verb: string): CommandSpec | undefined {
    return this.#byName.get(verb);
  }
}

/** All that this server can do. */
export const ALL_COMMANDS: CommandTable = new CommandTable(COMMANDS);

const MASK = "******";

/** The verb and the argument of a command, secrets masked, for logs. */
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
