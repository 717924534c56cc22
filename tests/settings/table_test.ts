import { assertEquals } from "@std/assert";
import type * as v from "valibot";
import { CONFIGURATION } from "../../lib/settings/table.ts";
import { structureOf } from "../../lib/settings/unknown_keys.ts";
import { KEYS } from "./key_cases.ts";
import { fileWith, problemsOf, read, valueAt } from "./configuration_text.ts";

/** Every key of the schema, with `[0]` for what is in a list and `.x` for a name, and what it holds. */
function* keysOf(schema: v.GenericSchema, path = ""): Generator<{ readonly path: string; readonly holds: string }> {
  for (const [key, form] of Object.entries(structureOf(schema).entries ?? {})) {
    const at = path === "" ? key : `${path}.${key}`;
    const { entries, item, value } = structureOf(form);
    const isListOfMappings = item !== undefined && structureOf(item).entries !== undefined;
    const isNamed = value !== undefined && structureOf(value).entries !== undefined;
    yield { path: at, holds: entries || isNamed ? "a mapping" : isListOfMappings ? "a list" : "a value" };
    if (item !== undefined) yield* keysOf(item, `${at}[0]`);
    else if (isNamed) yield* keysOf(value, `${at}.x`);
    else yield* keysOf(form, at);
  }
}

const ALL_KEYS = [...keysOf(CONFIGURATION)];

Deno.test("KEYS has a case for each key of CONFIGURATION", () => {
  const values = ALL_KEYS.filter(({ holds }) => holds === "a value").map(({ path }) => path);
  assertEquals(KEYS.map(({ key }) => key).sort(), values.sort());
});

for (const { key, good, becomes, at = key, beside, bad, message, ...how } of KEYS) {
  Deno.test(`readConfiguration() takes ${key} ${good}, and neither ${bad} nor a misspelt key`, () => {
    const end = beside === undefined ? "" : `${beside}\n`;
    const configuration = read(fileWith(key, good).text + end);
    if (at !== false) {
      assertEquals(valueAt(configuration, at), becomes);
    }

    const wrong = fileWith(key, bad);
    assertEquals(problemsOf(wrong.text + end), [`ftpsd.yaml:${wrong.line}: ${key}: ${message}`]);

    const misspelt = how.misspelt ?? key.replace(/.$/, "$&$&");
    const unknown = fileWith(misspelt, good);
    const name = key.replace(/.*\./, "");
    assertEquals(
      problemsOf(unknown.text + end).find((line) => line.includes(misspelt)),
      `ftpsd.yaml:${unknown.line}: ${misspelt}: unknown key; did you mean ${name}?`,
    );
  });
}

/** What is given in their place may be a secret. */
const SECRET_GROUPS: readonly string[] = ["users", "users[0].totp"];

for (const { path, holds } of ALL_KEYS.filter(({ holds }) => holds !== "a value")) {
  Deno.test(`readConfiguration() wants ${holds} for ${path}`, () => {
    const other = holds === "a list" ? "{}" : "[]";
    const described = holds === "a list" ? "a mapping" : "a list";
    for (
      const [value, message] of [
        ["", `has no value; give ${holds}`],
        ["x", `${SECRET_GROUPS.includes(path) ? "the value" : '"x"'} is not ${holds}`],
        [other, `${described} is not ${holds}`],
      ] as const
    ) {
      const { text, line } = fileWith(path, value);
      // What else has to be beside it is missing, too.
      const problems = problemsOf(text).filter((problem) => !problem.includes(": is missing; give "));
      assertEquals(problems, [`ftpsd.yaml:${line}: ${path}: ${message}`]);
    }
  });
}
