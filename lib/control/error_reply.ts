/**
 * From thrown errors to replies, in one place. Texts are constants: a client never sees a message, a host path or a stack.
 *
 * @module
 */

import { AuthorizerBusyError } from "../accounts/authorizer.ts";
import { DataConnectTimeoutError } from "../data/data_port.ts";
import { TransferError, type TransferErrorKind } from "../data/transfer.ts";
import { FileSystemError, type FileSystemErrorKind } from "../filesystem/filesystem.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { StateUnavailableError } from "../state/state.ts";
import { ConnectionError } from "../transport/connection.ts";

const FILE_SYSTEM_REPLIES: Readonly<Record<FileSystemErrorKind, Reply>> = {
  busy: reply(450, "File is being written by another transfer."),
  directoryNotEmpty: reply(550, "Directory not empty."),
  exists: reply(550, "File exists."),
  invalidName: reply(553, "File name not allowed."),
  invalidOffset: reply(554, "Can't go on at this REST position; SIZE tells where."),
  isDirectory: reply(550, "Is a directory."),
  noSpace: reply(452, "No space left."),
  notDirectory: reply(550, "Not a directory."),
  notFound: reply(550, "No such file or directory."),
  notRegularFile: reply(550, "Not a regular file."),
  permissionDenied: reply(550, "Permission denied."),
  quotaExceeded: reply(552, "Quota exceeded."),
  unavailable: reply(451, "Files are not available now, try again later."),
  unsupported: reply(502, "Not implemented by this file system."),
};

const TRANSFER_REPLIES: Readonly<Record<TransferErrorKind, Reply>> = {
  // Without the word ABOR: lftp takes such a reply for that to ABOR itself, and loses count.
  aborted: reply(426, "Connection closed; transfer aborted."),
  handshake: reply(425, "Can't open data connection: TLS handshake failed."),
  notResumed: reply(522, "TLS session reuse required on data connections; enable session resumption in the client."),
  reset: reply(426, "Connection closed; transfer aborted."),
  stalled: reply(421, "Data connection timed out.", "close"),
  stopped: reply(426, "Transfer aborted by the server."),
  truncated: reply(426, "Data connection ended without TLS close_notify; transfer incomplete."),
};

/** Not 421, as of old: that would say that the control connection ends (RFC 959 §5.4). */
const CONNECT_TIMEOUT_REPLIES = {
  active: reply(425, "Active data channel timed out."),
  passive: reply(425, "Passive data channel timed out."),
} as const;

/** A command that ABOR has given up, though it moves no data. */
export class CommandAbortedError extends Error {
  override readonly name = "CommandAbortedError";

  constructor() {
    super("The client has sent ABOR");
  }
}

/** The reply for an expected failure; `undefined` for any other, which is an internal error. */
export function errorReply(error: unknown): Reply | undefined {
  if (error instanceof FileSystemError) return FILE_SYSTEM_REPLIES[error.kind];
  if (error instanceof TransferError) return TRANSFER_REPLIES[error.kind];
  if (error instanceof DataConnectTimeoutError) return CONNECT_TIMEOUT_REPLIES[error.mode];
  if (error instanceof ConnectionError) return reply(425, "Can't open data connection.");
  if (error instanceof CommandAbortedError) return reply(451, "Requested action aborted.");
  if (error instanceof AuthorizerBusyError) {
    const reason = error.isOutage ? "Accounts cannot be checked now" : "Too many logins at once";
    return reply(421, `${reason}, try again later.`, "close");
  }
  if (error instanceof StateUnavailableError) return reply(421, "Service not available, try again later.", "close");
  return undefined;
}

/** Returns whether an expected failure is one that the operator has to see, since no client has caused it. That of the state was reported. */
export function isOutage(error: unknown): boolean {
  return error instanceof FileSystemError && error.kind === "unavailable" &&
    !(error.cause instanceof StateUnavailableError);
}

/** The reply for an internal error; the log has the rest under the session's id. */
export function internalErrorReply(session: string): Reply {
  return reply(451, `Internal error; the log has it under session ${session}.`);
}
