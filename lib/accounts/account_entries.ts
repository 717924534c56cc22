/**
 * The port of accounts beyond the configuration file: each as an entry of `users` there, so that what holds for one holds for
 * the other. A source finds entries; what is made of them is the server's affair.
 *
 * @module
 */

import type { CallOptions } from "../filesystem/filesystem.ts";
import type { MaybePromise, SharedMethods } from "../shared_port.ts";
import type { Credentials } from "./authorizer.ts";
import type { PasswordReplacement } from "./password_store.ts";

/** An account in the words of the configuration file, as plain data; nothing of it was checked yet. */
export interface AccountEntry extends Readonly<Record<string, unknown>> {
  /** The name of the account, which may be another spelling than was asked for. */
  readonly name: string;
  /** The hash of its password; absent where the source checks passwords itself. */
  readonly password?: string;
}

/** One source of accounts: one that knows names, or one that knows who may log in. */
export type EntrySource = EntryFinder | EntryLogin;

/** A source that has the hashes of passwords. */
export interface EntryFinder {
  /**
   * Finds an account; names that do not exist should take as long as others.
   *
   * @param name What the client gave as its name, verbatim.
   * @param options.signal Aborts when nobody waits for the answer any more.
   * @returns The account, or `undefined` when there is none of that name. One that may not log in has `enabled: false`.
   * @throws {AuthorizerBusyError} When accounts cannot be found now.
   * @throws {AccountRowError} When there is one that cannot be used.
   */
  find(name: string, options: CallOptions): MaybePromise<AccountEntry | undefined>;
  /**
   * Keeps another hash of an account; absent: passwords are changed elsewhere.
   *
   * @returns Whether the account was there, with the hash that it is to have had so far.
   * @throws When that cannot be.
   */
  changePassword?(change: Omit<PasswordReplacement, "source">): MaybePromise<boolean>;
}

/** A source that checks passwords itself, and tells of an account only to who knows its password. */
export interface EntryLogin {
  /**
   * Finds an account and checks its password, in one step; names that do not exist should take as long as others.
   *
   * @param credentials What the client gave. Neither name nor password is empty.
   * @param options.signal Aborts when nobody waits for the answer any more.
   * @returns The account, or `undefined` when there is none of that name and password.
   * @throws {AuthorizerBusyError} When nobody can be asked now.
   * @throws {LoginRefusedError} When it may not log in for a reason that the log is to tell.
   * @throws {AccountRowError} When there is one that cannot be used.
   */
  login(credentials: Credentials, options: CallOptions): MaybePromise<AccountEntry | undefined>;
}

/** What a source has under a name cannot be an account. The message is for the log, and has no password. */
export class AccountRowError extends Error {
  /** The name of the class. */
  override readonly name = "AccountRowError";
}

/** All sources of a configuration that are not in its file, which one event loop has for all. */
export interface AccountEntries {
  /**
   * Finds an account in one source. See {@linkcode EntryFinder.find}.
   *
   * @param source Its index in `accounts`.
   */
  find(source: number, name: string, options: CallOptions): MaybePromise<AccountEntry | undefined>;
  /** Lets one source check a password. See {@linkcode EntryLogin.login}. */
  login(source: number, credentials: Credentials, options: CallOptions): MaybePromise<AccountEntry | undefined>;
}

/** What event loops share of them. */
export const SHARED_ACCOUNT_ENTRIES: SharedMethods<AccountEntries> = { find: {}, login: {} };
