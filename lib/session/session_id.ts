/**
 * Ids of sessions: a beginning that an event loop has for itself, and a number.
 *
 * @module
 */

/** Digits of hexadecimal, of 4 random bits each: enough that no two event loops of any nodes have the same beginning. */
const PREFIX_DIGITS = 12;

/** Makes the beginning of the ids of an event loop. */
export function newSessionPrefix(): string {
  // All but the thirteenth digit of such a UUID and some after it are random (RFC 9562 §5.4).
  return crypto.randomUUID().replaceAll("-", "").slice(0, PREFIX_DIGITS);
}
