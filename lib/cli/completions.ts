/**
 * `ftpsd completions`: scripts that let shells complete the command line, from the tables.
 *
 * @module
 */

import { bashScript } from "./completions_bash.ts";
import { fishScript } from "./completions_fish.ts";
import { zshScript } from "./completions_zsh.ts";
import { type Shell, SHELLS } from "./command_table.ts";
import { UsageError } from "../check/exit_error.ts";

const SCRIPTS: Readonly<Record<Shell, () => string>> = { bash: bashScript, zsh: zshScript, fish: fishScript };

/**
 * Makes the script of a shell.
 *
 * @throws {UsageError} When there is none for it.
 */
export function completionsCommand(args: readonly string[]): string {
  const [name = "", ...others] = args;
  const shell = SHELLS.find((shell) => shell === name);
  if (shell !== undefined && others.length === 0) return SCRIPTS[shell]();
  const message = name === "" ? "completions of which shell" : `no completions for ${args.join(" ")}`;
  throw new UsageError(`${message} (completions)`, `ftpsd completions ${SHELLS[0]}, or ${SHELLS.slice(1).join(", ")}`, {
    unknownWord: { typed: name, known: SHELLS },
  });
}
