/**
 * The JSON Schema of the configuration file, for editors.
 *
 * @module
 */

import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { CONFIGURATION } from "../../lib/settings/table.ts";

/** Checks that JSON Schema has no words for; patterns stand beside them, and `ftpsd check` does all. */
const INEXPRESSIBLE = ["check", "raw_check", "transform"] as const;

/** Makes the schema of what may stand in the file, as YAML reads it. */
export function makeJsonSchema(): JsonSchema {
  return { ...makeSchemaOf(CONFIGURATION), title: "Configuration of ftpsd" };
}

/** The same of a part of it. */
export function makeSchemaOf(form: Parameters<typeof toJsonSchema>[0]): JsonSchema {
  const schema = toJsonSchema(form, {
    // What a mapping is to valibot begins with a check that is no schema of its own; output is what comes after it.
    typeMode: "output",
    ignoreActions: [...INEXPRESSIBLE],
    overrideAction: ({ jsonSchema }) => onlyKnown(jsonSchema),
  });
  return JSON.parse(JSON.stringify(schema, withoutEmpty));
}

/** What rows of the table say that JSON Schema does not know. */
const UNKNOWN: readonly string[] = ["form", "choices", "typeText", "isPath", "flag", "restart", "typeName"];

function onlyKnown(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !UNKNOWN.includes(key))) as JsonSchema;
}

/** A group that is left out has the defaults of what is in it. */
function withoutEmpty(key: string, value: unknown): unknown {
  return key === "default" && JSON.stringify(value) === "{}" ? undefined : value;
}
