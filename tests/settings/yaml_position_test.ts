import { assertEquals } from "@std/assert";
import { findLine, readPositions } from "../../lib/settings/yaml_position.ts";
import { parsePath } from "./configuration_text.ts";

/** A text and the lines of paths in it. */
type PositionCase = readonly [name: string, lines: readonly string[], expected: Readonly<Record<string, number>>];

const CASES: readonly PositionCase[] = [
  ["mappings", ["a: 1", "b:", "  c: 2", "  d:", "    e: 3"], { a: 1, b: 2, "b.c": 3, "b.d.e": 5 }],
  ["lists", ["a:", "  - x", "  -", "    b: 1", "  - c: 2", "    d: 3"], { "a[0]": 2, "a[1].b": 4, "a[2].d": 6 }],
  ["lists below their key", ["a:", "- x", "- b: 1", "  c: 2", "d: 3"], { "a[0]": 2, "a[1].c": 4, d: 5 }],
  ["lists in lists", ["a:", "  - - b: 1", "      c: 2", "    - d: 3"], { "a[0][0].c": 3, "a[0][1].d": 4 }],
  ["a list at the top", ["- a", "- b: 1", "- c"], { "[0]": 1, "[1].b": 2, "[2]": 3 }],
  ["flow style on a line", ["a: { b: [1, { c: 2 }], d: 3 }", "e: 4"], { "a.b[1].c": 1, "a.d": 1, e: 2 }],
  ["flow style over lines", ["a: {", "  b: [", "    1,", "    x: 2,", "  ],", "c: 3", "}", "d: 4"], {
    "a.b": 2,
    "a.b[0]": 3,
    "a.b[1].x": 4,
    "a.c": 6,
    d: 8,
  }],
  ["flow style with quotes", [`{"a":1, 'b': {`, `"c}": '}', d: 2}}`], { a: 1, "b.c}": 2, "b.d": 2 }],
  ["comments", ["# a: 1", "a: # b: 2", "  # b: 3", "  b: x#y", "  c: [ # ]", "    1 ]"], {
    a: 2,
    "a.b": 4,
    "a.c[0]": 6,
  }],
  ["literal texts", ["a: |", "  b: 1", "", "  - c", "b: >2-", "    c: 1", "c: 2"], { a: 1, b: 5, c: 7, "a.b": 1 }],
  ["texts over lines", ["a: one", "  two", "b: 'x", "  c: 1", "", "  '", 'd: "\\"', '  e: 2"', "e: 3"], {
    b: 3,
    d: 7,
    e: 9,
  }],
  ["texts with colons", ["a: b:c", "http://x: 1", "c d: e: f"], { a: 1, "http://x": 2, "c d": 3 }],
  ["keys in quotes", [`"a b": 1`, `'it''s': 2`, `"a\\"b" : 3`], { "a b": 1, "it's": 2, 'a"b': 3 }],
  ["anchors and tags", ["a: &x", "  b: 1", "c: !!map &y", "  d: 2", "e: &z { f: 3 }", "g: *x", "&k h: 1", "i: 2"], {
    "a.b": 2,
    "c.d": 4,
    "e.f": 5,
    "g.b": 6,
    h: 7,
    i: 8,
  }],
  ["marks of documents", ["%YAML 1.2", "# x", "--- # y", "a: 1", "b: |", "  c", "..."], { a: 4, b: 5 }],
  ["keys without values", ["a:", "b:", "  c:", "  d:", "e: ~"], { a: 1, b: 2, "b.c": 3, "b.d": 4, e: 5 }],
  ["other spaces", ["a\u00a0b: [\u00a0, x\u00a0]", "\u2003: 1"], { "a\u00a0b": 1, "a\u00a0b[1]": 1, "\u2003": 2 }],
  ["what is not there", ["a:", "  b: 1"], { "a.x": 1, "a.b.x": 2, "a[0]": 1 }],
];

for (const [name, lines, expected] of CASES) {
  Deno.test(`findLine() finds ${name}`, () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const root = readPositions(lines.join(end));
      const found = Object.keys(expected).map((path) => [path, findLine(root, parsePath(path))]);
      assertEquals(Object.fromEntries(found), expected);
    }
  });
}

Deno.test("findLine() finds no line of the whole, nor of what stands nowhere", () => {
  const root = readPositions("a: 1\n");
  assertEquals([findLine(root, []), findLine(root, ["b"])], [undefined, undefined]);
});

Deno.test("readPositions() comes to an end whatever the text", () => {
  const characters = [..."a:- \n#'\"[]{},|>&*!?%\\\r\t\u00a0"];
  let seed = 1;
  const random = () => seed = seed * 48271 % 0x7fffffff;
  for (let round = 0; round < 5_000; round++) {
    const text = Array.from({ length: random() % 40 }, () => characters[random() % characters.length]).join("");
    readPositions(text);
  }
});
