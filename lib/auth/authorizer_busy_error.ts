/**
 * The error of an authorizer that has too much to do.
 *
 * @module
 */

/**
 * A login that was neither accepted nor refused, because too many others wait for their password to be checked. The
 * client may try again later; the attempt says nothing about the user and is no failed login.
 */
export class AuthorizerBusyError extends Error {
  /** Name of the class. */
  override readonly name = "AuthorizerBusyError";
}
