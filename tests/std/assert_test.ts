// What is expected here holds for `jsr:@std/assert` as well as for its stand-in.

import {
  assert,
  assertEquals,
  assertExists,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";

class Point {
  #x: number;

  constructor(x: number) {
    this.#x = x;
  }

  get x(): number {
    return this.#x;
  }
}

const cycle: Record<string, unknown> = {};
cycle.self = cycle;
const otherCycle: Record<string, unknown> = {};
otherCycle.self = otherCycle;

const EQUAL: readonly (readonly [unknown, unknown])[] = [
  [1, 1],
  [0, -0],
  [NaN, NaN],
  ["a", "a"],
  [[1, [2]], [1, [2]]],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }],
  [{ a: 1 }, Object.assign(Object.create(null), { a: 1 })],
  [new Date(5), new Date(5)],
  [/a/g, /a/g],
  [new URL("ftp://a/"), new URL("ftp://a/")],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  [new Set([1, 2]), new Set([2, 1])],
  [new Map([["a", { b: 1 }]]), new Map([["a", { b: 1 }]])],
  [new Point(1), new Point(1)],
  [cycle, otherCycle],
];

const DIFFERENT: readonly (readonly [unknown, unknown])[] = [
  [1, "1"],
  [null, undefined],
  [{ a: 1 }, [1]],
  [{ a: undefined }, {}],
  [{ a: undefined }, { b: undefined }],
  [[1, 2], [1, 2, 3]],
  [new Date(5), new Date(6)],
  [/a/g, /a/],
  [new URL("ftp://a/"), new URL("ftp://b/")],
  [new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  [new Uint8Array([1, 2]), [1, 2]],
  [new Set([1]), new Set([2])],
  [new Map([["a", 1]]), new Map([["a", 2]])],
  [new Point(1), new Point(2)],
  [new Point(1), { x: 1 }],
  [() => 1, () => 1],
];

Deno.test("assertEquals() and assertNotEquals() compare structurally", () => {
  for (const [a, b] of EQUAL) {
    assertEquals(a, b);
    assertThrows(() => assertNotEquals(a, b), AssertionError);
  }
  for (const [a, b] of DIFFERENT) {
    assertNotEquals(a, b);
    assertThrows(() => assertEquals(a, b), AssertionError, "Values are not equal");
  }
  assertThrows(() => assertEquals(1, 2, "of the port"), AssertionError, "Values are not equal: of the port");
});

Deno.test("assertStrictEquals() compares by identity", () => {
  assertStrictEquals(NaN, NaN);
  assertThrows(() => assertStrictEquals({}, {}), AssertionError);
  assertThrows(() => assertStrictEquals(0, -0), AssertionError);
});

Deno.test("the simple assertions pass and fail as they say", () => {
  assert("x");
  assertExists(0);
  assertStringIncludes("abc", "b");
  assertMatch("abc", /b/);
  assertNotMatch("abc", /d/);
  assertInstanceOf(new TypeError(), Error);
  assertGreater(2, 1);
  assertGreaterOrEqual(1, 1);
  assertLess(1, 2);
  assertLessOrEqual(1, 1);
  const failing = [
    () => assert(""),
    () => assertExists(null),
    () => assertStringIncludes("abc", "d"),
    () => assertMatch("abc", /d/),
    () => assertNotMatch("abc", /b/),
    () => assertInstanceOf(new Error(), TypeError),
    () => assertGreater(1, 1),
    () => assertGreaterOrEqual(0, 1),
    () => assertLess(1, 1),
    () => assertLessOrEqual(2, 1),
    () => fail(),
  ];
  for (const assertion of failing) assertThrows(assertion, AssertionError);
});

Deno.test("assertThrows() checks class and message and returns the error", () => {
  const error = new TypeError("Cannot read");
  const throwing = () => {
    throw error;
  };
  assertStrictEquals(assertThrows(throwing), error);
  assertStrictEquals(assertThrows(throwing, TypeError, "read"), error);
  assertStrictEquals(assertThrows(throwing, Error), error);
  assertThrows(() => assertThrows(throwing, RangeError), AssertionError, '"RangeError"');
  assertThrows(() => assertThrows(throwing, TypeError, "write"), AssertionError, '"write"');
  assertThrows(() => assertThrows(() => 1, TypeError), AssertionError, "Expected function to throw");
  assertThrows(() => assertThrows(() => 1, "why"), AssertionError, "Expected function to throw: why");
});

Deno.test("assertRejects() checks class and message and returns the error", async () => {
  const error = new TypeError("Cannot read");
  const rejecting = () => Promise.reject(error);
  assertStrictEquals(await assertRejects(rejecting), error);
  assertStrictEquals(await assertRejects(rejecting, TypeError, "read"), error);
  await assertRejects(() => assertRejects(rejecting, RangeError), AssertionError, '"RangeError"');
  await assertRejects(() => assertRejects(rejecting, TypeError, "write"), AssertionError, '"write"');
  await assertRejects(() => assertRejects(() => Promise.resolve(), TypeError), AssertionError, "to reject");
});

Deno.test("assertRejects() refuses a function that throws at once", async () => {
  const throwing = () => {
    throw new TypeError("Cannot read");
  };
  await assertRejects(() => assertRejects(throwing, TypeError), AssertionError, "throws when expected to reject");
});
