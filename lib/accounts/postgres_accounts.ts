/**
 * Accounts in a table of PostgreSQL, or in what a query of one's own gives.
 *
 * @module
 */

import type { FileSystem } from "../filesystem/filesystem.ts";
import type { AccountSource, FoundAccount } from "./account_source.ts";
import { AuthorizerBusyError } from "./authorizer.ts";
import type { PermissionOverride } from "./permission.ts";

/** A row: texts as PostgreSQL writes them. */
type Row = Readonly<Record<string, string | null>>;

/** What runs statements, such as a `PostgresEngine`. */
export interface StatementRunner {
  /** Runs a statement with values for `$1` and so on. */
  query(text: string, values: readonly string[]): Promise<readonly Row[]>;
  /** Returns whether a statement has failed because the database cannot be asked now. */
  isOutOfReach(error: unknown): boolean;
}

/** Options of {@linkcode PostgresAccounts}. */
export interface PostgresAccountsOptions {
  /**
   * Gives the rows of the name `$1`, one or none, with the columns of `ftpsd.account`, of which only `name`, `password` and `home`
   * have to be there.
   *
   * @default {the enabled account of that name in ftpsd.account}
   */
  readonly statement?: string;
  /** Opens a home in a store. @default {such a home is refused} */
  readonly openStoreHome?: (home: { readonly store: string; readonly path: string }, account: string) => FileSystem;
}

const STATEMENT = "SELECT * FROM ftpsd.account WHERE name = $1 AND enabled";
/**
 * Finds accounts by asking for each login, so that a change holds on all nodes from the next login on. The success of an earlier
 * login counts only as long as the hash is the same.
 */
export class PostgresAccounts implements AccountSource {
  readonly #runner: StatementRunner;
  readonly #options: PostgresAccountsOptions;

  constructor(runner: StatementRunner, options: PostgresAccountsOptions = {}) {
    this.#runner = runner;
    this.#options = options;
  }

  /**
   * @throws {AuthorizerBusyError} When the database is out of reach: that is no failed login.
   * @throws {TypeError} When the row is not an account.
   */
  async find(name: string): Promise<FoundAccount | undefined> {
    if (!name.isWellFormed() || name.includes("\0")) return undefined; // PostgreSQL has no such text
    const rows = await this.#ask(name);
    const [row] = rows;
    if (row === undefined) return undefined;
    if (rows.length > 1) throw new TypeError("Cannot find an account: the statement gives more than one of a name");
    return this.#toAccount(row, name);
  }

  async #ask(name: string): Promise<readonly Row[]> {
    try {
      return await this.#runner.query(this.#options.statement ?? STATEMENT, [name]);
    } catch (cause) {
      if (!this.#runner.isOutOfReach(cause)) throw cause;
      throw new AuthorizerBusyError("The database with the accounts is out of reach", { cause });
    }
  }

  #toAccount(row: Row, name: string): FoundAccount {
    const { password, home, store, permissions, login_message: loginMessage, quit_message: quitMessage } = row;
    const username = row.name ?? name;
    if (!password?.startsWith("$")) throw new TypeError("Cannot use an account: its password is no hash");
    const [connections, upload, download] = [
      row.connections,
      row.upload_bytes_per_second,
      row.download_bytes_per_second,
    ].map((value) => Number(value ?? 0)) as [number, number, number];
    return {
      username,
      password,
      home: this.#homeOf(home ?? "", store ?? undefined, username),
      ...permissions && { permissions },
      ...loginMessage && { loginMessage },
      ...quitMessage && { quitMessage },
      ...row.overrides && { overrides: JSON.parse(row.overrides) as PermissionOverride[] },
      limits: { connections, bandwidth: { upload, download } },
    };
  }

  #homeOf(path: string, store: string | undefined, account: string): string | FileSystem {
    if (store === undefined) return path;
    const { openStoreHome } = this.#options;
    if (openStoreHome === undefined) throw new TypeError("Cannot use an account: its home is in a store");
    return openStoreHome({ store, path }, account);
  }
}
