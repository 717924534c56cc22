/**
 * Where a setting stands among the others.
 *
 * @module
 */

/** Way from the whole to a value: keys and indexes. */
export type KeyPath = readonly (string | number)[];

/** Writes a path as `users[1].permissions`; a key that is more than a word in brackets, as `addresses["10.0.0.5"]`. */
export function formatPath(path: KeyPath): string {
  return path.map((part, index) => {
    if (typeof part === "number") return `[${part}]`;
    if (!/^[\w-]{1,60}$/.test(part)) return `[${JSON.stringify(part.length > 60 ? `${part.slice(0, 57)}…` : part)}]`;
    return index === 0 ? part : `.${part}`;
  }).join("");
}
