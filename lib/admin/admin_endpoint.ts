/**
 * The admin listener: the page, its API, and the metrics.
 *
 * @module
 */

import { type AdminApiOptions, answerApi, refusal, STRICT_HEADERS } from "./api/admin_api.ts";
import type { HttpClient } from "./http_listener.ts";
import { answerMetrics } from "./metrics_endpoint.ts";
import { answerPage } from "./page/page.ts";

/** Answers a request. */
export async function answerAdmin(request: Request, client: HttpClient, options: AdminApiOptions): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/api/")) return await answerApi(request, client, options);
  const refused = options.access.refuseForeign(request);
  if (refused !== undefined) return refusal(refused);
  if (["/metrics", "/healthz", "/readyz"].includes(pathname)) {
    const unknown = pathname === "/metrics" ? options.access.refuseClient(client.host, request) : undefined;
    return unknown === undefined ? answerMetrics(request, options.server) : refusal(unknown);
  }
  return await answerPage(request, options.access) ??
    new Response("Not found\n", { status: 404, headers: STRICT_HEADERS });
}
