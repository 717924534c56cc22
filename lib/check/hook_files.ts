/**
 * Files and hosts that the hooks of a configuration name.
 *
 * @module
 */

import { HOOK_EVENTS, type HookEventName } from "../hook_events.ts";
import type { Configuration } from "../settings/table.ts";

/** A hook, by its name. */
type NamedHook = readonly [HookEventName, NonNullable<NonNullable<Configuration["hooks"]>[HookEventName]>];

/** The hooks of a configuration. */
export function hooksOf({ hooks }: Configuration): NamedHook[] {
  return HOOK_EVENTS.flatMap((name): NamedHook[] => {
    const hook = hooks?.[name];
    return hook === undefined ? [] : [[name, hook]];
  });
}

/** Where events go, as `host:port`. */
export function hookHostsOf(configuration: Configuration): string[] {
  return hooksOf(configuration).map(([, { url }]) => {
    const { protocol, hostname, port } = new URL(url);
    return `${hostname}:${port === "" ? protocol === "http:" ? 80 : 443 : port}`;
  });
}

/** Files that are read. */
export function hookFilesOf(configuration: Configuration): string[] {
  return hooksOf(configuration).flatMap(([, { tokenFile, ca }]) => [tokenFile, ...ca === undefined ? [] : [ca]]);
}
