/**
 * The JSON Schema of the configuration file, for editors.
 *
 * @module
 */

import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import { CONFIGURATION_SCHEMA } from "../../lib/config/schema.ts";
import type { FormMetadata } from "../../lib/config/value_forms.ts";

/** Checks that JSON Schema has no words for; patterns stand beside them, and `ftpsd check` does all. */
const INEXPRESSIBLE = ["check", "transform"] as const;

/** Makes the schema of what may stand in the file, as YAML reads it. */
export function makeJsonSchema(): JsonSchema {
  const schema = toJsonSchema(CONFIGURATION_SCHEMA, {
    // What a mapping is to valibot begins with a check that is no schema of its own; output is what comes after it.
    typeMode: "output",
    ignoreActions: [...INEXPRESSIBLE],
    overrideAction: ({ jsonSchema }) => withoutForm(jsonSchema),
  });
  return { ...schema, title: "Configuration of ftpsd" };
}

/** Leaves out of a key's metadata what JSON Schema does not know. */
function withoutForm(schema: JsonSchema): JsonSchema {
  const { form: _, ...known } = schema as JsonSchema & FormMetadata;
  return known;
}
