/**
 * What surrounds a file transfer: REST (RFC 3659 §5), ALLO, ABOR (RFC 959 §4.1.3), AVBL
 * (draft-peterson-streamlined-ftp-command-extensions).
 *
 * @module
 */

import { type Reply, reply } from "../protocol/reply.ts";
import { type CommandContext, type CommandRequest, requestPath, requireMethod } from "./command.ts";

/** Text of the 150 that announces a data connection. */
export const FILE_OKAY = "File status okay. About to open data connection.";

/** Refuses a transfer for which neither PASV, EPSV, PORT nor EPRT was given. */
export const NO_DATA_PORT: Reply = reply(425, "Can't open data connection: use PASV or EPSV first.");

/** REST. */
export function restart(context: CommandContext, request: CommandRequest): Reply {
  const restartOffset = /^\d{1,15}$/.test(request.argument) ? Number(request.argument) : undefined;
  if (restartOffset !== 0 && convertsLineEnds(context)) {
    return reply(501, "Resuming transfers not allowed in ASCII mode.");
  }
  if (restartOffset === undefined) return reply(501, "Invalid parameter.");
  context.update({ restartOffset });
  return reply(350, `Restarting at position ${restartOffset}.`);
}

/** Returns whether bytes differ between file and wire. */
export function convertsLineEnds(context: CommandContext): boolean {
  return context.session.type === "A" && context.settings.transfer.asciiConversion;
}

/** ALLO: nothing needs to be reserved. */
export function allocate(): Reply {
  return reply(200, "No storage allocation necessary.");
}

/** AVBL: how much room there is. */
export async function available(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const { fileSystem } = context;
  await fileSystem.stat(path, request);
  return reply(213, String(await requireMethod(fileSystem, "availableBytes")(path, request)));
}

/** ABOR: the transfer's own 426 goes before the reply to ABOR. */
export async function abort(context: CommandContext): Promise<Reply> {
  const { transfer, dataPort } = context;
  if (transfer !== undefined) {
    transfer.abort("aborted", "ABOR");
    await context.transferEnded();
    return reply(226, "ABOR command successful.");
  }
  if (dataPort.state === "closed") return reply(225, "No transfer to abort.");
  dataPort.close();
  return reply(225, "ABOR command successful; data channel closed.");
}
