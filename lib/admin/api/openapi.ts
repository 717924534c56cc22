/**
 * The OpenAPI document of the admin API, made of its routes.
 *
 * @module
 */

import { FAILURE } from "./schemas.ts";
import { type Route, ROUTES } from "./routes.ts";

/** Makes a JSON Schema of a form. */
export type SchemaMaker = (schema: NonNullable<Route["body"]>) => unknown;

/** Makes the document. @param toSchema What makes JSON Schemas, which the server itself has no need of. */
export function makeOpenApi(version: string, toSchema: SchemaMaker): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describe(route, toSchema) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "ftpsd admin API", version, description: "What an operator sees of a server, and does to it." },
    servers: [{ url: "/api/v1" }],
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    paths: {
      ...paths,
      "/stream": {
        get: {
          summary: "The server, its sessions and what is new, each second",
          responses: { 200: { description: "Server-sent events.", content: { "text/event-stream": {} } } },
        },
      },
    },
  };
}

function describe({ path, summary, query = {}, body, answer, failures = {} }: Route, toSchema: SchemaMaker): unknown {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query).map(([name, description]) => ({
    name,
    in: "query",
    description,
    schema: { type: "string" },
  }));
  const parameters = [...inPath, ...inQuery];
  const content = (schema: NonNullable<Route["body"]>) => ({ "application/json": { schema: toSchema(schema) } });
  const failed = (description: string) => ({ description, content: content(FAILURE) });
  return {
    summary,
    ...parameters.length > 0 && { parameters },
    ...body && { requestBody: { required: true, content: content(body) } },
    responses: {
      ...answer === undefined
        ? { 204: { description: "It was done." } }
        : { 200: { description: "The answer.", content: content(answer) } },
      ...body && { 400: failed("The body cannot be used.") },
      ...Object.fromEntries(Object.entries(failures).map(([status, text]) => [status, failed(text)])),
      401: failed("The token is missing or wrong."),
      429: failed("Too many requests, or wrong tokens."),
      503: failed("It cannot be done now."),
    },
  };
}
