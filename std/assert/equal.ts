/**
 * Structural equality as `jsr:@std/assert` defines it.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";

/** Returns whether two values have the same structure, values and prototypes. */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, seen: Map<unknown, unknown>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (prototypeOf(a) !== prototypeOf(b)) return false;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (isBuiltIn(a)) return isDeepStrictEqual(a, b);
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && compare(value, b.get(key), seen));
  }
  return compareProperties(a, b, seen);
}

function compareProperties(a: object, b: object, seen: Map<unknown, unknown>): boolean {
  if (Object.keys(a).length !== Object.keys(b).length) return false;
  const keys = new Set([...keysOf(a), ...keysOf(b)]);
  return [...keys].every((key) => key in a && key in b && compare(Reflect.get(a, key), Reflect.get(b, key), seen));
}

/** An object without prototype counts as a plain one. */
function prototypeOf(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

function isBuiltIn(value: object): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof RegExp || value instanceof URL ||
    value instanceof Set;
}

/** Names of enumerable properties; of an instance of a class also those of its accessors, methods and hidden properties. */
function keysOf(value: object): (string | symbol)[] {
  const prototype = prototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype) return Reflect.ownKeys({ ...value });
  const keys: (string | symbol)[] = [];
  for (let it = value; it !== Object.prototype && it !== null; it = Object.getPrototypeOf(it)) {
    keys.push(...Reflect.ownKeys(it));
  }
  return keys;
}
