/**
 * The account source port: where accounts with passwords come from. `PasswordAuthorizer` does all else.
 *
 * @module
 */

import type { CallOptions, FileSystem } from "../filesystem/filesystem.ts";
import type { MaybePromise } from "../shared_port.ts";
import type { Account, AccountLimits, CertificateCredentials, Credentials } from "./authorizer.ts";
import type { HashCost } from "./password_digest.ts";
import type { StoredPassword } from "./password_hash.ts";
import type { PermissionOverride } from "./permission.ts";
import type { SecondFactor } from "./second_factor.ts";

/** What decides beside the password; `AccountRules` is one. */
export interface AccountRuleSet {
  /**
   * Returns why nobody may log in with these credentials now, for the log alone; `undefined` where that is right. Asked before
   * the password is looked at: to the client, the name is unknown then.
   */
  refusal(credentials: Credentials, now: Date): string | undefined;
  /**
   * Returns whether the client needs no password, since it has shown a certificate. Asked at USER; what `refusal()` says counts all
   * the same.
   */
  replacePassword?(credentials: CertificateCredentials): boolean;
  /** Returns why sessions may not go on now: they end at their next command, and behind a running transfer. */
  ending?(now: Date): string | undefined;
}

/** Options of an account. */
export interface AccountOptions {
  /**
   * Permission letters, those of `PermissionLetter`; none for an account that may only log in.
   *
   * @default "elr"
   */
  readonly permissions?: string;
  /**
   * Text of the reply to a login.
   *
   * @default "Login successful."
   */
  readonly loginMessage?: string;
  /**
   * Text of the reply to QUIT.
   *
   * @default "Goodbye."
   */
  readonly quitMessage?: string;
  /** Other permissions for parts of the home; of several for one path the last holds. */
  readonly overrides?: readonly PermissionOverride[];
  /** Limits over all sessions of the account; absent: none. */
  readonly limits?: AccountLimits;
  /** Returns what the user is told at a login; absent, or `undefined`: nothing. */
  readonly notice?: ((now: Date) => string | undefined) | undefined;
  /** See `Account`. */
  readonly changePassword?: Account["changePassword"] | undefined;
  /** What goes behind the password, which has to be a hash or clear text; absent: nothing. */
  readonly secondFactor?: SecondFactor | undefined;
  /** When and from where it may be used; absent: always, from everywhere. */
  readonly rules?: AccountRuleSet | undefined;
}

/** A password that is checked elsewhere, as by a directory that does not show its hashes. */
export interface DelegatedPassword {
  /**
   * Checks the password. Names that do not exist should take as long as others.
   *
   * @param credentials What the client gave. The password is not empty.
   * @param options.signal Aborts when the client leaves or the login deadline passes.
   * @returns The account, which is remembered with the success; `undefined` when there is none of that name and password. Its
   * `password` means nothing.
   * @throws {AuthorizerBusyError} When nobody can check it now.
   * @throws {LoginRefusedError} When the account may not log in for a reason that the log is to tell.
   */
  check(credentials: Credentials, options: CallOptions): MaybePromise<FoundAccount | undefined>;
  /**
   * Who checks it: successes with one do not count with another.
   *
   * @default {""}
   */
  readonly checkedBy?: string;
  /**
   * How long a success counts for the next logins with the same password, in seconds; 0: not at all. Refusals are never
   * remembered.
   *
   * @default 60
   */
  readonly rememberSeconds?: number;
}

/** What is known of a login that fails. */
export interface RefusalOptions extends CallOptions {
  /** What the client gave; absent where that was no password yet. */
  readonly credentials?: Credentials | undefined;
}

/** An account as a source has it. */
export interface FoundAccount extends AccountOptions {
  /**
   * Name of the account, by which its sessions are counted. Say it where more than one name finds it, as in a table that
   * ignores case.
   *
   * @default {the name that it was found by}
   */
  readonly username?: string;
  /**
   * A hash of scrypt, as `hashPassword()` makes it, argon2id or bcrypt; or clear text, which cannot begin like a hash
   * (`$scheme$`). A {@linkcode StoredPassword} is either, read before. Any password fits where `any` is set. A
   * {@linkcode DelegatedPassword} is checked elsewhere, and whether there is such an account is known only then.
   */
  readonly password: string | StoredPassword | { readonly any: true } | DelegatedPassword;
  /** A file system, or the path of a directory of the host. It is opened when the password was right. */
  readonly home: string | FileSystem;
  /**
   * Lets an account have letters of `adfmwMT` though any password fits: anybody may change files then.
   *
   * @default {false}
   */
  readonly forceWrite?: boolean;
  /**
   * Returns whether this account still is what the source has: no login comes of one that is not, nor does the success of
   * an earlier one count any more. Absent: a password that was right once is so as long as the hash is the same.
   */
  isCurrent?(): boolean;
  /**
   * Asked once the password was right: what the account is then, `undefined` when it is none any more. Only what that says is
   * used, but for the name and the password. What it throws is a failed login, but for an `AuthorizerBusyError`.
   *
   * @param options.signal Aborts when the client leaves or the login deadline passes.
   */
  complete?(options: CallOptions): MaybePromise<FoundAccount | undefined>;
  /**
   * Called once the password was wrong, before the answer: takes the time that a name would have taken that is not there.
   * Must not throw.
   */
  refuse?(options: RefusalOptions): MaybePromise<void>;
  /**
   * Asked once a password that is checked elsewhere was wrong: who else may have the name. What it throws is that of
   * {@linkcode AccountSource.find}.
   */
  otherwise?(options: CallOptions): MaybePromise<FoundAccount | undefined>;
}

/**
 * A table of accounts, wherever it is. {@linkcode PasswordAuthorizer} makes an authorizer of it.
 *
 * @example
 * ```ts
 * import { type AccountSource, hashPassword, MemoryFileSystem, PasswordAuthorizer } from "@ftpsd/ftpsd";
 *
 * const password = await hashPassword("correct horse", { ln: 10 });
 * const home = new MemoryFileSystem();
 * const source: AccountSource = { find: (name) => name === "alice" ? { password, home } : undefined };
 * const authorizer = new PasswordAuthorizer(source); // for `new FtpServer({ authorizer })`
 * ```
 */
export interface AccountSource {
  /**
   * Finds an account, whether or not the password is going to fit. Names that do not exist should take as long as others.
   *
   * @param name What the client gave as its name, verbatim.
   * @param options.signal Aborts when the client leaves or the login deadline passes.
   * @returns The account, or `undefined` when there is none of that name.
   * @throws {AuthorizerBusyError} When accounts cannot be found now: the client gets 421, and is not said to have failed.
   * Whatever else is thrown counts as a failed login.
   */
  find(name: string, options: CallOptions): MaybePromise<FoundAccount | undefined>;
  /**
   * Returns the distinct costs of all hashes. A failing login takes the work of each, so that time does not tell whether the
   * name exists. Absent: those of the hashes that were checked last, at most 8; before any, that of `hashPassword()`.
   */
  costs?(): readonly HashCost[];
}

/** Returns whether a password is checked elsewhere. */
export function isDelegated(password: FoundAccount["password"] | undefined): password is DelegatedPassword {
  return typeof password === "object" && password !== null && "check" in password &&
    typeof password.check === "function";
}
