/**
 * What a row of the table of sub-commands says.
 *
 * @module
 */

import type { CommandName } from "./command_names.ts";
import type { OptionGroup } from "./option_table.ts";

/** A line that may be typed. */
export interface CommandExample {
  readonly line: string;
  readonly means: string;
}

/** A sub-command. */
export interface CommandRow {
  readonly name: Exclude<CommandName, "help">;
  /** Its command line, after `ftpsd`. */
  readonly usage: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** What else there is to know, in whole sentences. */
  readonly about: string;
  /** Its own options. */
  readonly options: readonly OptionGroup[];
  /** Whether the short help leaves it out. */
  readonly isRare?: true;
  /** Whether it takes the options of `serve`, too. */
  readonly takesServeOptions?: true;
  /** What may follow that is no option: a folder, a server, or one of some words. */
  readonly operand?: "DIR" | "HOST" | readonly string[];
  /** Whether names may follow that. */
  readonly takesNames?: true;
  readonly examples: readonly CommandExample[];
}
