/**
 * Findings as lines for people, named by key, or by option where there is no file.
 *
 * @module
 */

import { shellWord, UsageError } from "../check/exit_error.ts";
import { findObstacles, type Inspection, isMissingPermission, type LoadedConfiguration } from "../check/inspection.ts";
import { permissionMissing } from "../check/permissions.ts";
import { type Finding, formatFinding } from "../settings/finding.ts";
import { FLAG_ROWS } from "../settings/flags.ts";
import { formatPath } from "../settings/key_path.ts";

/** What to type about findings that stop the server. */
function hintFor(findings: readonly Finding[], file: string | undefined): string {
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

/** Options that mean a key, for servers without a file. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ...FLAG_ROWS.map(({ path, name }): [string, string] => [formatPath(path), `--${name}`]),
  ["anonymous.home", "DIR"],
  ["anonymous.permissions", "--write without --username"],
  ["listen", "--interface"],
  ["listen[0]", "--port"],
  ["listen[1]", "--implicit-port"],
  ["listen[1].port", "--implicit-port"],
  ["listen[1].tls", "--implicit-port"],
  ["users[0].home", "DIR"],
  ["users[0].name", "--username"],
  ["users[0].password", "--password-file"],
]);

/** Describes a finding where there is no file: with options in place of keys. */
export function describeOptionFinding(finding: Finding): string {
  const { risk } = finding;
  const option = optionFor(finding);
  const message = finding.message.replace(/[a-z]+(?:\.[a-zA-Z]+)+|\blisten\[\d\]/g, (key) => OPTIONS.get(key) ?? key);
  const text = option === undefined ? message : isSaidOf(message) ? `${option} ${message}` : `${message} (${option})`;
  return risk === undefined ? text : `${text} (risk ${risk})`;
}

/** Returns whether a message goes on from the name of what it is about. */
function isSaidOf(message: string): boolean {
  return /^(?:is|has) /.test(message);
}

/** The option that means the key of a finding, with its value where it has one. */
export function optionFor({ path, value }: Finding): string | undefined {
  const option = OPTIONS.get(formatPath(path));
  return option === undefined || value === undefined ? option : `${option} ${value}`;
}
