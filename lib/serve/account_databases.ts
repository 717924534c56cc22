/**
 * Sources of accounts beyond the configuration file, as the main event loop has them for all.
 *
 * @module
 */

import {
  type AccountEntries,
  type AccountEntry,
  AccountRowError,
  type EntrySource,
} from "../accounts/account_entries.ts";
import { AuthorizerBusyError } from "../accounts/authorizer.ts";
import { StartError } from "../check/exit_error.ts";
import type { CallOptions } from "../filesystem/filesystem.ts";
import type { DatabaseLocation } from "../server/configured_options.ts";
import type { AccountSourceSettings } from "../settings/table.ts";
import type { PostgresEngine } from "../state/postgres/postgres_engine.ts";
import { describeThrown } from "../thrown.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** What the sources work with. */
export interface AccountDatabasesOptions {
  /** The database of the state; absent: there is none. */
  readonly cluster: PostgresEngine | undefined;
  /** Told the name of an account that was changed in a database of its own. Must not throw. */
  readonly onAccount: (name: string) => void;
  /** Told that changes may have been missed there. Must not throw. */
  readonly onReconnected: () => void;
  /** Told when a source cannot be asked, once until it can. Must not throw. */
  readonly onFailure: (message: string) => void;
}

/** Asked for at the start, to find out what is wrong with a statement; nobody has this name. */
const NOBODY = "";
/** Class of errors of PostgreSQL for values that do not fit, as a name where a number is wanted. */
const DATA_EXCEPTION = /^22/;

/** The sources, from {@linkcode AccountDatabases.open} until they are disposed of. */
export class AccountDatabases implements AccountEntries, AsyncDisposable {
  readonly #sources = new Map<number, EntrySource>();
  readonly #opened = new AsyncDisposableStack();
  readonly #options: AccountDatabasesOptions;
  readonly #failed = new Set<number>();

  private constructor(options: AccountDatabasesOptions) {
    this.#options = options;
  }

  /**
   * Opens all sources of a plan that are not its file; `undefined` where there are none.
   *
   * @throws {StartError} When one cannot be used.
   */
  static async open(plan: ServerPlan, options: AccountDatabasesOptions): Promise<AccountDatabases | undefined> {
    const { accounts } = plan.configuration;
    if (accounts.every(({ type }) => type === "file")) return undefined;
    const databases = new AccountDatabases(options);
    await using opened = new AsyncDisposableStack();
    opened.use(databases);
    for (const [index, settings] of accounts.entries()) {
      if (settings.type !== "file") {
        databases.#sources.set(index, await databases.#open(settings, index, plan.files.accountDatabases?.[index]));
      }
    }
    opened.move();
    return databases;
  }

  /** See {@linkcode AccountEntries.find}. */
  async find(source: number, name: string, options: CallOptions): Promise<AccountEntry | undefined> {
    try {
      const entry = await this.#sources.get(source)?.find(name, options);
      this.#failed.delete(source);
      return entry;
    } catch (error) {
      if (error instanceof AuthorizerBusyError && !this.#failed.has(source)) {
        this.#failed.add(source);
        this.#options.onFailure(`accounts[${source}]: ${error.message}: ${describeThrown(error.cause)}`);
      }
      throw error;
    }
  }

  /**
   * Returns whether any source knows an account.
   *
   * @throws {AuthorizerBusyError} When one that might cannot be asked.
   */
  async knows(name: string, options: CallOptions): Promise<boolean> {
    for (const source of this.#sources.keys()) {
      try {
        const entry = await this.find(source, name, options);
        if (entry !== undefined && entry.enabled !== false) return true;
      } catch (error) {
        if (error instanceof AccountRowError) return true; // there is one, whatever is wrong with it
        throw error;
      }
    }
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  /** Another type of source is another line here. */
  async #open(
    settings: AccountSourceSettings,
    index: number,
    database: DatabaseLocation | undefined,
  ): Promise<EntrySource> {
    return await this.#openPostgres(settings, index, database);
  }

  async #openPostgres(
    { urlFile, query }: AccountSourceSettings,
    index: number,
    database: DatabaseLocation | undefined,
  ): Promise<EntrySource> {
    const { ACCOUNT_STATEMENT, PostgresAccounts } = await import("../accounts/postgres_accounts.ts");
    const runner = urlFile === undefined ? this.#options.cluster : await this.#connect(database, index);
    if (runner === undefined) throw new StartError("there is no database of the state (accounts)", "docs/accounts.md");
    try {
      await runner.query(query ?? ACCOUNT_STATEMENT, [NOBODY]);
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
      if (!DATA_EXCEPTION.test(code)) {
        const message = `cannot ask the database of accounts[${index}]: ${describeThrown(cause)}`;
        const hint = query === undefined ? "ftpsd state init --config FILE makes the table" : "docs/accounts.md";
        throw new StartError(message, hint, { cause });
      }
    }
    return new PostgresAccounts(runner, { statement: query });
  }

  /** A database that is not that of the state: a few connections, and one that listens. */
  async #connect(database: DatabaseLocation | undefined, index: number) {
    if (database === undefined) {
      throw new StartError(`cannot read accounts[${index}].urlFile`, "ftpsd check --config FILE");
    }
    // Loaded when needed, with what speaks to the database.
    const [{ ConnectionPool }, { AccountFeed }] = await Promise.all([
      import("../state/postgres/connection_pool.ts"),
      import("../state/postgres/account_feed.ts"),
    ]);
    const { address, authorities } = database;
    const { onAccount, onReconnected } = this.#options;
    this.#opened.use(new AccountFeed(address, { authorities, onAccount, onReconnected }));
    return this.#opened.use(new ConnectionPool(address, { authorities }));
  }
}
