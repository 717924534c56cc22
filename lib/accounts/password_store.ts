/**
 * The port of new passwords: where accounts are kept whose users change them.
 *
 * @module
 */

import type { MaybePromise, SharedMethods } from "../shared_port.ts";

/** A new password in the place of another. */
export interface PasswordReplacement {
  /** Index of the account's source in `accounts`. */
  readonly source: number;
  readonly name: string;
  /** The password as it was kept so far, in the words of the source. */
  readonly from: string;
  /** The new hash. */
  readonly hash: string;
}

/** Keeps new passwords, which one event loop does for all. */
export interface PasswordStore {
  /**
   * Keeps a new password; logins that come after it need it.
   *
   * @throws When it cannot, and when the account is not what it was.
   */
  replace(replacement: PasswordReplacement): MaybePromise<void>;
}

/** What event loops share of it. */
export const SHARED_PASSWORD_STORE: SharedMethods<PasswordStore> = { replace: {} };
