/**
 * The files of the live page. They are plain: no build makes them, and nothing of them comes from elsewhere. uPlot draws the
 * plots: nothing of the platform does, and it is small, without dependencies, and needs no inline style or code. They are
 * loaded when somebody asks for the page.
 *
 * @module
 */

import { STRICT_HEADERS } from "../api/admin_api.ts";

/** What the page may do: load its own files, and ask its own server. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

type Load = () => Promise<{ readonly default: string }>;

const HTML: Load = () => import("./page.html", { with: { type: "text" } });

/** By path. The specifiers are whole, so that packages and executables hold what they name. */
const FILES: Readonly<Record<string, Load>> = {
  "/page/actions.js": () => import("./actions.js", { with: { type: "text" } }),
  "/page/api.js": () => import("./api.js", { with: { type: "text" } }),
  "/page/elements.js": () => import("./elements.js", { with: { type: "text" } }),
  "/page/explain.js": () => import("./explain.js", { with: { type: "text" } }),
  "/page/format.js": () => import("./format.js", { with: { type: "text" } }),
  "/page/lists.js": () => import("./lists.js", { with: { type: "text" } }),
  "/page/main.js": () => import("./main.js", { with: { type: "text" } }),
  "/page/overview.js": () => import("./overview.js", { with: { type: "text" } }),
  "/page/page.css": () => import("./page.css", { with: { type: "text" } }),
  "/page/plots.js": () => import("./plots.js", { with: { type: "text" } }),
  "/page/question.js": () => import("./question.js", { with: { type: "text" } }),
  "/page/sessions.js": () => import("./sessions.js", { with: { type: "text" } }),
  "/page/timeline.js": () => import("./timeline.js", { with: { type: "text" } }),
  "/page/uplot.css": () => import("uplot/dist/uPlot.min.css", { with: { type: "text" } }),
  "/page/uplot.js": () => import("uplot/dist/uPlot.iife.min.js", { with: { type: "text" } }),
};

/** Paths of all files. */
export const PAGE_PATHS: readonly string[] = ["/", ...Object.keys(FILES)];

/** How the page is answered. */
export interface PageOptions {
  /** Whether it has to ask for a token. */
  readonly wantsToken: boolean;
}

/**
 * Answers with a file of the page; `undefined` where the path is none of it. Whoever reaches the listener gets them: they
 * tell nothing of the server.
 */
export async function answerPage(request: Request, { wantsToken }: PageOptions): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  const load = pathname === "/" ? HTML : Object.hasOwn(FILES, pathname) ? FILES[pathname] : undefined;
  if (load === undefined) return undefined;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Method not allowed\n", { status: 405, headers: { ...STRICT_HEADERS, allow: "GET, HEAD" } });
  }
  const text = (await load()).default;
  const body = wantsToken ? text : text.replace(' data-token="wanted"', "");
  const type = TYPES[pathname === "/" ? "html" : pathname.replace(/.*\./, "")] ?? "text/plain";
  return new Response(body, {
    headers: { ...STRICT_HEADERS, "content-security-policy": CONTENT_SECURITY_POLICY, "content-type": type },
  });
}
