/**
 * Logins with passwords, for accounts from anywhere.
 *
 * @module
 */

import { abortable } from "../deadline.ts";
import type { CallOptions, FileSystem } from "../filesystem/filesystem.ts";
import { addressBlock } from "../protocol/host_port.ts";
import { isWithin } from "../protocol/pathname.ts";
import { type AccountSource, type DelegatedPassword, type FoundAccount, isDelegated } from "./account_source.ts";
import {
  ANONYMOUS,
  assertAnonymousReadOnly,
  assertOverride,
  assertPermissions,
  findPermissions,
  READ_PERMISSIONS,
} from "./permission.ts";
import {
  type Account,
  type Authorizer,
  type CertificateCredentials,
  type Credentials,
  DEFAULT_MESSAGES,
  LoginRefusedError,
} from "./authorizer.ts";
import { DelegatedVerifier } from "./delegated_verifier.ts";
import { StoredPassword } from "./password_hash.ts";
import { type PasswordAttemptOptions, PasswordVerifier, type PasswordVerifierOptions } from "./password_verifier.ts";

/** Options of {@linkcode PasswordAuthorizer}. */
export interface PasswordAuthorizerOptions extends PasswordVerifierOptions {
  /**
   * Opens a home that is given as a path of the host.
   *
   * @default {such a home is refused}
   */
  readonly openHome?: (home: string) => FileSystem;
}

/**
 * Checks names and passwords against the accounts of a source: with the same work for unknown names as for known ones, few
 * checks at once, and sooner where a success is remembered. What the source gives is checked; clients learn of a fault in an
 * account only when they know its password.
 *
 * @example
 * ```ts
 * import { LocalFileSystem, PasswordAuthorizer, WriteClaims } from "@ftpsd/ftpsd";
 *
 * const users = new Map([["alice", { password: "correct horse", home: "/srv/ftp/alice", permissions: "elrw" }]]);
 * const writeClaims = new WriteClaims(); // so that no file is written by two sessions
 * const authorizer = new PasswordAuthorizer({ find: (name) => users.get(name) }, {
 *   openHome: (home) => new LocalFileSystem(home, { writeClaims }),
 * });
 * ```
 */
export class PasswordAuthorizer implements Authorizer {
  readonly #source: AccountSource;
  readonly #openHome: ((home: string) => FileSystem) | undefined;
  readonly #verifier: PasswordVerifier;
  readonly #elsewhere: DelegatedVerifier;

  /**
   * Makes an authorizer of the accounts of a source.
   *
   * @throws {RangeError} When a bound is out of range.
   */
  constructor(source: AccountSource, options: PasswordAuthorizerOptions = {}) {
    this.#source = source;
    this.#openHome = options.openHome;
    this.#verifier = new PasswordVerifier(options);
    const { maxRemembered } = options;
    this.#elsewhere = new DelegatedVerifier(maxRemembered === undefined ? {} : { maxRemembered });
  }

  /**
   * Checks the credentials.
   *
   * @returns The account, or `undefined` when the name or the password is wrong.
   * @throws {AuthorizerBusyError} When too many passwords wait to be checked already, or the source throws it.
   * @throws {TypeError | SyntaxError} When the account is not what it must be; for all but the password, only when that fits.
   * @throws {InsecureConfigurationError} When any password fits and a letter lets it change something, without `forceWrite`.
   * @throws {LoginRefusedError} When a rule of the account refuses it, or whoever checks the password elsewhere gives a reason;
   * after the work of a name that is not there.
   * @throws The reason of `options.signal` when it aborts, and what the source throws.
   */
  async authenticate(credentials: Credentials, options: CallOptions): Promise<Account | undefined> {
    const { username } = credentials;
    const { signal } = options;
    signal.throwIfAborted();
    // A source that does not heed the signal keeps nobody waiting. One in a database may say `null`.
    let found = await abortable(Promise.try(() => this.#source.find(username, { signal })), signal) ?? undefined;
    signal.throwIfAborted();
    while (found !== undefined && isDelegated(found.password)) {
      const { password } = found;
      assertNoCodes(username, found);
      const account = await this.#checkElsewhere(found, password, credentials, options);
      if (account !== undefined) {
        const opened = await this.#completed(account, credentials, signal);
        if (opened === undefined) this.#elsewhere.forget(password, credentials); // it may be mended
        return opened;
      }
      const { otherwise } = found;
      found = await abortable(Promise.try(() => otherwise?.({ signal })), signal) ?? undefined;
      signal.throwIfAborted();
    }
    return await this.#compare(found, credentials, options);
  }

  /**
   * Looks for the account of a client that needs no password.
   *
   * @returns The account, or `undefined` where a password is needed.
   * @throws {LoginRefusedError} When a rule of the account refuses it.
   * @throws As {@linkcode PasswordAuthorizer.authenticate}.
   */
  async authorize(credentials: CertificateCredentials, options: CallOptions): Promise<Account | undefined> {
    const { signal } = options;
    signal.throwIfAborted();
    if (credentials.tls?.peerCertificate === undefined) return undefined;
    let found = await abortable(Promise.try(() => this.#source.find(credentials.username, { signal })), signal);
    while (found && isDelegated(found.password)) { // what is known only with a password has no certificate
      const { otherwise } = found;
      found = await abortable(Promise.try(() => otherwise?.({ signal })), signal);
    }
    if (!found?.rules?.replacePassword?.(credentials)) {
      await abortable(Promise.try(() => found?.refuse?.({ signal })), signal);
      return undefined;
    }
    const withoutPassword = { ...credentials, password: "" };
    const refusal = found.rules.refusal(withoutPassword, new Date());
    if (refusal !== undefined) throw new LoginRefusedError(refusal);
    const isCurrent = found.isCurrent?.bind(found);
    const account = await complete(found, signal);
    // Its certificates may be others by now.
    const { rules = found.rules } = account ?? {};
    if (account === undefined || isCurrent?.() === false || !rules.replacePassword?.(credentials)) return undefined;
    const lateRefusal = rules.refusal(withoutPassword, new Date());
    if (lateRefusal !== undefined) throw new LoginRefusedError(lateRefusal);
    return this.#open(credentials.username, account);
  }

  /** Lets another check the password; where that gives a reason to refuse, the time is that of a wrong one all the same. */
  async #checkElsewhere(
    found: FoundAccount,
    password: DelegatedPassword,
    credentials: Credentials,
    { signal }: CallOptions,
  ): Promise<FoundAccount | undefined> {
    try {
      const refusalOf = (account: FoundAccount) => account.rules?.refusal(credentials, new Date());
      const account = await this.#elsewhere.check(password, credentials, {
        signal,
        owner: addressBlock(credentials.remoteHost),
        // Who is refused waits for the one who checks the password, as everybody does whose password is wrong.
        counts: (account) => refusalOf(account) === undefined,
      });
      if (account !== undefined) assertNoCodes(credentials.username, account);
      const refusal = account && refusalOf(account);
      if (refusal !== undefined) throw new LoginRefusedError(refusal);
      return account;
    } catch (error) {
      if (!(error instanceof LoginRefusedError)) throw error;
      await this.#compare(undefined, credentials, { signal });
      await abortable(Promise.try(() => found.refuse?.({ signal, credentials })), signal);
      throw error;
    }
  }

  /** Compares the password with that of an account, or of none. */
  async #compare(
    found: FoundAccount | undefined,
    credentials: Credentials,
    { signal }: CallOptions,
  ): Promise<Account | undefined> {
    const { username, remoteHost } = credentials;
    if (found !== undefined && fitsAny(found.password)) assertNoCodes(username, found);
    const refusal = found?.rules?.refusal(credentials, new Date());
    // Who is refused is nobody, whatever the password and whatever is remembered of it.
    const stored = found && refusal === undefined ? readPassword(username, found) : undefined;
    // Bound, as a closure would keep the signal of this session for as long as the success is remembered.
    const isCurrent = found?.isCurrent?.bind(found);
    const how = { costs: this.#source.costs?.(), signal, owner: addressBlock(remoteHost) };
    const fits = stored === "any" || await this.#fits({ credentials, found, stored, isCurrent }, how);
    if (!fits) {
      await abortable(Promise.try(() => found?.refuse?.({ signal, credentials })), signal);
      if (refusal !== undefined) throw new LoginRefusedError(refusal);
      return undefined;
    }
    const account = await this.#completed(found, credentials, signal);
    return isCurrent?.() === false ? undefined : account; // it may have been removed or replaced meanwhile
  }

  /** Looks at the password, and at the code behind it where there has to be one. */
  async #fits(
    { credentials: { username, password, remoteHost }, found, stored, isCurrent }: {
      readonly credentials: Credentials;
      readonly found: FoundAccount | undefined;
      readonly stored: StoredPassword | undefined;
      readonly isCurrent: (() => boolean) | undefined;
    },
    how: PasswordAttemptOptions,
  ): Promise<boolean> {
    const { secondFactor, username: account = username } = found ?? {};
    if (secondFactor === undefined || stored === undefined) {
      return await this.#verifier.verify({ username, password, stored, isCurrent }, how);
    }
    const passwordHash = stored.hash?.text ?? "";
    // By the name that the source has: by another spelling a code is none the fresher.
    const looking = Promise.try(() =>
      secondFactor.look({ username: account, passwordHash, given: password, remoteHost })
    );
    const code = await abortable(looking, how.signal);
    const alone = password.slice(0, -secondFactor.codeLength);
    if (code.isRecalled && (stored.hash !== undefined || stored.fitsClearText(alone))) return true;
    const confirm = () => code.confirm();
    return await this.#verifier.verify({ username, password: alone, stored, isCurrent, confirm }, how);
  }

  async #completed(
    found: FoundAccount | undefined,
    credentials: Credentials,
    signal: AbortSignal,
  ): Promise<Account | undefined> {
    const account = await complete(found, signal);
    const lateRefusal = account === found ? undefined : account?.rules?.refusal(credentials, new Date());
    if (lateRefusal !== undefined) throw new LoginRefusedError(lateRefusal);
    return account && this.#open(credentials.username, account);
  }

  #open(name: string, found: FoundAccount): Account {
    const { login, quit } = DEFAULT_MESSAGES;
    const { username = name, home, loginMessage = login, quitMessage = quit, limits = {} } = found;
    const { permissions = READ_PERMISSIONS, overrides = [], rules, changePassword } = found;
    const notice = found.notice?.(new Date());
    assertRights(username, found);
    if (typeof limits !== "object" || limits === null) throw unusable(username, "its limits are no object");
    if (typeof home === "string" && home !== "" && !this.#openHome) throw unusable(username, "no openHome is set");
    const fileSystem = typeof home === "string" ? this.#openHome?.(home) : home;
    if (!fileSystem) throw unusable(username, "it has no home");
    // The source may change its own list while the session goes on.
    const rights = { permissions, overrides: overrides.map((override) => ({ ...override })), fileSystem };
    return {
      username,
      fileSystem,
      permissions,
      loginMessage,
      quitMessage,
      limits,
      async hasPermission(letter, path, options) {
        return (await findPermissions(rights, path, options)).includes(letter);
      },
      ...notice !== undefined && { notice },
      ...changePassword !== undefined && { changePassword },
      ...rules?.ending !== undefined && { ending: rules.ending.bind(rules) },
      mayMove: (path) => !rights.overrides.some((override) => isWithin(path, override.path)),
    };
  }
}

/** The account as it is once its password was right. */
async function complete(found: FoundAccount | undefined, signal: AbortSignal): Promise<FoundAccount | undefined> {
  if (found?.complete === undefined) return found;
  const account = await abortable(Promise.try(() => found.complete?.({ signal })), signal) ?? undefined;
  signal.throwIfAborted();
  return account;
}

/** Reads the password of an account; "any" where any fits. */
function readPassword(username: string, found: FoundAccount): StoredPassword | "any" {
  if (typeof found !== "object") throw unusable(username, "it is not an object");
  const { password } = found;
  if (fitsAny(password)) return "any";
  if (password instanceof StoredPassword) return password;
  if (typeof password !== "string" || password === "") throw unusable(username, "it has no password");
  return new StoredPassword(password);
}

/** Nobody would ask for the code: only behind a password that is known here one can be told apart. */
function assertNoCodes(username: string, { secondFactor }: FoundAccount): void {
  if (secondFactor !== undefined) throw unusable(username, "it has a second factor, but no password of its own");
}

function fitsAny(password: FoundAccount["password"]): boolean {
  return typeof password === "object" && password !== null && "any" in password && password.any === true;
}

/**
 * Checks letters and overrides of an account.
 *
 * @throws {TypeError} When they are of another type.
 * @throws {SyntaxError} When a letter is unknown, or the path of an override is not absolute and normalised.
 * @throws {InsecureConfigurationError} When anonymous, or whoever comes with any password, may change something, and that
 * is not forced.
 */
export function assertRights(username: string, account: Omit<FoundAccount, "home">): void {
  const { password, permissions = READ_PERMISSIONS, overrides = [], forceWrite } = account;
  if (!Array.isArray(overrides)) throw unusable(username, "its overrides are no list");
  const isAnybody = fitsAny(password);
  const mayOnlyRead = isAnybody ? forceWrite !== true : username === ANONYMOUS;
  const assertLetters = (letters: unknown) => {
    if (typeof letters !== "string") throw unusable(username, "its permissions are no text");
    assertPermissions(letters);
    if (mayOnlyRead) assertAnonymousReadOnly(letters);
  };
  assertLetters(permissions);
  for (const override of overrides) {
    if (typeof override?.path !== "string") throw unusable(username, "an override has no path");
    assertLetters(override.permissions);
    assertOverride(override);
  }
}

function unusable(username: string, problem: string): TypeError {
  return new TypeError(`Cannot use the account ${JSON.stringify(username)}: ${problem}`);
}
