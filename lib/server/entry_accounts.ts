/**
 * Accounts that come as entries of a configuration, from elsewhere than its file.
 *
 * Whoever writes these entries is trusted with less than who writes the file: homes have to be below one folder, each is looked at
 * when its account logs in, and what cannot be used keeps that account out, and nobody else.
 *
 * @module
 */

import { type AccountEntry, AccountRowError, type EntrySource } from "../accounts/account_entries.ts";
import type { AccountSource, FoundAccount } from "../accounts/account_source.ts";
import { AuthorizerBusyError } from "../accounts/authorizer.ts";
import type { HashCost } from "../accounts/password_digest.ts";
import { DEFAULT_SCRYPT_COST, isPasswordHash, StoredPassword } from "../accounts/password_hash.ts";
import { distinctCosts } from "../accounts/password_verifier.ts";
import { ANONYMOUS } from "../accounts/permission.ts";
import type { CallOptions } from "../filesystem/filesystem.ts";
import { HomeRefusedError, inspectHomeIn, pathIn } from "../filesystem/local/homes_folder.ts";
import { AccountEntryError, readAccountEntry } from "../settings/account_entry.ts";
import { permissionsOf } from "../settings/account_rights.ts";
import type { Home } from "../settings/forms.ts";
import type { RiskId } from "../settings/risks.ts";
import type { Configuration, UserSettings } from "../settings/table.ts";
import { type HomeOpener, openAccountHome } from "./account_home.ts";
import { AccountQuotas, type AccountServices } from "./account_quotas.ts";
import { findHomeRisks } from "./virtual_authorizer.ts";

/** How entries become accounts. */
export interface EntryAccountsOptions {
  /** The configuration with the groups and stores that entries name. */
  readonly configuration: Configuration;
  /** Folder below which homes on the host have to be; absent: there may be none. */
  readonly homes?: string | undefined;
  /** Risks of homes that are accepted. */
  readonly acceptRisks: readonly RiskId[];
  readonly openHome: HomeOpener;
  readonly services: AccountServices;
  /** Told why an account cannot be used, each time that somebody tries. Must not throw. */
  readonly onProblem: (account: string, reason: string) => void;
}

/** An entry is asked for again where its password took longer than this to be checked: it may be another by then. */
const MAX_AGE_MS = 250;
/** Most costs that are kept of hashes that were seen; a failing login takes the work of each. */
const MAX_COSTS = 8;
const NO_FOLDER = "its home is a folder of the host, which needs accounts[…].homes";

/** Makes accounts of the entries of one source. */
export class EntryAccounts implements AccountSource {
  readonly #source: EntrySource;
  readonly #options: EntryAccountsOptions;
  #costs: readonly HashCost[] = [];

  constructor(source: EntrySource, options: EntryAccountsOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** @throws {AuthorizerBusyError} When the source cannot be asked now. */
  async find(name: string, options: CallOptions): Promise<FoundAccount | undefined> {
    const foundAt = performance.now();
    const entry = await this.#ask(name, options);
    const password = entry && this.#readPassword(entry);
    if (entry === undefined || password === undefined) return undefined;
    this.#keepCost(password);
    return {
      username: entry.name,
      password,
      home: "", // opened by complete()
      complete: (options) => this.#complete(name, { entry, foundAt }, options),
    };
  }

  /** Those of the hashes that were found last. */
  costs(): readonly HashCost[] {
    return this.#costs.length > 0 ? this.#costs : [{ scheme: "scrypt", ...DEFAULT_SCRYPT_COST }];
  }

  /** What is no account is passed over, as if it was not there. */
  async #ask(name: string, options: CallOptions): Promise<AccountEntry | undefined> {
    try {
      const entry = await this.#source.find(name, options) ?? undefined;
      if (entry === undefined || entry.enabled === false) return undefined;
      if (entry.name.toLowerCase() !== ANONYMOUS) return entry;
      this.#options.onProblem(
        name,
        `${JSON.stringify(entry.name)} is for everybody, whom the configuration file describes`,
      );
    } catch (error) {
      if (error instanceof AuthorizerBusyError || options.signal.aborted) throw error;
      this.#options.onProblem(name, reasonOf(error));
    }
    return undefined;
  }

  #readPassword({ name, password }: AccountEntry): StoredPassword | undefined {
    try {
      if (typeof password === "string" && isPasswordHash(password)) return new StoredPassword(password);
      this.#options.onProblem(name, "its password is no hash");
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#options.onProblem(name, error.message);
    }
    return undefined;
  }

  #keepCost({ hash }: StoredPassword): void {
    if (hash !== undefined) this.#costs = distinctCosts([...this.#costs, hash.cost]).slice(-MAX_COSTS);
  }

  async #complete(
    name: string,
    { entry, foundAt }: { readonly entry: AccountEntry; readonly foundAt: number },
    options: CallOptions,
  ): Promise<FoundAccount | undefined> {
    const isOld = performance.now() - foundAt > MAX_AGE_MS;
    const current = isOld ? await this.#ask(name, options) : entry;
    if (current === undefined || current.password !== entry.password || current.name !== entry.name) return undefined;
    try {
      return await this.#open(current);
    } catch (error) {
      options.signal.throwIfAborted();
      this.#options.onProblem(entry.name, reasonOf(error));
      return undefined;
    }
  }

  /**
   * @throws {AccountEntryError | HomeRefusedError} When it cannot be used.
   */
  async #open(entry: AccountEntry): Promise<FoundAccount> {
    const { configuration, homes, openHome, services } = this.#options;
    const read = readAccountEntry(entry, configuration, (path) => homes === undefined ? path : pathIn(homes, path));
    const user = await this.#withCheckedHomes(read);
    const { name, password, limits, messages: { login, quit } } = user;
    const quotas = new AccountQuotas({ ...withoutAccounts(configuration), users: [user] }, services);
    const home = openAccountHome(user, name, { openHome, quotas });
    return { username: name, password, home, ...permissionsOf(user), loginMessage: login, quitMessage: quit, limits };
  }

  /** Homes as they are without links, each of them below the folder and without a risk that is not accepted. */
  async #withCheckedHomes(user: UserSettings): Promise<UserSettings> {
    const home = await this.#check(user.home);
    const mounts = await Promise.all(
      user.mounts.map(async (mount) => ({ ...mount, home: await this.#check(mount.home) })),
    );
    return { ...user, home, mounts };
  }

  async #check(home: Home): Promise<Home> {
    const { homes, acceptRisks } = this.#options;
    if (typeof home !== "string") return home;
    if (homes === undefined) throw new HomeRefusedError(NO_FOLDER);
    const facts = await inspectHomeIn(homes, home);
    const unaccepted = findHomeRisks(facts).find(({ risk }) => !acceptRisks.includes(risk));
    if (unaccepted !== undefined) throw new HomeRefusedError(`${unaccepted.message} (risk ${unaccepted.risk})`);
    return facts.realPath;
  }
}

function withoutAccounts({ anonymous: _, ...others }: Configuration): Configuration {
  return others;
}

function reasonOf(error: unknown): string {
  const isKnown = error instanceof AccountEntryError || error instanceof AccountRowError ||
    error instanceof HomeRefusedError;
  return isKnown ? error.message : `it cannot be used: ${error}`;
}
