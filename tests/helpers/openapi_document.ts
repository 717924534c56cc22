/**
 * The OpenAPI document of the admin API.
 *
 * @module
 */

import { toJsonSchema } from "@valibot/to-json-schema";
import { makeOpenApi } from "../../lib/admin/api/openapi.ts";
import project from "../../deno.json" with { type: "json" };

/** Makes its text. */
export function makeOpenApiDocument(): string {
  const document = makeOpenApi(project.version, (schema) => {
    const { $schema: _, ...rest } = toJsonSchema(schema, { errorMode: "ignore" });
    return rest;
  });
  return JSON.stringify(document, null, 2);
}
