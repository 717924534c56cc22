/**
 * RETR (RFC 959 §4.1.3).
 *
 * @module
 */

import { sendFile } from "../data/copy.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { closeFile, type CommandContext, type CommandRequest, requestPath } from "./command.ts";
import { convertsLineEnds, FILE_OKAY } from "./restart.ts";

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
    announcement: FILE_OKAY,
    file: { command: request.verb, path },
    body: (connection, transfer) => sendFile(file, connection, transfer, { ascii }),
  });
}
