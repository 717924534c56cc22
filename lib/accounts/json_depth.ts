/**
 * A bound on how deep data from elsewhere goes, before others walk through it.
 *
 * @module
 */

/** Returns whether a value of JSON has more than so many levels of lists and mappings. */
export function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((part) => isDeeper(part, depth - 1));
}
