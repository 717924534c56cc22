import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import {
  FACT_NAMES,
  type FactName,
  formatFeatureFacts,
  modeFact,
  parseFactSelection,
} from "../../lib/protocol/facts.ts";
import { assertProperty } from "../helpers/property.ts";

const someNames = () => fc.subarray([...FACT_NAMES]);

Deno.test("parseFactSelection() reads what a client writes of the facts it wants, in any case, among unknown ones", () => {
  const unknown = fc.constantFrom("lang", "charset", "create", "media-type", "x.y", "constructor");
  const wanted = fc.array(fc.oneof(fc.constantFrom(...FACT_NAMES), unknown), { minLength: 1 });
  assertProperty(fc.property(wanted, fc.boolean(), (names, isUpperCase) => {
    const argument = names.map((name) => `${isUpperCase ? name.toUpperCase() : name};`).join("");
    const known = [...new Set(names)].filter((name) => (FACT_NAMES as readonly string[]).includes(name));
    assertEquals(parseFactSelection(argument), known as FactName[]);
  }));
});

Deno.test("parseFactSelection() reads back what FEAT shows, stars and all", () => {
  assertProperty(fc.property(someNames(), (selected) => {
    const shown = formatFeatureFacts(selected);
    const starred = shown.split(";").filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
    assertEquals(starred, FACT_NAMES.filter((name) => selected.includes(name)));
    assertEquals(parseFactSelection(shown.replaceAll("*", "")), [...FACT_NAMES]);
  }));
});

Deno.test("modeFact() is an octal number of the same value", () => {
  assertProperty(fc.property(fc.nat({ max: 0o7777 }), (mode) => {
    const text = modeFact(mode);
    assertMatch(text, /^0[0-7]{3,4}$/);
    assertEquals(Number.parseInt(text, 8), mode);
  }));
});
