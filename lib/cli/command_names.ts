/**
 * Names of the sub-commands. Apart from their table, so that nothing else has to be loaded to tell what is asked for.
 *
 * @module
 */

/** Sub-commands that ask a running server, or steer it, over its admin listener. */
export const ADMIN_COMMANDS = ["status", "who", "top", "kick", "ban", "unban", "reload", "drain"] as const;

/** Sub-commands that do one thing and end. */
export const SHORT_COMMANDS = [
  "init",
  "check",
  "doctor",
  "permissions",
  "hash-password",
  "cert",
  "completions",
  "quota",
  "state",
  "user",
  ...ADMIN_COMMANDS,
  "help",
] as const;

/** Name of a sub-command. */
export type CommandName = "serve" | typeof SHORT_COMMANDS[number];

/** Returns whether a command line asks for a sub-command that ends by itself; one that serves goes on. */
export function isShortCommand([name = ""]: readonly string[]): boolean {
  return (SHORT_COMMANDS as readonly string[]).includes(name);
}
