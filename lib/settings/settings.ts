/**
 * What a session obeys: the settings of a server, with every default in place.
 *
 * @module
 */

import type * as v from "valibot";
import type { SERVER_SETTINGS } from "./table.ts";

/**
 * Where TLS is demanded:
 * - `required`: on control and data connections;
 * - `control`: on control connections; data may be clear;
 * - `optional`: nowhere, but offered;
 * - `off`: not offered.
 */
export type TlsPolicy = "required" | "control" | "optional" | "off";

/**
 * Whether a protected data connection must resume a TLS session of this server: `require` refuses those that do not (522).
 * `off` and `allow` do the same: the runtime offers resumption always (docs/decisions/0002-session-reuse.md).
 */
export type SessionReuse = "off" | "allow" | "require";

/** Settings of a server, frozen. Times are in seconds and may have fractions; 0 means no limit. */
export type Settings = v.InferOutput<typeof SERVER_SETTINGS>;

/** Returns whether commands may only come over TLS. What is no policy at all demands it. */
export function requiresTlsOnControl({ tls }: Settings): boolean {
  return tls.policy !== "optional" && tls.policy !== "off";
}

/** Returns whether data connections must be protected. */
export function requiresTlsOnData(settings: Settings): boolean {
  return requiresTlsOnControl(settings) && settings.tls.policy !== "control";
}
