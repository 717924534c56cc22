/**
 * What was thrown, as a text for the log.
 *
 * @module
 */

/**
 * Describes what was thrown. Programs can throw anything, also what `String()` and templates throw for: a symbol, an object
 * without a prototype, one whose `toString()` fails. Never throws.
 */
export function describeThrown(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return `a value of type ${typeof thrown} that has no text`;
  }
}
