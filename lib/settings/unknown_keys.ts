/**
 * Keys that the settings do not know, with what was meant.
 *
 * @module
 */

import { distance } from "fastest-levenshtein";
import type * as v from "valibot";
import { errorAt, type Finding } from "./finding.ts";
import type { KeyPath } from "./key_path.ts";

/** A schema as far as a walk over the configuration looks into it. */
interface Walkable {
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly item?: v.GenericSchema;
  /** That of the keys of a table. */
  readonly key?: v.GenericSchema;
  /** That of the values of a table. */
  readonly value?: v.GenericSchema;
  readonly wrapped?: v.GenericSchema;
  readonly pipe?: readonly v.GenericSchema[];
}

/** Keys that valibot passes over in silence. */
const KEYS_OF_OBJECTS: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
];

/** Finds every unknown key of a value, in mappings within lists and mappings too. */
export function findUnknownKeys(
  schema: v.GenericSchema,
  value: unknown,
  path: KeyPath = [],
): Finding[] {
  const { entries, item, key, value: entry } = structureOf(schema);
  if (item !== undefined && Array.isArray(value)) {
    return value.flatMap((entry, index) => findUnknownKeys(item, entry, [...path, index]));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [];
  }
  if (key !== undefined) {
    return Object.entries(value).flatMap(([name, part]) => {
      if (KEYS_OF_OBJECTS.includes(name)) return [errorAt([...path, name], "unknown key")];
      return entry === undefined ? [] : findUnknownKeys(entry, part, [...path, name]);
    });
  }
  if (entries === undefined) return [];
  return Object.entries(value).flatMap(([name, entry]) =>
    Object.hasOwn(entries, name)
      ? findUnknownKeys(entries[name] as v.GenericSchema, entry, [
        ...path,
        name,
      ])
      : [errorAt([...path, name], unknownKeyMessage(Object.keys(entries), name))]
  );
}

/** Takes off what makes a schema optional, and all of a pipe but the part that knows what is within. */
export function structureOf(schema: v.GenericSchema): Walkable {
  const { wrapped, pipe } = schema as unknown as Walkable;
  if (wrapped !== undefined) return structureOf(wrapped);
  if (pipe === undefined) return schema as unknown as Walkable;
  return pipe.map(structureOf).find(({ entries, item, key }) => (entries ?? item ?? key) !== undefined) ?? {};
}

function unknownKeyMessage(known: readonly string[], key: string): string {
  if (key === "<<") {
    return "unknown key; mappings are not merged, so write out the keys";
  }
  const meant = findNearest(known, key);
  return meant === undefined ? `unknown key; known are ${known.join(", ")}` : `unknown key; did you mean ${meant}?`;
}

/** Finds the word that was most likely meant: letters changed places, or at most a third of them is mistyped. */
export function findNearest(
  words: readonly string[],
  typed: string,
): string | undefined {
  const ranked = words
    .map((word) => ({
      word,
      edits: countEdits(word.toLowerCase(), typed.toLowerCase()),
    }))
    .sort((one, other) => one.edits - other.edits);
  const best = ranked[0];
  return best !== undefined &&
      best.edits <= Math.max(1, Math.floor(best.word.length / 3))
    ? best.word
    : undefined;
}

function countEdits(word: string, typed: string): number {
  const [letters, typedLetters] = [word, typed].map((text) => [...text].sort().join(""));
  return word !== typed && letters === typedLetters ? 1 : distance(word, typed);
}
