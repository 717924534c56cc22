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
import { AuthorizerBusyError, type Credentials, LoginRefusedError } from "../accounts/authorizer.ts";
import type { PasswordReplacement } from "../accounts/password_store.ts";
import { RefusalLevel } from "../accounts/refusal_level.ts";
import { StartError } from "../check/exit_error.ts";
import type { CallOptions } from "../filesystem/filesystem.ts";
import type { MaybePromise } from "../shared_port.ts";
import type { DatabaseLocation } from "../server/configured_options.ts";
import type { AccountSourceSettings } from "../settings/table.ts";
import type { PostgresEngine } from "../state/postgres/postgres_engine.ts";
import { describeThrown } from "../thrown.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** What the sources work with. */
export interface AccountSourcesOptions {
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

/** Most names that are kept of who was let in. */
const MAX_GUESTS = 65_536;

/** The sources, from {@linkcode AccountSources.open} until they are disposed of. */
export class AccountSources implements AccountEntries, AsyncDisposable {
  readonly #sources = new Map<number, EntrySource>();
  readonly #opened = new AsyncDisposableStack();
  readonly #options: AccountSourcesOptions;
  readonly #failed = new Set<number>();
  /** How long refusals take, of sources that check passwords themselves. */
  readonly #levels = new Map<number, RefusalLevel>();
  /** Who was let in by a source that checks passwords itself; who was last comes last. */
  readonly #guests = new Set<string>();

  private constructor(options: AccountSourcesOptions) {
    this.#options = options;
  }

  /**
   * Opens all sources of a plan that are not its file; `undefined` where there are none.
   *
   * @throws {StartError} When one cannot be used.
   */
  static async open(plan: ServerPlan, options: AccountSourcesOptions): Promise<AccountSources | undefined> {
    const { accounts } = plan.configuration;
    if (accounts.every(({ type }) => type === "file")) return undefined;
    const sources = new AccountSources(options);
    await using opened = new AsyncDisposableStack();
    opened.use(sources);
    for (const [index, settings] of accounts.entries()) {
      if (settings.type !== "file") {
        sources.#sources.set(index, await sources.#open(settings, index, plan));
      }
    }
    opened.move();
    return sources;
  }

  /** See {@linkcode AccountEntries.find}. */
  async find(index: number, name: string, options: CallOptions): Promise<AccountEntry | undefined> {
    const source = this.#sources.get(index);
    if (source === undefined || !("find" in source)) return undefined;
    return await this.#ask(index, () => source.find(name, options));
  }

  /** See {@linkcode AccountEntries.login}. */
  async login(index: number, credentials: Credentials, options: CallOptions): Promise<AccountEntry | undefined> {
    const source = this.#sources.get(index);
    if (source === undefined || !("login" in source)) return undefined;
    const since = performance.now();
    try {
      const entry = await this.#ask(index, () => source.login(credentials, options));
      if (entry === undefined) await this.#level(index).reach(since, options.signal);
      else this.#keepGuest(entry.name);
      return entry;
    } catch (error) {
      if (error instanceof LoginRefusedError) await this.#level(index).reach(since, options.signal);
      throw error;
    }
  }

  #level(index: number): RefusalLevel {
    const level = this.#levels.get(index) ?? new RefusalLevel();
    this.#levels.set(index, level);
    return level;
  }

  /** Keeps a new password of an account in its source, see {@linkcode EntryFinder.changePassword}. */
  async changePassword({ source: index, ...change }: PasswordReplacement): Promise<boolean> {
    const source = this.#sources.get(index);
    if (source === undefined || !("find" in source) || source.changePassword === undefined) {
      throw new Error(`Passwords of accounts[${index}] are changed elsewhere`);
    }
    return await source.changePassword(change);
  }

  /** Tells once that a source cannot be asked, until it can. */
  async #ask(
    index: number,
    ask: () => MaybePromise<AccountEntry | undefined>,
  ): Promise<AccountEntry | undefined> {
    try {
      const entry = await ask();
      this.#failed.delete(index);
      return entry;
    } catch (error) {
      if (error instanceof AuthorizerBusyError && error.isOutage && !this.#failed.has(index)) {
        this.#failed.add(index);
        const cause = error.cause === undefined ? "" : `: ${describeThrown(error.cause)}`;
        this.#options.onFailure(`accounts[${index}]: ${error.message}${cause}`);
      }
      throw error;
    }
  }

  #keepGuest(name: string): void {
    this.#guests.delete(name);
    this.#guests.add(name);
    const [first] = this.#guests;
    if (this.#guests.size > MAX_GUESTS && first !== undefined) this.#guests.delete(first);
  }

  /**
   * Returns whether any source knows an account. One that checks passwords itself cannot be asked without: those that it has let in
   * are known, until it has let in very many others.
   *
   * @throws {AuthorizerBusyError} When one that might cannot be asked.
   */
  async knows(name: string, options: CallOptions): Promise<boolean> {
    if (this.#guests.has(name)) return true;
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

  /** Another type of source is another line here; each is loaded where it is used. */
  async #open(
    settings: AccountSourceSettings,
    index: number,
    { configuration, files }: ServerPlan,
  ): Promise<EntrySource> {
    const ca = files.accountAuthorities?.[index];
    switch (settings.type) {
      case "http": {
        const { openHook } = await import("./open_account_source.ts");
        return this.#opened.use(await openHook(settings, { ca, node: configuration.state.node }));
      }
      case "ldap": {
        const { openDirectory } = await import("./open_account_source.ts");
        return this.#opened.use(await openDirectory(settings, { ca }));
      }
      default:
        return await this.#openPostgres(settings, index, files.accountDatabases?.[index]);
    }
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
