// What is expected here holds for `jsr:@std/yaml` as well as for its stand-in.

import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { parse, YamlSyntaxError } from "@std/yaml";

function parseCore(text: string): unknown {
  return parse(text, { schema: "core" });
}

const VALUES: readonly (readonly [text: string, value: unknown])[] = [
  ["", null],
  ["# nothing", null],
  ["~", null],
  ["a:", { a: null }],
  ["a: ''", { a: "" }],
  ["a: null", { a: null }],
  ["a: True", { a: true }],
  ["a: yes", { a: "yes" }],
  ["a: 12", { a: 12 }],
  ["a: +5", { a: 5 }],
  ["a: 0x1f", { a: 31 }],
  ["a: 0b11", { a: 3 }],
  ["a: 1e3", { a: 1000 }],
  ["a: .5", { a: 0.5 }],
  ["a: .nan", { a: NaN }],
  ["a: -.inf", { a: -Infinity }],
  ["a: 1:30", { a: "1:30" }],
  ["a: 2027-01-31", { a: "2027-01-31" }],
  ["a: 10MiB", { a: "10MiB" }],
  ["a: &x [1]\nb: *x", { a: [1], b: [1] }],
  ["a: &x { b: 1 }\nc: { <<: *x }", { a: { b: 1 }, c: { "<<": { b: 1 } } }],
  ["1: 2", { "1": 2 }],
  ["null: 1", { null: 1 }],
  ["? [a, b]\n: 1", { "a,b": 1 }],
  ["a: |\n  b\n  c\n", { a: "b\nc\n" }],
  ["a: >-\n  b\n  c\n", { a: "b c" }],
  ["a: b\n  c", { a: "b c" }],
  ["\uFEFFa: 1", { a: 1 }],
  ["a: 1\r\nb: [x,\r\n  y]\r\n", { a: 1, b: ["x", "y"] }],
  ["%YAML 1.2\n---\na: 1\n...\n", { a: 1 }],
];

for (const [text, value] of VALUES) {
  Deno.test(`parse() reads ${JSON.stringify(text)}`, () => assertEquals(parseCore(text), value));
}

Deno.test("parse() makes __proto__ a key as others", () => {
  const value = parseCore("__proto__: { a: 1 }") as object;
  assertEquals(Object.keys(value), ["__proto__"]);
  assertEquals(Object.getPrototypeOf(value), Object.prototype);
});

Deno.test("parse() returns what an alias stands for, not a copy", () => {
  const value = parseCore("a: &x [*x]") as { readonly a: readonly unknown[] };
  assertStrictEquals(value.a[0], value.a);
});

const ERRORS: readonly (readonly [text: string, line: number])[] = [
  ["a: 1\nb: 2\na: 3\nc: 4\n", 3],
  ["a: { b: 1, b: 2 }\n", 1],
  ["a: 1\nb: *x\n", 2],
  ["a: 1\n---\nb: 1\n", 2],
  ["# one\n---\na: 1\n---\nb: 1\n", 4],
  ["a:\n  - b\n c: 1\n", 3],
  ["a:\r\n  - b\r\n c: 1\r\n", 3],
  ["a: 1\nb: [1, 2\n", 3],
  ["a: 'x\n\n", 3],
  ["a: b: c\n", 1],
  ["a: 1\nb: @x\n", 2],
  ["a: 1\nb: \0\n", 2],
];

for (const [text, line] of ERRORS) {
  Deno.test(`parse() throws YamlSyntaxError for ${JSON.stringify(text)} with its line`, () => {
    const error = assertThrows(() => parseCore(text), YamlSyntaxError);
    assertInstanceOf(error, SyntaxError);
    assertEquals([error.name, error.line], ["YamlSyntaxError", line]);
  });
}

Deno.test("YamlSyntaxError has its position, also in the message", () => {
  const error = new YamlSyntaxError("Wrong", { line: 2, column: 3, offset: 9 });
  assertEquals([error.line, error.column, error.offset], [2, 3, 9]);
  assertEquals(error.message, "Wrong at line 2, column 3");
});
