/**
 * One-time codes for tests, as an authenticator app makes them.
 *
 * @module
 */

import { Secret, TOTP } from "otpauth";

/** A secret of 20 bytes, that of RFC 6238. */
export const CODE_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/**
 * Returns the code of a moment.
 *
 * @param steps By how many periods the clock of the app is fast.
 */
export function codeAt(now: number = Date.now(), steps = 0, secret: string = CODE_SECRET): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now + steps * 30_000 });
}
