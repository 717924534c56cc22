/**
 * Where a setting is among the others.
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

/** Returns what is at a path; `undefined` where nothing is. */
export function valueAt(tree: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((whole, part) => (whole as Record<string, unknown> | null | undefined)?.[part], tree);
}

/** Returns a tree with another value at a path, or with `undefined` without what is there. What is missing on the way is made. */
export function withValue<Tree>(tree: Tree, path: KeyPath, value: unknown): Tree {
  const [part, ...rest] = path;
  if (part === undefined) return value as Tree;
  const within = withValue((tree as Record<string, unknown> | undefined)?.[part], rest, value);
  if (typeof part === "number") {
    return Object.assign([...(tree as unknown[] | undefined ?? [])], { [part]: within }) as Tree;
  }
  const { [part]: _, ...others } = { ...tree } as Record<string, unknown>;
  return (within === undefined ? others : { ...others, [part]: within }) as Tree;
}
