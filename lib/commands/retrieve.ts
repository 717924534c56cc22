/**
 * RETR (RFC 959 §4.1.3).
 *
 * @module
 */

import { sendFile } from "../data/copy.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { closeFile, type CommandContext, type CommandRequest, requestPath } from "./command.ts";
import { convertsLineEnds, FILE_OKAY } from "./restart.ts";

/**
 * Tells how many bytes will follow, which is less than the size of the file after REST. To the letter of what clients look
 * for: .NET for ` bytes).`, Python's ftplib for `(N bytes)`, also where N is 1.
 */
function withSize(bytes: number): string {
  return `${FILE_OKAY.slice(0, -1)} (${bytes} bytes).`;
}

/** RETR. */
export async function retrieve(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const { restartOffset: offset = 0 } = request;
  const ascii = convertsLineEnds(context);
  await using resources = new AsyncDisposableStack();
  const file = await context.fileSystem.openRead(path, { offset, signal: request.signal });
  resources.defer(() => closeFile(file, request));
  if (offset > file.size) return reply(554, `REST position (${offset}) > file size (${file.size})`);
  return await context.transferData({
    direction: "send",
    announcement: ascii ? FILE_OKAY : withSize(file.size - offset),
    file: { command: request.verb, path },
    body: (connection, transfer) => sendFile(file, connection, transfer, { ascii }),
  });
}
