import { assertEquals } from "@std/assert";
import * as v from "valibot";
import { errorAt } from "../../lib/settings/finding.ts";
import { findNearest, findUnknownKeys, structureOf } from "../../lib/settings/unknown_keys.ts";
import { list, mapping, truth } from "../../lib/settings/forms.ts";

const FORM = mapping({
  active: v.exactOptional(truth),
  part: v.exactOptional(v.pipe(mapping({ name: truth }), v.description("A part."))),
  parts: v.exactOptional(list(mapping({ name: truth }))),
});

Deno.test("findUnknownKeys() finds those at every level", () => {
  const value = { activ: 1, part: { nam: 1 }, parts: [{ name: 1 }, { nmae: 1, other: 1 }] };
  assertEquals(findUnknownKeys(FORM, value), [
    errorAt(["activ"], "unknown key; did you mean active?"),
    errorAt(["part", "nam"], "unknown key; did you mean name?"),
    errorAt(["parts", 1, "nmae"], "unknown key; did you mean name?"),
    errorAt(["parts", 1, "other"], "unknown key; known are name"),
  ]);
});

Deno.test("findUnknownKeys() does not look into values of another form", () => {
  for (const value of [null, 1, "x", [], { part: [], parts: { name: 1 } }, { part: "x", parts: [null, "x"] }]) {
    assertEquals(findUnknownKeys(FORM, value), []);
  }
});

Deno.test("structureOf() sees through optional forms and descriptions", () => {
  const { entries } = structureOf(FORM);
  assertEquals(Object.keys(entries ?? {}), ["active", "part", "parts"]);
  assertEquals(Object.keys(structureOf(entries?.part as v.GenericSchema).entries ?? {}), ["name"]);
  assertEquals(structureOf(entries?.active as v.GenericSchema).entries, undefined);
});

const WORDS = ["listen", "tls", "timeouts", "home"];

for (
  const [typed, meant] of [
    ["lisen", "listen"],
    ["Listen", "listen"],
    ["lsiten", "listen"],
    ["tsl", "tls"],
    ["hmoe", "home"],
    ["time_outs", "timeouts"],
    ["ssl", undefined],
    ["directory", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`findNearest() takes "${typed}" for ${meant ?? "nothing"}`, () => {
    assertEquals(findNearest(WORDS, typed), meant);
  });
}
