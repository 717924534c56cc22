/**
 * HTTP over a Unix socket. Not by `fetch()`: with a socket for its proxy it needs the permission for the address of the URL, too,
 * which nobody speaks to, and an executable does not have.
 *
 * @module
 */

import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";

/** What is asked. */
export interface SocketRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the connection, and what is still read of it. */
  readonly signal: AbortSignal;
}

/**
 * Asks over a connection of its own.
 *
 * @param path Of the socket.
 * @param target Path and query of the URL.
 * @throws The error of `node:net`, with its `code`, or the reason of the signal.
 */
export async function fetchOverSocket(
  path: string,
  target: string,
  { method, headers, body, signal }: SocketRequest,
): Promise<Response> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = request({
    ...{ socketPath: path, path: target, method, agent: false, signal },
    headers: { host: "localhost", connection: "close", ...headers },
  }, resolve);
  asked.on("error", (error) => reject(signal.aborted ? signal.reason : error));
  asked.end(body);
  const answer = await promise;
  const status = answer.statusCode ?? 500;
  const isEmpty = status === 204 || status === 304;
  if (isEmpty) answer.resume();
  return new Response(isEmpty ? null : Readable.toWeb(answer) as ReadableStream<Uint8Array<ArrayBuffer>>, { status });
}
