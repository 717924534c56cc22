/**
 * Metrics and health, for whoever reaches the port: nothing that names a user, a client or a file.
 *
 * @module
 */

import { readGauges } from "./gauges.ts";
import type { ObservedServer } from "./observed.ts";
import { formatPrometheus, PROMETHEUS_TYPE } from "./prometheus_text.ts";

/** Answers `/metrics`, `/healthz` (the process answers) and `/readyz` (clients should be sent here). */
export function answerMetrics(request: Request, server: ObservedServer): Response {
  const { pathname } = new URL(request.url);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Method not allowed\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  switch (pathname) {
    case "/metrics":
      return answer(200, formatPrometheus(server.instruments, readGauges(server)), PROMETHEUS_TYPE);
    case "/healthz":
      return answer(200, "ok\n");
    case "/readyz": {
      const { isReady, reason } = server.readiness;
      return isReady ? answer(200, "ready\n") : answer(503, `${reason}\n`);
    }
    default:
      return answer(404, "Not found\n");
  }
}

function answer(status: number, text: string, type = "text/plain; charset=utf-8"): Response {
  return new Response(text, { status, headers: { "content-type": type, "cache-control": "no-store" } });
}
