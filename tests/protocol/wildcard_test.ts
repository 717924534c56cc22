import { assert, assertEquals } from "@std/assert";
import { hasWildcard, parseWildcard } from "../../lib/protocol/wildcard.ts";

/** A pattern, what it matches, and what it does not. */
const PATTERNS: readonly (readonly [pattern: string, matches: readonly string[], others: readonly string[]])[] = [
  ["*", ["a", "a b", "ä", "🎈", "a.b", "*"], [".a", "."]],
  ["*.txt", ["a.txt", "a.b.txt"], [".txt", "a.txt ", "a.TXT", "atxt", ".a.txt"]],
  [".*", [".a", "."], ["a"]],
  ["a*", ["a", "ab", "a*"], ["ba", "A"]],
  ["a*b*c", ["abc", "aXbXc", "abbcc", "abcbc"], ["ab", "acb", "abcd"]],
  ["**", ["", "a"], [".a"]],
  ["?", ["a", "🎈", "\ud800"], ["", "ab", "."]],
  ["a?c", ["abc", "a?c", "a.c"], ["ac", "abbc"]],
  ["[abc]", ["a", "c"], ["d", "ab", "[abc]"]],
  ["[a-cx]", ["b", "x"], ["d", "-"]],
  ["[!a-c]", ["d", "!"], ["a", "b", "."]],
  ["[^a]", ["b", "^"], ["a"]],
  ["[]a]", ["]", "a"], ["b"]],
  ["[!]a]", ["b"], ["]", "a"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[c-a]", [], ["a", "b", "c"]],
  ["[ä-ü🎈]", ["ö", "🎈"], ["a"]],
  ["[", ["["], ["a"]],
  ["a[b", ["a[b"], ["ab"]],
  ["[]", ["[]"], ["]"]],
  ["[!]", ["[!]"], ["a"]],
  ["[a]*[0-9]", ["a1", "abc9"], ["a", "b1"]],
  ["\\*", ["\\", "\\a"], ["*"]],
  ["{a,b}", ["{a,b}"], ["a"]],
  ["plain", ["plain"], ["plain "]],
];

for (const [pattern, matches, others] of PATTERNS) {
  Deno.test(`parseWildcard() reads "${pattern}"`, () => {
    const wildcard = parseWildcard(pattern);
    assertEquals(matches.filter((name) => !wildcard.matches(name)), []);
    assertEquals(others.filter((name) => wildcard.matches(name)), []);
  });
}

Deno.test("hasWildcard() finds what a pattern could be made of", () => {
  assert(["*", "a?", "[2024] photos", "a[1].txt"].every(hasWildcard));
  assertEquals(["", "a", "a]", "{a}", "\\"].filter(hasWildcard), []);
});
