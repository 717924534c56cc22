/**
 * What of a configuration was opened at the start and stays as it is until the server ends.
 *
 * @module
 */

import type { Configuration } from "../config/configuration.ts";

/** Keys that a reload cannot apply, each with what to compare. */
const FIXED: readonly (readonly [key: string, valueOf: (configuration: Configuration) => unknown])[] = [
  [
    "listen",
    ({ server }) =>
      (server.listen ?? [{}]).map(({ host = "127.0.0.1", port = 2121, tls = "explicit" }) => [host, port, tls]),
  ],
  ["encoding", ({ server }) => server.encoding ?? "utf-8"],
  ["passive.ports", ({ server }) => server.passive?.ports ?? null],
  ["tls.policy", ({ server }) => server.tls?.policy === "off"],
  ["tls.certificate", ({ certificateFiles, server }) => certificateFiles === undefined && server.tls?.policy !== "off"],
  ["tls.minVersion", ({ server }) => server.tls?.minVersion ?? "TLSv1.2"],
  ["tls.maxVersion", ({ server }) => server.tls?.maxVersion ?? "TLSv1.3"],
  ["workers", ({ workers }) => workers],
  ["log", ({ log }) => [log.format, log.level, log.transfers ?? null]],
];

/** Tells which changes wait for a restart; none where everything holds already. */
export function findRestartNeeds(started: Configuration, now: Configuration): string[] {
  return FIXED
    .filter(([key, valueOf]) => {
      // A certificate can take the place of the one made in memory, not the other way round.
      if (key === "tls.certificate" && valueOf(started) === true) return false;
      return JSON.stringify(valueOf(started)) !== JSON.stringify(valueOf(now));
    })
    .map(([key]) => `${key}: the change needs a restart; until then all stays as it was`);
}
