import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseWildcard } from "../../lib/protocol/wildcard.ts";
import { assertProperty } from "../helpers/property.ts";
import { fileName } from "../helpers/property_values.ts";

const part = () => fc.constantFrom("*", "?", "a", "b", ".", "[ab]", "[!a]", "[", "]", "-", "🎈");
const pattern = () => fc.array(part(), { maxLength: 10 }).map((parts) => parts.join(""));
const name = () =>
  fc.array(fc.constantFrom("a", "b", ".", "[", "]", "-", "🎈"), { maxLength: 10 }).map((parts) => parts.join(""));

/** The same by the runtime's regular expressions. */
function asRegExp(pattern: string): RegExp {
  let [source, rest] = ["", pattern];
  while (rest !== "") {
    const set = /^\[([!^]?)(\]?[^\]]*)\]/u.exec(rest);
    const isSet = set?.[2] !== undefined && set[2] !== "";
    const [first = ""] = rest;
    const piece = isSet ? set[0] : first;
    if (isSet) {
      const members = [...set[2] ?? ""].map((member) => member === "-" ? "-" : escaped(member)).join("");
      source += `[${set[1] ? "^" : ""}${members.replace(/^-|-$/g, "\\-")}]`;
    } else source += first === "*" ? ".*" : first === "?" ? "." : escaped(first);
    rest = rest.slice(piece.length);
  }
  return new RegExp(`^${pattern.startsWith(".") ? "" : "(?!\\.)"}${source}$`, "su");
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

Deno.test("parseWildcard() matches as the regular expression of the pattern does", () => {
  assertProperty(fc.property(pattern().filter((it) => !/\[.+-/su.test(it)), name(), (pattern, name) => {
    assertEquals(parseWildcard(pattern).matches(name), asRegExp(pattern).test(name));
  }));
});

Deno.test("parseWildcard() matches each name by a pattern that was made of it", () => {
  const cuts = fc.array(fc.constantFrom("*", "?", "keep"), { minLength: 1, maxLength: 8 });
  assertProperty(fc.property(fileName().filter((it) => !/^\.|[*?[]/.test(it)), cuts, (name, cuts) => {
    const pattern = [...name].map((character, at) => {
      const cut = cuts[at % cuts.length] ?? "keep";
      return cut === "keep" ? character : cut;
    });
    assert(parseWildcard(pattern.join("")).matches(name));
  }));
});
