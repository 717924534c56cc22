/**
 * Findings as lines for people.
 *
 * @module
 */

import { type Finding, formatFinding } from "../settings/finding.ts";
import { UsageError } from "../check/exit_error.ts";
import { findObstacles, type Inspection, isMissingPermission } from "../check/inspection.ts";
import { describeOptionFinding } from "./option_names.ts";
import type { LoadedConfiguration } from "./load_configuration.ts";
import { permissionMissing } from "../check/permissions.ts";
import { shellWord } from "../check/shell_word.ts";

/** What to type about findings that stop the server. */
export function hintFor(findings: readonly Finding[], file: string | undefined): string {
  const risk = findings.find((finding) => finding.risk !== undefined)?.risk;
  if (risk === undefined) {
    const hint = findings.find((finding) => finding.hint !== undefined)?.hint;
    if (hint !== undefined) return hint;
    return file === undefined ? "ftpsd help serve" : `ftpsd check --config ${shellWord(file)}`;
  }
  if (risk === "anonymous-write" && file === undefined) {
    return "add --username NAME --password-file FILE, or --force-anonymous-write";
  }
  return `ftpsd check --explain ${risk}; to accept it: --accept-risk ${risk}, or acceptRisks in the file`;
}

/** The findings that keep a configuration from being used, a line for each with its place in the file. */
export function describeObstacles(
  loaded: LoadedConfiguration,
  { findings }: { readonly findings: readonly Finding[] },
): string[] {
  const { configuration, file, locate } = loaded;
  return findObstacles(configuration, findings, new Date()).map((finding) => {
    if (file === undefined) return describeOptionFinding(finding);
    const line = locate(finding.path);
    const ended = configuration.acceptRisks.find(({ risk, until }) => risk === finding.risk && until !== undefined);
    const acceptance = ended === undefined
      ? ""
      : `; its acceptance ended on ${ended.until?.toISOString().slice(0, 10)}`;
    return `${line === undefined ? file : `${file}:${line}`}: ${formatFinding(finding)}${acceptance}`;
  });
}

/**
 * Refuses a configuration that cannot be used. What is wrong or unsafe goes first, whatever Deno permits.
 *
 * @throws {UsageError} With a line for each reason.
 * @throws {StartError} When only permissions are missing.
 */
export function refuseObstacles(loaded: LoadedConfiguration, { findings, missing }: Inspection): void {
  const inspection = { findings: findings.filter((finding) => !isMissingPermission(finding)) };
  const obstacles = describeObstacles(loaded, inspection);
  if (obstacles.length === 0) {
    if (missing.length > 0) throw permissionMissing(missing);
    return;
  }
  const { configuration, file } = loaded;
  const hint = hintFor(findObstacles(configuration, inspection.findings, new Date()), file);
  throw new UsageError(obstacles.join("\n"), hint);
}
