/**
 * Transfer parameters: TYPE, MODE, STRU (RFC 959 §4.1.2).
 *
 * @module
 */

import { type Reply, reply } from "../protocol/reply.ts";
import type { CommandContext, CommandRequest } from "./command.ts";

/** TYPE: ASCII (non-print) or image; `L 8` is image here. */
export function representationType(context: CommandContext, request: CommandRequest): Reply {
  switch (request.argument.toUpperCase().replaceAll(" ", "")) {
    case "A":
    case "AN":
    case "L7":
      context.update({ type: "A" });
      return reply(200, "Type set to: ASCII.");
    case "I":
    case "L8":
      context.update({ type: "I" });
      return reply(200, "Type set to: Binary.");
    default:
      return reply(504, `Unsupported type "${request.argument}".`);
  }
}

/** MODE: stream only. */
export function transferMode(_context: CommandContext, request: CommandRequest): Reply {
  switch (request.argument.toUpperCase()) {
    case "S":
      return reply(200, "Transfer mode set to: S");
    case "B":
    case "C":
    case "Z":
      return reply(504, "Unimplemented MODE type.");
    default:
      return reply(501, "Unrecognized MODE type.");
  }
}

/** STRU: file only. */
export function fileStructure(_context: CommandContext, request: CommandRequest): Reply {
  switch (request.argument.toUpperCase()) {
    case "F":
      return reply(200, "File transfer structure set to: F.");
    case "P":
    case "R":
      return reply(504, "Unimplemented STRU type.");
    default:
      return reply(501, "Unrecognized STRU type.");
  }
}
