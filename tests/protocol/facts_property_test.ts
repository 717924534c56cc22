import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import {
  FACT_NAMES,
  type FactName,
  formatFacts,
  formatFeatureFacts,
  modeFact,
  parseFactSelection,
  permFact,
} from "../../lib/protocol/facts.ts";
import { parseFactsLine } from "../helpers/listing_parser.ts";
import { assertProperty } from "../helpers/property.ts";
import { fileName } from "../helpers/property_values.ts";

/** Values that the server gives to facts. */
const FACT_VALUES: Readonly<Record<FactName, fc.Arbitrary<string>>> = {
  "type": fc.constantFrom("file", "dir", "OS.unix=special"),
  "perm": fc.subarray([..."elradfmwMT"]).map((letters) => permFact(letters.join(""), "file")),
  "size": fc.maxSafeNat().map(String),
  "modify": fc.stringMatching(/^\d{14}$/),
  "unique": fc.stringMatching(/^[0-9a-f]{1,8}g[0-9a-f]{1,16}$/),
  "unix.mode": fc.nat({ max: 0o7777 }).map(modeFact),
  "unix.uid": fc.nat().map(String),
  "unix.gid": fc.nat().map(String),
};

const someFacts = () => fc.record(FACT_VALUES, { requiredKeys: [] });
const someNames = () => fc.subarray([...FACT_NAMES]);

Deno.test("formatFacts() and a name are read back by the grammar of RFC 3659, whatever the name", () => {
  assertProperty(fc.property(someFacts(), someNames(), fileName(), (facts, selected, name) => {
    const line = `${formatFacts(facts as Partial<Record<FactName, string>>, selected)} ${name}`;
    const known = Object.entries(facts).filter(([fact]) => selected.includes(fact as FactName));
    assertEquals(parseFactsLine(line), { facts: Object.fromEntries(known), name });
  }));
});

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
