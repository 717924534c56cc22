/**
 * Stand-in for the part of `jsr:@std/assert` that the tests use, on `node:assert/strict`, for places that do not reach JSR.
 * `links` in `deno.json` puts it in the package's place; a published package gets the real one.
 *
 * @module
 */

import nodeAssert from "node:assert/strict";

/** Error of a failed assertion. */
export const AssertionError: typeof nodeAssert.AssertionError = nodeAssert.AssertionError;

// deno-lint-ignore no-explicit-any -- as in std: constructors of any arguments
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** Fails unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  nodeAssert.ok(expr, msg || undefined);
}

/** Fails unless both are deeply equal, prototypes included. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, msg);
}

/** Fails if both are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.notDeepStrictEqual(actual, expected, msg);
}

/** Fails unless both are the same value. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  nodeAssert.strictEqual(actual, expected, msg);
}

/** Fails if `actual` is `null` or `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  nodeAssert.ok(
    actual !== undefined && actual !== null,
    msg ?? `Expected actual: "${actual}" to not be null or undefined.`,
  );
}

/** Fails unless `expected` occurs in `actual`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  nodeAssert.ok(actual.includes(expected), msg ?? `Expected actual: "${actual}" to contain: "${expected}".`);
}

/** Fails unless `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  nodeAssert.match(actual, expected, msg);
}

/** Fails if `actual` matches `expected`. */
export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void {
  nodeAssert.doesNotMatch(actual, expected, msg);
}

/** Fails unless `actual` is an instance of `expectedType`. */
// deno-lint-ignore no-explicit-any -- as in std
export function assertInstanceOf<T extends abstract new (...args: any[]) => any>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  nodeAssert.ok(actual instanceof expectedType, msg || `Expected object to be an instance of "${expectedType.name}".`);
}

/** Fails unless `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.ok(actual > expected, msg ?? `Expect ${actual} > ${expected}`);
}

/** Fails unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.ok(actual >= expected, msg ?? `Expect ${actual} >= ${expected}`);
}

/** Fails unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.ok(actual < expected, msg ?? `Expect ${actual} < ${expected}`);
}

/** Fails unless `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  nodeAssert.ok(actual <= expected, msg ?? `Expect ${actual} <= ${expected}`);
}

/** Fails always. */
export function fail(msg?: string): never {
  nodeAssert.fail(msg === undefined ? "Failed assertion." : `Failed assertion: ${msg}`);
}

/** Calls `fn` and fails unless it throws an `ErrorClass` whose message includes `msgIncludes`; returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes = "",
): E {
  try {
    fn();
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes);
  }
  nodeAssert.fail("Expected function to throw.");
}

/** Awaits `fn` and fails unless it rejects with an `ErrorClass` whose message includes `msgIncludes`; returns the error. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes = "",
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes);
  }
  nodeAssert.fail("Expected function to reject.");
}

function checkError<E extends Error>(error: unknown, errorClass: ErrorClass<E>, msgIncludes: string): E {
  if (!(error instanceof errorClass)) {
    nodeAssert.fail(
      `Expected error to be instance of "${errorClass.name}", but was "${(error as Error)?.name ?? error}".`,
    );
  }
  if (!error.message.includes(msgIncludes)) {
    nodeAssert.fail(`Expected error message to include "${msgIncludes}", but got "${error.message}".`);
  }
  return error;
}
