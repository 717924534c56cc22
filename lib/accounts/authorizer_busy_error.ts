/**
 * The error of an authorizer that has too much to do.
 *
 * @module
 */

/** Options of {@linkcode AuthorizerBusyError}. */
export interface AuthorizerBusyErrorOptions extends ErrorOptions {
  /**
   * Whether the attempt counts as a failed login. It has to where the password was compared with anything before: who is
   * turned away knows then that it was not that.
   *
   * @default {false}
   */
  readonly countsAsFailure?: boolean;
}

/**
 * A login that was neither accepted nor refused, because too many others wait for their password to be checked. The
 * client may try again later.
 */
export class AuthorizerBusyError extends Error {
  /** Name of the class. */
  override readonly name = "AuthorizerBusyError";
  /** Whether the attempt counts as a failed login all the same. */
  readonly countsAsFailure: boolean;

  /** Makes the error. */
  constructor(message?: string, options: AuthorizerBusyErrorOptions = {}) {
    super(message, options);
    this.countsAsFailure = options.countsAsFailure ?? false;
  }
}
