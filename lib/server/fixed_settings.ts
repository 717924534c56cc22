/**
 * What was opened or decided at the start, and stays as it is until the server ends.
 *
 * @module
 */

import { restartPaths } from "../settings/flags.ts";
import { valueAt, withValue } from "../settings/key_path.ts";
import type { Settings } from "../settings/settings.ts";
import { SERVER_SETTINGS } from "../settings/table.ts";

const FIXED = restartPaths(SERVER_SETTINGS);

/** Returns the settings that hold when a server that runs with some is given others. */
export function withFixedSettings(running: Settings, next: Settings): Settings {
  const kept = FIXED.reduce((settings, path) => withValue(settings, path, valueAt(running, path)), next);
  return { ...kept, tls: fixedTls(running.tls, kept.tls) };
}

/** Without a certificate in the new settings the one in use stays. Where there is no TLS, none of it changes. */
function fixedTls(running: Settings["tls"], next: Settings["tls"]): Settings["tls"] {
  if ((running.policy === "off") !== (next.policy === "off")) return running;
  const { certificate, key } = running;
  if (next.certificate !== undefined || certificate === undefined || key === undefined) return next;
  return { ...next, certificate, key };
}
