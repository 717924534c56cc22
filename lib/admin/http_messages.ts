/**
 * Requests and answers of `node:http` as those of the platform.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";

/** A host with or without a port, as it may stand in a URL. */
const HOST = /^[^\s/?#@\\]+$/;

/**
 * Makes a request of one that was read; `undefined` where it is none that a client of this server would make: its target is no
 * path, or its host is none.
 */
export function toRequest(
  asked: IncomingMessage,
  scheme: "http" | "https",
): Request | undefined {
  const { method = "GET", url: target = "", rawHeaders } = asked;
  try {
    const headers = new Headers();
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
    }
    // That of a request of HTTP/1.0 may be missing, as of a balancer that asks how we are; of more than one nobody knows which.
    const host = headers.get("host") ?? "localhost";
    const url = HOST.test(host) && target.startsWith("/") ? URL.parse(`${scheme}://${host}${target}`) : null;
    if (url === null) return undefined;
    const mayHaveBody = method !== "GET" && method !== "HEAD";
    return new Request(url, {
      method,
      headers,
      ...mayHaveBody && hasBody(asked) && { body: ReadableStream.from(asked) },
    });
  } catch (error) {
    if (error instanceof TypeError) return undefined; // such as a method that the platform does not have
    throw error;
  }
}

/** Returns whether something follows the head of a request. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * Writes an answer, as fast as the client takes it. Where it has gone, the answer's body is cancelled.
 *
 * @throws What the body throws.
 */
export async function writeResponse({ status, headers, body }: Response, response: ServerResponse): Promise<void> {
  const gone = Promise.withResolvers<void>();
  response.once("close", () => gone.resolve());
  response.writeHead(status, Object.fromEntries(headers));
  const reader = body?.getReader();
  const isGone = () => response.destroyed || response.closed;
  void gone.promise.then(() => reader?.cancel()).catch(() => {}); // it has ended
  for (let read = await reader?.read(); read?.done === false && !isGone(); read = await reader?.read()) {
    if (response.write(read.value)) continue;
    const drained = Promise.withResolvers<void>();
    response.once("drain", () => drained.resolve());
    await Promise.race([drained.promise, gone.promise]);
  }
  if (isGone()) return;
  response.end();
  await gone.promise;
}
