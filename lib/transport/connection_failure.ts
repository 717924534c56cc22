/**
 * Errors of the runtime's sockets as {@linkcode ConnectionError}.
 *
 * @module
 */

import { ConnectionError, type ConnectionErrorKind } from "./connection.ts";

const KINDS: Readonly<Record<string, ConnectionErrorKind>> = {
  EADDRINUSE: "addressInUse",
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  ETIMEDOUT: "refused",
};

/**
 * Wraps an error of a socket, `node:net` or Deno. Its code decides about the kind; an unknown one on a standing connection
 * means that the connection is lost.
 *
 * @param kind Kind where the code tells nothing. Default `"reset"`.
 */
export function toConnectionError(error: unknown, kind: ConnectionErrorKind = "reset"): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return new ConnectionError(KINDS[code ?? ""] ?? kind, message ?? String(error), { cause: error });
}

/** Makes the error of calls on a connection that was closed from our side. */
export function closedError(): ConnectionError {
  return new ConnectionError("closed", "Connection is closed");
}
