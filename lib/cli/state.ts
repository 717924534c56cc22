/**
 * `ftpsd state`: makes the schema in the database that several nodes share, brings it up to date, and tells of it.
 *
 * @module
 */

import { shellWord, StartError, UsageError } from "../check/exit_error.ts";
import { inspectStateDatabase } from "../check/state_database.ts";
import type { DatabaseLocation } from "../server/configured_options.ts";
import type { Configuration } from "../settings/table.ts";
import { STATE_ACTIONS } from "./command_table.ts";
import { loadConfiguration } from "./load_configuration.ts";
import { parseArguments, SERVE_OPTIONS } from "./option_table.ts";

type Action = typeof STATE_ACTIONS[number];

/**
 * Does what is asked for.
 *
 * @returns What to print.
 * @throws {StartError} When the database cannot be used.
 */
export async function stateCommand([action = "", ...args]: readonly string[]): Promise<string> {
  if (!isAction(action)) {
    throw new UsageError(`there is no "state ${action}"`, `ftpsd state ${STATE_ACTIONS.join("|")} --config FILE`, {
      unknownWord: { typed: action, known: STATE_ACTIONS },
    });
  }
  const { configuration, file } = await loadConfiguration(parseArguments(args, SERVE_OPTIONS, "ftpsd state --help"));
  if (configuration.state.type !== "postgres") {
    throw new UsageError("there is no database to look at: state.type is not postgres", "docs/cluster.md");
  }
  const database = await databaseOf(configuration);
  const hint = `ftpsd check --config ${shellWord(file ?? "FILE")}`;
  return await explaining(async () => {
    // Loaded when needed, with what speaks to the database.
    const { maintainSchema } = await import("../serve/maintain_schema.ts");
    return await maintainSchema(action, database);
  }, hint);
}

/**
 * The database that a configuration names.
 *
 * @throws {StartError} When its files cannot be used.
 */
export async function databaseOf(configuration: Configuration): Promise<DatabaseLocation> {
  const { database, findings } = await inspectStateDatabase(configuration);
  if (database !== undefined) return database;
  const error = findings.find(({ severity }) => severity === "error");
  throw new StartError(
    error?.message ?? "cannot read state.urlFile",
    `ls -l ${shellWord(configuration.state.urlFile ?? "")}`,
  );
}

async function explaining(work: () => Promise<string>, hint: string): Promise<string> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    const command = cause instanceof Error && "command" in cause ? cause.command : undefined;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(message, typeof command === "string" ? `ftpsd state ${command} --config FILE` : hint, {
      cause,
    });
  }
}

function isAction(word: string): word is Action {
  return (STATE_ACTIONS as readonly string[]).includes(word);
}
