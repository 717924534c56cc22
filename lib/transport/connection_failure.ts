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
 * Wraps an error of a socket, `node:net` or Deno. Its code decides about the kind; an unknown one on an established connection
 * means that the connection is lost.
 *
 * @param kind Kind where the code says nothing. Default `"reset"`.
 */
export function toConnectionError(error: unknown, kind: ConnectionErrorKind = "reset"): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return new ConnectionError(KINDS[code ?? ""] ?? kind, message ?? String(error), { cause: error });
}

// Each connection ends with them, and most often nobody sees them. Making an error takes a stack trace, 40 us.

/** The error of calls on a connection that was closed from our side; its stack trace says nothing. */
export const CLOSED_ERROR: ConnectionError = new ConnectionError("closed", "Connection is closed");

/** The error of calls on a connection whose socket is gone; its stack trace says nothing. */
export const SOCKET_CLOSED_ERROR: ConnectionError = new ConnectionError("reset", "Socket was closed");
