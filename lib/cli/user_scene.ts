/**
 * What the actions of `ftpsd user` work on: the configuration file, and the table of PostgreSQL.
 *
 * @module
 */

import { dirname, isAbsolute, join } from "node:path";
import { ExitError, shellWord, StartError, UsageError } from "../check/exit_error.ts";
import { readRegularFile, requirePathPermission } from "../check/host_files.ts";
import { inspectDatabases } from "../check/state_database.ts";
import type { AccountTable } from "../serve/maintain_accounts.ts";
import { editUsers, UnsuitableTextError, type UserChange } from "../settings/edit_users.ts";
import { decodeConfiguration, readConfiguration } from "../settings/read_configuration.ts";
import type { Configuration } from "../settings/table.ts";
import { USER_ACTIONS, USER_PLACES } from "./command_table.ts";
import type { PasswordInput } from "./hash_password.ts";
import { oneOf, type ParsedArguments } from "./option_table.ts";
import { replaceFile } from "../check/replace_file.ts";

/** Where accounts are. */
export type Place = typeof USER_PLACES[number];

/** How it is called. */
export const USAGE = `ftpsd user ${USER_ACTIONS.join("|")} [NAME] --config FILE`;

/** What a command works on. */
export interface Scene {
  readonly configuration: Configuration;
  readonly file: string;
  readonly parsed: ParsedArguments;
  readonly input: PasswordInput | undefined;
}

/** Reads the text of the file. */
export async function readText(file: string): Promise<string> {
  await requirePathPermission("read", file);
  try {
    return decodeConfiguration((await readRegularFile(file)).bytes, file);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UsageError(`no such file: ${file} (--config)`, USAGE, { cause });
  }
}

/** Where the account is that is meant. */
export function placeOf({ configuration: { accounts }, parsed }: Scene): Place {
  const place = oneOf(parsed, "in", USER_PLACES) ?? (accounts[0]?.type === "postgres" ? "postgres" : "file");
  if (accounts.some(({ type }) => type === place)) return place;
  throw new UsageError(`accounts has no entry of type ${place} (--in)`, "docs/accounts.md");
}

/** Changes a text; says what to do by hand where that cannot be. */
export function edit(before: string, change: UserChange, file: string): string {
  try {
    return editUsers(before, change);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`${error.message} in ${file} (user)`, "ftpsd user list");
    if (!(error instanceof UnsuitableTextError)) throw error;
    const message = `${file} is written in a form that cannot be changed line by line; nothing was written. By hand:`;
    throw new UsageError([message, ...error.lines].join("\n"), `ftpsd check --config ${shellWord(file)}`, {
      cause: error,
    });
  }
}

/** Runs work on the table that the configuration names. */
export async function withTable<Result>(
  { configuration, file }: Scene,
  work: (table: AccountTable) => Promise<Result>,
): Promise<Result> {
  const index = configuration.accounts.findIndex(({ type }) => type === "postgres");
  const source = configuration.accounts[index];
  if (source === undefined || source.query !== undefined) {
    throw new UsageError(
      "accounts come from a query of your own, whose tables are yours (accounts[].query)",
      "docs/accounts.md",
    );
  }
  const { database, accountDatabases, findings } = await inspectDatabases(configuration);
  const location = source.urlFile === undefined ? database : accountDatabases?.[index];
  if (location === undefined) {
    const error = findings.find(({ severity }) => severity === "error");
    const where = source.urlFile ?? configuration.state.urlFile ?? "";
    throw new StartError(error?.message ?? `cannot read ${where}`, `ls -l ${shellWord(where)}`);
  }
  // Loaded when needed, with what speaks to the database.
  const { AccountTable, AccountTableError } = await import("../serve/maintain_accounts.ts");
  const { AccountEntryError } = await import("../settings/account_entry.ts");
  try {
    using table = await AccountTable.open(location, configuration, source.homes);
    return await work(table);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable || cause instanceof ExitError) throw cause;
    if (cause instanceof AccountTableError || cause instanceof AccountEntryError) {
      throw new UsageError(`${cause.message} (user)`, "ftpsd user --help", { cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`cannot use the table of accounts: ${reason}`, `ftpsd check --config ${shellWord(file)}`, {
      cause,
    });
  }
}

/** Changes the users of the file, where what comes out can be read. */
export async function changeUsers(file: string, change: UserChange): Promise<void> {
  const before = await readText(file);
  const text = edit(before, change, file);
  void readConfiguration(text, { file, resolve: resolveFrom(file) });
  await replaceFile(file, before, text);
}

/** Makes paths of the host absolute, from the folder of a file on. */
export function resolveFrom(file: string): (path: string) => string {
  return (path) => isAbsolute(path) ? path : join(dirname(file), path);
}
