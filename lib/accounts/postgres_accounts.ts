/**
 * Accounts in a table of PostgreSQL, or in what a query of one's own gives.
 *
 * @module
 */

import type { CallOptions } from "../filesystem/filesystem.ts";
import { type AccountEntry, AccountRowError, type EntryFinder } from "./account_entries.ts";
import { AuthorizerBusyError } from "./authorizer.ts";
import { isDeeper } from "./json_depth.ts";
import type { PasswordReplacement } from "./password_store.ts";

/** A row: texts as PostgreSQL writes them. */
type Row = Readonly<Record<string, string | null>>;

/** What runs statements, such as a `PostgresEngine`. */
export interface StatementRunner {
  /** Runs a statement with values for `$1` and so on, with a deadline of its own. */
  query(text: string, values: readonly string[]): Promise<readonly Row[]>;
}

/** Options of {@linkcode PostgresAccounts}. */
export interface PostgresAccountsOptions {
  /**
   * Gives the row of the name `$1`, or none, with the columns `password` and `settings`, and perhaps `name` and `enabled`.
   *
   * @default {that of ftpsd.account}
   */
  readonly statement?: string | undefined;
}

/** What keeps a new password in the table. */
const CHANGE_STATEMENT = `UPDATE ftpsd.account
  SET password = $3, settings = settings || jsonb_build_object('passwordChanged', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
  WHERE name = $1 AND password = $2 RETURNING name`;

/** What is asked for where nobody has a query of their own. */
export const ACCOUNT_STATEMENT = "SELECT name, password, enabled, settings FROM ftpsd.account WHERE name = $1";

/** Columns that a row may have. */
const COLUMNS: readonly string[] = ["name", "password", "enabled", "settings"];
/** Settings of one account, in characters of JSON, and how deep they may go: the file's own go no deeper than five. */
const MAX_SETTINGS_LENGTH = 1 << 16;
const MAX_DEPTH = 8;

/**
 * Finds accounts by asking for each login, so that a change holds on all nodes from the next login on. The success of an earlier
 * login counts only as long as the hash is the same.
 */
export class PostgresAccounts implements EntryFinder {
  readonly #runner: StatementRunner;
  readonly #statement: string;

  constructor(runner: StatementRunner, { statement = ACCOUNT_STATEMENT }: PostgresAccountsOptions = {}) {
    this.#runner = runner;
    this.#statement = statement;
  }

  /**
   * @throws {AuthorizerBusyError} When the database is out of reach, or refuses the statement: that is no failed login. The reason is
   * its `cause`.
   * @throws {AccountRowError} When what it gives is not an account.
   */
  async find(name: string, _options: CallOptions): Promise<AccountEntry | undefined> {
    if (!name.isWellFormed() || name.includes("\0")) return undefined; // PostgreSQL has no such text
    const rows = await this.#ask(name);
    const [row] = rows;
    if (row === undefined) return undefined;
    if (rows.length > 1) throw new AccountRowError(`the statement gives ${rows.length} rows for the name`);
    return toEntry(row, name);
  }

  /** @throws {Error} When the accounts are those of a query of one's own, or the database refuses. */
  async changePassword({ name, from, hash }: Omit<PasswordReplacement, "source">): Promise<boolean> {
    if (this.#statement !== ACCOUNT_STATEMENT) throw new Error("The table of accounts is not ftpsd's own");
    return (await this.#runner.query(CHANGE_STATEMENT, [name, from, hash])).length > 0;
  }

  async #ask(name: string): Promise<readonly Row[]> {
    try {
      return await this.#runner.query(this.#statement, [name]);
    } catch (cause) {
      throw new AuthorizerBusyError("The database with the accounts cannot be asked", { cause, isOutage: true });
    }
  }
}

function toEntry(row: Row, asked: string): AccountEntry {
  const unknown = Object.keys(row).find((column) => !COLUMNS.includes(column));
  if (unknown !== undefined) {
    throw new AccountRowError(`the column ${JSON.stringify(unknown)} is unknown; known are ${COLUMNS.join(", ")}`);
  }
  const { name, password, enabled = "t", settings } = row;
  if (enabled !== "t") return { name: name ?? asked, enabled: false };
  const given = readSettings(settings ?? "{}");
  const double = COLUMNS.find((column) => column !== "enabled" && Object.hasOwn(given, column));
  if (double !== undefined) throw new AccountRowError(`settings has a ${double}, which is a column of its own`);
  return { ...given, name: name ?? asked, password: password ?? "" };
}

function readSettings(text: string): Readonly<Record<string, unknown>> {
  if (text.length > MAX_SETTINGS_LENGTH) {
    throw new AccountRowError(`settings has ${text.length} characters, more than ${MAX_SETTINGS_LENGTH}`);
  }
  const given = parseJson(text);
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new AccountRowError("settings is not a mapping");
  }
  if (isDeeper(given, MAX_DEPTH)) throw new AccountRowError(`settings is nested more than ${MAX_DEPTH} deep`);
  return given as Readonly<Record<string, unknown>>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AccountRowError("settings is not JSON"); // the parser's words would show what it holds
  }
}
