/**
 * A login that cannot succeed, for who has to take the time of one that fails.
 *
 * @module
 */

import type { Credentials } from "./authorizer.ts";

/** No name and no password of anybody is longer where it is asked for; a decoy need not be either. */
const MAX_LENGTH = 256;

/**
 * Makes credentials that nobody has, as long as those given: so that no password of one source is shown to another, and nobody is
 * locked out by the failure.
 */
export function decoyOf(credentials: Credentials): Credentials {
  const { username, password } = credentials;
  return { ...credentials, username: randomText(username.length), password: randomText(Math.max(password.length, 12)) };
}

/** Makes letters and digits, at least one. */
export function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.min(Math.max(length, 1), MAX_LENGTH)));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join("");
}
