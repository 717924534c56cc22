/**
 * The admin API: JSON below `/api/v1/`.
 *
 * @module
 */

import * as v from "valibot";
import { describeThrown } from "../../thrown.ts";
import type { HttpClient } from "../http_listener.ts";
import type { AccessRefusal, ApiAccess } from "./access.ts";
import { type ApiContext, ApiError, type Route, ROUTES } from "./routes.ts";
import { followState } from "./state_stream.ts";

/** A change that somebody has made. */
export interface AuditEntry {
  /** Such as `ban`. */
  readonly action: string;
  /** What it was done to, such as `192.0.2.1`; `""` for the server itself. */
  readonly subject: string;
  /** Address of who did it; `"unix socket"` for one. */
  readonly by: string;
}

/** What the API works with. */
export interface AdminApiOptions extends ApiContext {
  readonly access: ApiAccess;
  /** Streams that are followed now. */
  readonly streams: Set<ReadableStream<Uint8Array>>;
  /** Told of each change before it is made. Must not throw. */
  readonly onAudit: (entry: AuditEntry) => void;
  /** Told of what was not expected. Must not throw. */
  readonly onFailure: (message: string, cause: unknown) => void;
}

const PREFIX = "/api/v1";
const MAX_BODY_BYTES = 64 * 1024;
/** Streams at once: each is a connection that stays, and tells of all sessions each second. */
const MAX_STREAMS = 32;

/** Header of every answer of the admin part: nobody may frame, guess or keep it. */
export const STRICT_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Answers a request below `/api/`. Never rejects. */
export async function answerApi(request: Request, client: HttpClient, options: AdminApiOptions): Promise<Response> {
  try {
    return await answer(request, client, options);
  } catch (error) {
    if (error instanceof ApiError) return failure(error.status, error.message);
    if (error instanceof Error && "reasons" in error) return failure(409, error.message);
    options.onFailure(`The admin API has failed: ${describeThrown(error)}`, error);
    return failure(503, "that cannot be done now; the log says why");
  }
}

/** A refusal as JSON. */
export function refusal({ status, error }: AccessRefusal): Response {
  const headers: Record<string, string> = status === 401
    ? { "www-authenticate": 'Bearer realm="ftpsd"' }
    : status === 429
    ? { "retry-after": "10" }
    : {};
  return failure(status, error, headers);
}

async function answer(request: Request, client: HttpClient, options: AdminApiOptions): Promise<Response> {
  const refused = options.access.refuseForeign(request) ?? options.access.refuseClient(client.host, request);
  if (refused !== undefined) return refusal(refused);
  const { pathname, searchParams: query } = new URL(request.url);
  const path = pathname.slice(PREFIX.length);
  if (!pathname.startsWith(`${PREFIX}/`)) return failure(404, "there is nothing here; the API is below /api/v1/");
  if (path === "/openapi.json" && request.method === "GET") return json(await loadDocument());
  if (path === "/stream" && request.method === "GET") return streamOf(options, client);
  const matches = ROUTES.flatMap((route) => {
    const params = match(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  });
  const found = matches.find(({ route }) => route.method === request.method);
  if (found === undefined) {
    if (matches.length === 0) return failure(404, "there is nothing here");
    return failure(405, "not by this method", { allow: matches.map(({ route }) => route.method).join(", ") });
  }
  const { route, params } = found;
  const body = route.body === undefined ? undefined : readBody(route.body, await readText(request));
  if (route.action !== undefined) {
    const by = client.host === "" ? "unix socket" : client.host;
    options.onAudit({ action: route.action, subject: subjectOf(params, body), by });
  }
  const result = await route.run(options, { params, query, body });
  return route.answer === undefined ? new Response(null, { status: 204, headers: STRICT_HEADERS }) : json(result);
}

/** Generated of the routes by `deno task docs`. */
async function loadDocument(): Promise<unknown> {
  return (await import("./openapi.json", { with: { type: "json" } })).default;
}

/** It is cancelled when the client has gone. */
function streamOf(options: AdminApiOptions, { signal }: HttpClient): Response {
  const { streams } = options;
  if (streams.size >= MAX_STREAMS) return failure(429, "too many follow the stream already", { "retry-after": "10" });
  const stream = followState(options, { signal, onEnd: () => streams.delete(stream) });
  streams.add(stream);
  return new Response(stream, {
    headers: { ...STRICT_HEADERS, "content-type": "text/event-stream; charset=utf-8" },
  });
}

/** The values of `{name}`, where a path fits; a component that cannot be decoded fits nothing. */
function match(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? "";
    const [, name] = /^\{(\w+)\}$/.exec(part) ?? [];
    if (name === undefined && part !== text) return undefined;
    if (name === undefined) continue;
    const value = decoded(text);
    if (value === undefined || value === "") return undefined;
    params[name] = value;
  }
  return params;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // no UTF-8 behind a "%"
  }
}

async function readText(request: Request): Promise<string> {
  if (request.headers.get("content-type")?.split(";")[0]?.trim() !== "application/json") {
    throw new ApiError(415, "the body must be application/json");
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body ?? []) {
    size += piece.length;
    if (size > MAX_BODY_BYTES) throw new ApiError(413, "the body is too large");
    pieces.push(piece);
  }
  return await new Blob(pieces as BlobPart[]).text();
}

function readBody(schema: NonNullable<Route["body"]>, text: string): unknown {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new ApiError(400, "the body is no JSON");
  }
  const { success, output, issues } = v.safeParse(schema, given);
  if (success) return output;
  const [issue] = issues;
  throw new ApiError(400, `${issue?.path === undefined ? "body" : v.getDotPath(issue)}: ${issue?.message}`);
}

function subjectOf(params: Readonly<Record<string, string>>, body: unknown): string {
  const given = { ...params, ...typeof body === "object" ? body : {} };
  return Object.entries(given).map(([name, value]) => `${name} ${value}`).join(", ");
}

function json(value: unknown): Response {
  return Response.json(value, { headers: STRICT_HEADERS });
}

function failure(status: number, error: string, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ error }, { status, headers: { ...STRICT_HEADERS, ...headers } });
}
