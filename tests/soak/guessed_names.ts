/**
 * Whom the tests of guessing guess at.
 *
 * @module
 */

/** A user who logs in now and then, one who never does, and nobody. */
export const NAMES = ["remembered", "fresh", "nobody"] as const;

/** Password of the two users. */
export const RIGHT_PASSWORD = "right password";
