/**
 * The authorizer port: who may log in, and what they may do then.
 *
 * @module
 */

import type { CallOptions, FileSystem } from "../filesystem/filesystem.ts";
import type { TlsInfo } from "../transport/connection.ts";
import type { PermissionLetter } from "./permission.ts";

/** What a client gave with USER and PASS, and where it comes from. */
export interface Credentials {
  /** Argument of USER, verbatim. */
  readonly username: string;
  /** Argument of PASS, verbatim; empty when it had none. Never log it. */
  readonly password: string;
  /** Numeric address of the client. */
  readonly remoteHost: string;
  /** How the control connection is protected, and what certificate the client has shown; absent: it is in clear. */
  readonly tls?: TlsInfo | undefined;
}

/** What is known of a client that has shown a certificate, and has given no password yet. */
export type CertificateCredentials = Omit<Credentials, "password">;

/** Limits of one account; absent or 0: none. */
export interface AccountLimits {
  /** Sessions at once. */
  readonly connections?: number;
  /** Bytes a second, all sessions of the account together. */
  readonly bandwidth?: { readonly upload?: number; readonly download?: number };
}

/** A logged-in user: its rights and its files, fixed for the time of the session. */
export interface Account {
  /** Name of the user. */
  readonly username: string;
  /** The files of this account, with its home as `/`. */
  readonly fileSystem: FileSystem;
  /** The letters that hold where no override does; shown in the `perm` fact (RFC 3659 §7.5.5). */
  readonly permissions: string;
  /** Text of the 230 reply. */
  readonly loginMessage: string;
  /** Text of the 221 reply. */
  readonly quitMessage: string;
  /** What the user is told with the login, and the log: as that the password is old. */
  readonly notice?: string;
  /** Limits over all sessions of this user name; absent: none. */
  readonly limits?: AccountLimits;
  /**
   * Returns whether a right holds for a path. The path need not exist.
   *
   * @param path Virtual path: absolute and normalised.
   * @param options.signal Aborts when nobody waits for the answer any more.
   */
  hasPermission(letter: PermissionLetter, path: string, options: CallOptions): boolean | Promise<boolean>;
  /**
   * Returns whether what is at a path may be moved from there, or something be moved to it, with all that is below. Asked for
   * both names of a renaming, beside the right that it needs: where rights differ below a path, moving it takes files out of
   * them, or puts others under them. Absent: the right decides alone.
   *
   * @param path Virtual path: absolute and normalised. It need not exist.
   * @param options.signal As for {@linkcode Account.hasPermission}.
   */
  mayMove?(path: string, options: CallOptions): boolean | Promise<boolean>;
  /**
   * Returns why a session may not go on now, for the log; `undefined` where it may. Asked before each command: the client gets
   * 421 then. A transfer that runs goes to its end.
   */
  ending?(now: Date): string | undefined;
  /**
   * Changes the password of the account, once the old one was checked as at a login. Absent: it is not changed here.
   *
   * @param change.old What was given as the old one, with the code behind it where there has to be one. Never log it, nor the other.
   * @param options.signal Aborts when nobody waits for the answer any more.
   * @returns Why the new one is not taken, for the client, such as "it is too long"; `undefined` when it holds from now on.
   */
  changePassword?(
    change: { readonly old: string; readonly password: string },
    options: CallOptions,
  ): Promise<string | undefined>;
}

/** Replies to a login and to QUIT where an account has none of its own. */
export const DEFAULT_MESSAGES = { login: "Login successful.", quit: "Goodbye." } as const;

/** Decides about logins. Several may be under way at once. */
export interface Authorizer {
  /**
   * Checks the credentials. Unknown users should take as long as known ones, so that names cannot be guessed by time.
   *
   * @param options.signal Aborts when the client leaves or the login deadline passes.
   * @returns The account, or `undefined` when the name or the password is wrong.
   * @throws {AuthorizerBusyError} When passwords cannot be checked now: the client gets 421, and is not said to have failed.
   * @throws {LoginRefusedError} When the log is to tell why; for the client it is a wrong password. Whatever else is thrown
   * counts as a failed login of the client's address, and so does an attempt that is aborted: else a guess whose client does
   * not wait would be free.
   */
  authenticate(
    credentials: Credentials,
    options: { readonly signal: AbortSignal },
  ): Promise<Account | undefined>;
  /**
   * Returns the account of a client that needs no password, since it has shown a certificate (RFC 2228 §3). Asked at USER, where one
   * was shown; absent: everybody needs a password. Names that do not exist should take as long as others.
   *
   * @param credentials With `tls.peerCertificate`.
   * @param options.signal As for {@linkcode Authorizer.authenticate}.
   * @returns The account, or `undefined` where a password is needed.
   * @throws {LoginRefusedError} When the certificate would do and something else refuses: the log tells, and the client is asked for a
   * password.
   * @throws {AuthorizerBusyError} As for {@linkcode Authorizer.authenticate}.
   */
  authorize?(
    credentials: CertificateCredentials,
    options: { readonly signal: AbortSignal },
  ): Promise<Account | undefined>;
}

/** Options of {@linkcode AuthorizerBusyError}. */
export interface AuthorizerBusyErrorOptions extends ErrorOptions {
  /**
   * Whether the attempt counts as a failed login. It has to where the password was compared with anything before: who is
   * turned away knows then that it was not that.
   *
   * @default {false}
   */
  readonly countsAsFailure?: boolean;
  /**
   * Whether what knows the accounts is away, such as a directory; else too many wait for it. The reply says which.
   *
   * @default {false}
   */
  readonly isOutage?: boolean;
}

/**
 * A login that was neither accepted nor refused, because too many others wait for their password to be checked, or nobody can
 * check it now. The client may try again later.
 */
export class AuthorizerBusyError extends Error {
  /** Name of the class. */
  override readonly name = "AuthorizerBusyError";
  /** Whether the attempt counts as a failed login all the same. */
  readonly countsAsFailure: boolean;
  /** Whether what knows the accounts is away. */
  readonly isOutage: boolean;

  /** Makes the error. */
  constructor(message?: string, options: AuthorizerBusyErrorOptions = {}) {
    super(message, options);
    this.countsAsFailure = options.countsAsFailure ?? false;
    this.isOutage = options.isOutage ?? false;
  }
}

/**
 * A login that is refused for a reason that the log tells and the client does not: to the client it is a wrong password, so it
 * has to take the time of one. The message is the reason, as in "the account has expired".
 */
export class LoginRefusedError extends Error {
  /** Name of the class. */
  override readonly name = "LoginRefusedError";
}
