/**
 * The port of what keeps events beyond the process, before a client hears that they have happened.
 *
 * @module
 */

import type { ServerEventOf } from "./events.ts";
import type { MaybePromise, SharedMethods } from "./shared_port.ts";

/** An event whose client waits for it to be kept. */
export type KeptEvent = ServerEventOf<"fileReceived" | "fileSent">;

/** Keeps events. */
export interface EventKeeper {
  /**
   * Keeps an event, where anybody wants it. It is called before the reply that says that the file has been moved.
   *
   * @throws {FileSystemError} When that must not be said, since the event could not be kept.
   */
  keep(event: KeptEvent): MaybePromise<void>;
}

/** For other event loops. */
export const SHARED_EVENT_KEEPER: SharedMethods<EventKeeper> = { keep: {} };
