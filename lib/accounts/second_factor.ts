/**
 * The port of second factors: codes that clients send behind their password, in one line with it.
 *
 * @module
 */

import type { MaybePromise } from "../shared_port.ts";

/** What a client has given, and for whom. */
export interface CodeAttempt {
  /** Name of the account. */
  readonly username: string;
  /** The hash of its password; empty where it is kept in clear. */
  readonly passwordHash: string;
  /** Password and code, as they came. */
  readonly given: string;
  /** Numeric address of the client. */
  readonly remoteHost: string;
}

/** A code that was looked at, before anybody knows whether the password is right. */
export interface LookedAtCode {
  /** Whether the very same was right so lately, from this address, that it counts without another look at either. */
  readonly isRecalled: boolean;
  /**
   * Uses the code up, once the password was right.
   *
   * @returns Whether it is right, and nobody has used it before.
   * @throws {AuthorizerBusyError} When nobody can tell.
   */
  confirm(): MaybePromise<boolean>;
}

/** A second factor of one account. `TotpFactor` is one. */
export interface SecondFactor {
  /** Characters of a code. What comes before is the password. */
  readonly codeLength: number;
  /**
   * Looks at a code. It takes the same time whether or not it is right.
   *
   * @throws {AuthorizerBusyError} When nobody can tell.
   */
  look(attempt: CodeAttempt): MaybePromise<LookedAtCode>;
}

/** A hash function of codes. */
export type TotpAlgorithm = "SHA1" | "SHA256" | "SHA512";

/** All of them. Apps that do not ask take SHA-1. */
export const TOTP_ALGORITHMS: readonly ["SHA1", "SHA256", "SHA512"] = ["SHA1", "SHA256", "SHA512"];

/** Least length of a secret: RFC 4226 §4 R6. */
const MIN_SECRET_BYTES = 16;

/**
 * Returns why a text is no secret of codes; `undefined` when it is one. The text itself is not in it.
 */
export function findTotpSecretProblem(secret: string): string | undefined {
  if (!/^[A-Z2-7]+=*$/i.test(secret)) return "is not base32: letters and the digits 2 to 7";
  const bytes = Math.floor(secret.replace(/=+$/, "").length * 5 / 8);
  return bytes < MIN_SECRET_BYTES ? `has ${bytes} bytes, less than ${MIN_SECRET_BYTES}` : undefined;
}
