/**
 * The rows of the commands that one server has, by verb.
 *
 * @module
 */

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
