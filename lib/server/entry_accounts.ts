/**
 * Accounts that come as entries of a configuration, from elsewhere than its file.
 *
 * Whoever writes these entries is trusted with less than who writes the file: homes have to be below one folder, each is looked at
 * when its account logs in, and what cannot be used keeps that account out, and nobody else.
 *
 * @module
 */

import { type AccountEntry, AccountRowError, type EntryLogin, type EntrySource } from "../accounts/account_entries.ts";
import type { AccountSource, DelegatedPassword, FoundAccount } from "../accounts/account_source.ts";
import { AuthorizerBusyError, type Credentials, LoginRefusedError } from "../accounts/authorizer.ts";
import { type CodeRegister, UsedCodes } from "../accounts/code_register.ts";
import type { HashCost } from "../accounts/password_digest.ts";
import { DEFAULT_SCRYPT_COST, isPasswordHash, StoredPassword } from "../accounts/password_hash.ts";
import { distinctCosts } from "../accounts/password_verifier.ts";
import { ANONYMOUS } from "../accounts/permission.ts";
import type { CallOptions } from "../filesystem/filesystem.ts";
import type { MaybePromise } from "../shared_port.ts";
import { HomeRefusedError, inspectHomeIn, pathIn } from "../filesystem/local/homes_folder.ts";
import { AccountEntryError, readAccountEntry, readEntryConditions } from "../settings/account_entry.ts";
import { permissionsOf } from "../settings/account_rights.ts";
import type { Home } from "../settings/forms.ts";
import type { RiskId } from "../settings/risks.ts";
import type { Configuration, UserSettings } from "../settings/table.ts";
import { type HomeOpener, openAccountHome } from "./account_home.ts";
import { rulesOf, secondFactorOf } from "./account_rule_set.ts";
import { AccountQuotas, type AccountServices } from "./account_quotas.ts";
import { findHomeRisks } from "./virtual_authorizer.ts";

/** How entries become accounts. */
export interface EntryAccountsOptions {
  /** The configuration with the groups and stores that entries name. */
  readonly configuration: Configuration;
  /** Folder below which homes on the host have to be; absent: there may be none. */
  readonly homes?: string | undefined;
  /**
   * How long a source that checks passwords itself is not asked again after a success, in seconds.
   *
   * @default 60
   */
  readonly rememberSeconds?: number | undefined;
  /** Names the source among those of a server. @default {""} */
  readonly name?: string;
  /** What users do with their own passwords; absent: nothing. */
  readonly own?: (user: UserSettings) => Pick<FoundAccount, "notice" | "changePassword">;
  /** Risks of homes that are accepted. */
  readonly acceptRisks: readonly RiskId[];
  readonly openHome: HomeOpener;
  readonly services: AccountServices;
  /** Where one-time codes are used up; absent: in memory, of this source alone. */
  readonly codes?: CodeRegister;
  /** Told why an account cannot be used, each time that somebody tries. Must not throw. */
  readonly onProblem: (account: string, reason: string) => void;
}

/** An entry is asked for again where its password took longer than this to be checked: it may be another by then. */
const MAX_AGE_MS = 250;
/** Most costs that are kept of hashes that were seen; a failing login takes the work of each. */
const MAX_COSTS = 8;
/** Takes the place of a password that is checked elsewhere, where an entry has to have one. */
const CHECKED_ELSEWHERE = "-";
/** Why nobody gets into an account that its source has switched off. */
export const DISABLED = "the account is disabled";
const NO_HASH = "its password is no hash";
const NO_CODES = "it has totp, but its password is checked elsewhere: let that check codes, too";
const NO_FOLDER = "its home is a folder of the host, which needs accounts[…].homes";

/** What a source knows by a name. */
type Answer = { readonly entry: AccountEntry } | { readonly refusal: string };

/** Makes accounts of the entries of one source. */
export class EntryAccounts implements AccountSource {
  readonly #source: EntrySource;
  readonly #options: EntryAccountsOptions;
  readonly #codes: CodeRegister;
  #costs: readonly HashCost[] = [];

  constructor(source: EntrySource, options: EntryAccountsOptions) {
    this.#source = source;
    this.#options = options;
    this.#codes = options.codes ?? new UsedCodes();
  }

  /** @throws {AuthorizerBusyError} When the source cannot be asked now. */
  async find(name: string, options: CallOptions): Promise<FoundAccount | undefined> {
    if ("login" in this.#source) return this.#checkedBy(this.#source);
    const source = this.#source;
    const foundAt = performance.now();
    const answer = await this.#ask(name, options, () => source.find(name, options));
    if (answer === undefined) return undefined;
    if ("refusal" in answer) return refusedFor(name, answer.refusal);
    const { entry } = answer;
    const password = this.#readPassword(entry);
    if (password === undefined) return refusedFor(name, NO_HASH);
    this.#keepCost(password);
    return {
      username: entry.name,
      password,
      ...this.#conditionsOf(entry),
      home: "", // opened by complete()
      complete: (options) => this.#complete(name, { entry, foundAt }, options),
    };
  }

  /** Those of the hashes that were found last; none where passwords are checked elsewhere. */
  costs(): readonly HashCost[] {
    if ("login" in this.#source) return [];
    return this.#costs.length > 0 ? this.#costs : [{ scheme: "scrypt", ...DEFAULT_SCRYPT_COST }];
  }

  /** Whoever it is, the source says it when it has the password. */
  #checkedBy(source: EntryLogin): FoundAccount {
    const { rememberSeconds, name } = this.#options;
    const password: DelegatedPassword = {
      ...rememberSeconds !== undefined && { rememberSeconds },
      ...name !== undefined && { checkedBy: name },
      check: (credentials, options) => this.#login(source, credentials, options),
    };
    return { password, home: "" };
  }

  async #login(
    source: EntryLogin,
    credentials: Credentials,
    options: CallOptions,
  ): Promise<FoundAccount | undefined> {
    const answer = await this.#ask(credentials.username, options, () => source.login(credentials, options));
    if (answer === undefined) return undefined;
    if ("refusal" in answer) throw new LoginRefusedError(answer.refusal);
    const { entry } = answer;
    const complete = async ({ signal }: CallOptions) => await this.#tryToOpen(entry, signal);
    const { rules, secondFactor } = this.#conditionsOf(entry);
    if (secondFactor !== undefined) throw new LoginRefusedError(NO_CODES);
    return { username: entry.name, password: CHECKED_ELSEWHERE, rules, home: "", complete };
  }

  /** What is there and cannot be used is refused, not passed over: the next source would decide in its place. */
  async #ask(
    name: string,
    options: CallOptions,
    ask: () => MaybePromise<AccountEntry | undefined>,
  ): Promise<Answer | undefined> {
    try {
      const entry = await ask() ?? undefined;
      if (entry === undefined) return undefined;
      if (entry.enabled === false) return { refusal: DISABLED };
      if (entry.name.toLowerCase() !== ANONYMOUS) return { entry };
      this.#options.onProblem(
        name,
        `${JSON.stringify(entry.name)} is for everybody, whom the configuration file describes`,
      );
    } catch (error) {
      const isAnswer = error instanceof AuthorizerBusyError || error instanceof LoginRefusedError;
      if (isAnswer || options.signal.aborted) throw error;
      const refusal = reasonOf(error);
      this.#options.onProblem(name, refusal);
      return { refusal };
    }
    return undefined;
  }

  #readPassword({ name, password }: AccountEntry): StoredPassword | undefined {
    try {
      if (typeof password === "string" && isPasswordHash(password)) return new StoredPassword(password);
      this.#options.onProblem(name, NO_HASH);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#options.onProblem(name, error.message);
    }
    return undefined;
  }

  /** What decides beside the password; where that cannot be read, it refuses everybody. */
  #conditionsOf(entry: AccountEntry): Pick<FoundAccount, "rules" | "secondFactor"> {
    try {
      const { totp, ...rules } = readEntryConditions(entry, this.#options.configuration.groups);
      return {
        rules: rulesOf(rules, entry.name),
        ...secondFactorOf({ ...totp && { totp } }, totp?.secret, this.#codes),
      };
    } catch (error) {
      if (!(error instanceof AccountEntryError)) throw error;
      return { rules: { refusal: () => error.message } };
    }
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
    const source = this.#source;
    const answer = isOld && "find" in source
      ? await this.#ask(name, options, () => source.find(name, options))
      : { entry };
    if (answer === undefined || "refusal" in answer) return undefined;
    const { entry: current } = answer;
    if (current.password !== entry.password || current.name !== entry.name) return undefined;
    return await this.#tryToOpen(current, options.signal);
  }

  async #tryToOpen(entry: AccountEntry, signal: AbortSignal): Promise<FoundAccount | undefined> {
    try {
      return await this.#open({ password: CHECKED_ELSEWHERE, ...entry });
    } catch (error) {
      signal.throwIfAborted();
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
    const own = entry.password === CHECKED_ELSEWHERE ? {} : this.#options.own?.(user);
    const rights = { ...own, ...permissionsOf(user), limits, rules: rulesOf(user, name) };
    return { username: name, password, home, ...rights, loginMessage: login, quitMessage: quit };
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

/** An account that nobody gets into, for a reason that the log has. */
export function refusedFor(username: string, reason: string): FoundAccount {
  return { username, password: CHECKED_ELSEWHERE, rules: { refusal: () => reason }, home: "" };
}

function withoutAccounts({ anonymous: _, ...others }: Configuration): Configuration {
  return others;
}

function reasonOf(error: unknown): string {
  const isKnown = error instanceof AccountEntryError || error instanceof AccountRowError ||
    error instanceof HomeRefusedError;
  return isKnown ? error.message : `it cannot be used: ${error}`;
}
