/**
 * The table of accounts in a database, as `ftpsd user` works on it.
 *
 * @module
 */

import { HomeRefusedError, inspectHomeIn, pathIn } from "../filesystem/local/homes_folder.ts";
import type { DatabaseLocation } from "../server/configured_options.ts";
import { readAccountEntry } from "../settings/account_entry.ts";
import { homesOf } from "../settings/account_rights.ts";
import type { Configuration } from "../settings/table.ts";
import { DatabaseConnection } from "../state/postgres/database_connection.ts";

/** What is said about an account. What is absent stays, or is the table's own at first. */
export interface AccountChange {
  readonly password?: string | undefined;
  readonly enabled?: boolean | undefined;
  /** Keys of `settings`. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** An account of the table. */
export interface ListedAccount {
  readonly name: string;
  readonly enabled: boolean;
  readonly settings: Readonly<Record<string, unknown>>;
}

const TIMEOUT_MS = 10_000;
/** A list of a million accounts is one answer. */
const MAX_ANSWER_BYTES = 1 << 30;
const INSERT = `INSERT INTO ftpsd.account (name, password, enabled, settings) VALUES ($1, $2, $3, $4)
  ON CONFLICT (name) DO NOTHING RETURNING name`;
const UPDATE = "UPDATE ftpsd.account SET password = $2, enabled = $3, settings = $4 WHERE name = $1 RETURNING name";

/** Tells that there is no such account, or one already. The message is for the operator. */
export class AccountTableError extends Error {
  /** The name of the class. */
  override readonly name = "AccountTableError";
}

/** A connection to the table, from {@linkcode AccountTable.open} until it is disposed of. */
export class AccountTable implements Disposable {
  readonly #connection: DatabaseConnection;
  readonly #configuration: Configuration;
  readonly #homes: string | undefined;

  private constructor(connection: DatabaseConnection, configuration: Configuration, homes: string | undefined) {
    this.#connection = connection;
    this.#configuration = configuration;
    this.#homes = homes;
  }

  /**
   * Connects.
   *
   * @param homes Folder that homes have to be below; absent: they are in stores alone.
   * @throws {DatabaseUnavailableError} When the database is out of reach.
   * @throws {DatabaseError} When it refuses.
   */
  static async open(
    { address, authorities }: DatabaseLocation,
    configuration: Configuration,
    homes: string | undefined,
  ): Promise<AccountTable> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), TIMEOUT_MS);
    const options = { authorities, maxAnswerBytes: MAX_ANSWER_BYTES, signal: deadline.signal };
    const connection = await DatabaseConnection.open(address, options)
      .finally(() => clearTimeout(timer));
    return new AccountTable(connection, configuration, homes);
  }

  /** Gives all accounts, by name. */
  async list(): Promise<readonly ListedAccount[]> {
    const rows = await this.#query("SELECT name, enabled, settings FROM ftpsd.account ORDER BY name");
    return rows.map(({ name, enabled, settings }) => ({
      name: name ?? "",
      enabled: enabled === "t",
      settings: JSON.parse(settings ?? "{}"),
    }));
  }

  /**
   * Adds an account, or changes one.
   *
   * @returns Why it cannot be used yet, as where its home is not there.
   * @throws {AccountTableError} When it is there, or is not.
   * @throws {AccountEntryError} When it would be none.
   */
  async put(kind: "add" | "set", name: string, change: AccountChange): Promise<string | undefined> {
    await this.#connection.script("BEGIN", TIMEOUT_MS);
    try {
      const warning = await this.#put(kind, name, change);
      await this.#connection.script("COMMIT", TIMEOUT_MS);
      return warning;
    } catch (error) {
      if (!this.#connection.ended.aborted) await this.#connection.script("ROLLBACK", TIMEOUT_MS);
      throw error;
    }
  }

  /** @throws {AccountTableError} When it is not there. */
  async remove(name: string): Promise<void> {
    const rows = await this.#query("DELETE FROM ftpsd.account WHERE name = $1 RETURNING name", [name]);
    if (rows.length === 0) throw isMissing(name);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  async #put(kind: "add" | "set", name: string, change: AccountChange): Promise<string | undefined> {
    const [row] = await this.#query(
      "SELECT password, enabled, settings FROM ftpsd.account WHERE name = $1 FOR UPDATE",
      [
        name,
      ],
    );
    if (kind === "add" && row !== undefined) throw isThere(name);
    if (kind === "set" && row === undefined) throw isMissing(name);
    const password = change.password ?? row?.password ?? "";
    const enabled = change.enabled ?? (row === undefined || row.enabled === "t");
    const settings = { ...JSON.parse(row?.settings ?? "{}"), ...change.settings };
    const warning = await this.#check({ ...settings, name, password });
    const written = await this.#query(kind === "add" ? INSERT : UPDATE, [
      ...[name, password, enabled, JSON.stringify(settings)],
    ]);
    if (written.length === 0) throw isThere(name); // somebody else has added it meanwhile
    return warning;
  }

  async #check(entry: Readonly<Record<string, unknown>>): Promise<string | undefined> {
    const folder = this.#homes;
    const user = readAccountEntry(
      entry,
      this.#configuration,
      (path) => folder === undefined ? path : pathIn(folder, path),
    );
    const homes = homesOf(user).flatMap(({ home }) => typeof home === "string" ? [home] : []);
    if (homes.length > 0 && folder === undefined) {
      return "its home is a folder of the host, and the source has no homes";
    }
    try {
      for (const home of homes) if (folder !== undefined) await inspectHomeIn(folder, home);
    } catch (error) {
      if (!(error instanceof HomeRefusedError)) throw error;
      // What Deno does not permit to look at is the server's affair.
      return error.cause instanceof Deno.errors.NotCapable ? undefined : error.message;
    }
    return undefined;
  }

  async #query(text: string, values: Parameters<DatabaseConnection["query"]>[1] = []) {
    return await this.#connection.query(text, values, TIMEOUT_MS);
  }
}

function isThere(name: string): AccountTableError {
  return new AccountTableError(`there is an account ${JSON.stringify(name)} already`);
}

function isMissing(name: string): AccountTableError {
  return new AccountTableError(`there is no account ${JSON.stringify(name)} in the table`);
}
