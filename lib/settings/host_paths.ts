/**
 * Paths of the host in settings.
 *
 * @module
 */

import type * as v from "valibot";
import { rowMetadata } from "./flags.ts";
import { structureOf } from "./unknown_keys.ts";

/** Makes all paths of the host absolute that a tree has. */
export function resolvePaths(schema: v.GenericSchema, given: unknown, resolve: (path: string) => string): unknown {
  const { entries, item, value } = structureOf(schema);
  if (typeof given === "string") return given !== "" && rowMetadata(schema).isPath ? resolve(given) : given;
  if (Array.isArray(given)) return item === undefined ? given : given.map((part) => resolvePaths(item, part, resolve));
  if (typeof given !== "object" || given === null) return given;
  const rowOf = (key: string) => entries !== undefined && Object.hasOwn(entries, key) ? entries[key] : value;
  return Object.fromEntries(
    Object.entries(given).map(([key, part]) => {
      const row = rowOf(key);
      return [key, row === undefined ? part : resolvePaths(row, part, resolve)];
    }),
  );
}
