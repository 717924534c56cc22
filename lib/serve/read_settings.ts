/**
 * Reads the configuration that a program gives.
 *
 * @module
 */

import { dirname, isAbsolute, join, resolve as resolvePath } from "node:path";
import { readRegularFile, requirePathPermission } from "../check/host_files.ts";
import { findObstacles, inspect, isMissingPermission } from "../check/inspection.ts";
import { ConfigurationError, type Finding, formatFinding } from "../settings/finding.ts";
import { CONFIGURATION } from "../settings/table.ts";
import { resolveConfiguration } from "../settings/validate.ts";
import { resolvePaths } from "../settings/host_paths.ts";
import { decodeConfiguration, readConfiguration } from "../settings/read_configuration.ts";
import type { Reading } from "./reloader.ts";
import { type ServeSettings, UnusableConfigurationError } from "./serve_settings.ts";

/**
 * Reads a configuration and looks at it on this host, as `ftpsd serve` does at its start.
 *
 * @throws {UnusableConfigurationError} With everything that is wrong with the text.
 */
export async function readSettings(settings: ServeSettings, servedHomes?: ReadonlySet<string>): Promise<Reading> {
  const file = "file" in settings ? resolvePath(settings.file) : undefined;
  const folder = "file" in settings ? dirname(resolvePath(settings.file)) : resolvePath(settings.folder ?? ".");
  const resolve = (path: string) => isAbsolute(path) ? path : join(folder, path);
  const configuration = await explaining(async () =>
    "configuration" in settings
      ? resolveConfiguration(resolvePaths(CONFIGURATION, settings.configuration, resolve))
      : readConfiguration(await textOf(settings), { file: file ?? "the configuration", resolve })
  );
  const now = new Date();
  const inspection = await inspect(configuration, { file }, now, servedHomes);
  const findings = inspection.findings.filter(isOfServer);
  const obstacles = findObstacles(configuration, findings, now).map(formatFinding);
  return { plan: { configuration, files: inspection.files }, findings, obstacles };
}

async function textOf(settings: { readonly file: string } | { readonly text: string }): Promise<string> {
  if ("text" in settings) return settings.text;
  await requirePathPermission("read", settings.file);
  return decodeConfiguration((await readRegularFile(settings.file)).bytes, settings.file);
}

/** What Deno permits beyond the need is for the program to judge, which has needs of its own. */
function isOfServer(finding: Finding): boolean {
  return finding.path[0] !== "permissions" || isMissingPermission(finding);
}

async function explaining<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof ConfigurationError)) throw cause;
    throw new UnusableConfigurationError(cause.findings.map(formatFinding), { cause });
  }
}
