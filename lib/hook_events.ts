/**
 * Events that programs elsewhere can be told of.
 *
 * @module
 */

import type { ServerEvent, ServerEventName, ServerEventOf } from "./events.ts";

/** Their names. */
export const HOOK_EVENTS = [
  "fileReceived",
  "fileSent",
  "transferIncomplete",
  "loginSucceeded",
  "loginFailed",
  "banned",
] as const satisfies readonly ServerEventName[];

/** Name of such an event. */
export type HookEventName = typeof HOOK_EVENTS[number];

/** Such an event. */
export type HookEvent = ServerEventOf<HookEventName>;

/** Those that are kept before their client gets a reply; the others are as soon as they have happened. */
export const KEPT_EVENTS = ["fileReceived", "fileSent"] as const satisfies readonly HookEventName[];

/** Returns whether an event can be told. */
export function isHookEvent(event: ServerEvent): event is HookEvent {
  return (HOOK_EVENTS as readonly string[]).includes(event.event);
}

/** Returns whether an event is kept before the reply. */
export function isKeptEvent(event: ServerEvent): boolean {
  return (KEPT_EVENTS as readonly string[]).includes(event.event);
}
