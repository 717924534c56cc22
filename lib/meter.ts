/**
 * What is measured of a server, beside what happens in it: how long things take, and how much is moved.
 *
 * @module
 */

import type { ServerEventName, ServerEvents } from "./events.ts";

/** Something beyond the server that is asked and may keep it waiting. */
export type Dependency = "state" | "store";

/** How a call has ended. */
export interface CallOutcome {
  /** From the call to its end. */
  readonly seconds: number;
  /** Whether there was no answer, or one that says that it cannot be given now. */
  readonly hasFailed: boolean;
}

/**
 * What became of an event on its way to a hook: told; not told in one attempt; given up after the last; or never kept, since there
 * was no room.
 */
export type HookResult = "delivered" | "failed" | "expired" | "lost";

/** All of them. */
export const HOOK_RESULTS: readonly HookResult[] = ["delivered", "failed", "expired", "lost"];

/** Takes measurements. It is called for each command and each piece of a file, so every call is cheap; none throws. */
export interface Meter {
  /** An event has happened. */
  event<Name extends ServerEventName>(name: Name, fields: ServerEvents[Name]): void;
  /** Bytes of a file have gone over a data connection; `"send"`: to the client. */
  moved(direction: "send" | "receive", bytes: number): void;
  /** A call of something beyond the server has ended. */
  called(dependency: Dependency, call: string, outcome: CallOutcome): void;
  /** An event has come a step further on its way to a hook. */
  told(hook: string, result: HookResult): void;
}
