/**
 * `ftpsd check`: tells everything that is wrong, risky or doubtful about a configuration, without serving it.
 *
 * @module
 */

import type { Configuration } from "../settings/table.ts";
import { ConfigurationError, errorAt, type Finding, formatFinding, formatWhere } from "../settings/finding.ts";
import { RISK_IDS, type RiskId, RISKS } from "../settings/risks.ts";
import { CHECK_FORMATS, CHECK_OPTIONS } from "./command_table.ts";
import { ExitError, messageOf, UsageError } from "../check/exit_error.ts";
import { findObstacles, inspect } from "../check/inspection.ts";
import { loadConfiguration } from "./load_configuration.ts";
import { oneOf, parseArguments, type ParsedArguments, SERVE_OPTIONS } from "./option_table.ts";

/** What a command has to print, and whether all was well. */
export interface CheckResult {
  readonly output: string;
  /** Whether the server would start. */
  readonly isClean: boolean;
}

/** Runs the check. */
export async function checkCommand(args: readonly string[]): Promise<CheckResult> {
  const parsed = parseArguments(args, [...SERVE_OPTIONS, ...CHECK_OPTIONS], "ftpsd check --help");
  const id = parsed.values.get("explain");
  if (id !== undefined) return { output: explainRisk(id), isClean: true };
  const format = oneOf(parsed, "format", CHECK_FORMATS) ?? "text";
  const { configuration, findings } = await findAll(parsed);
  const obstacles = configuration === undefined ? findings : findObstacles(configuration, findings, new Date());
  const isClean = obstacles.length === 0;
  const settings = parsed.switches.has("print") && configuration !== undefined ? blanked(configuration) : undefined;
  if (format === "json") {
    return { output: JSON.stringify({ clean: isClean, findings: findings.map(toJson), settings }, null, 2), isClean };
  }
  const lines = findings.map((finding) => `${label(finding, obstacles)}: ${formatFinding(finding)}`);
  const verdict = isClean ? "the server would start" : `the server would not start: ${count(obstacles.length)}`;
  const printed = settings === undefined ? [] : [JSON.stringify(settings, null, 2)];
  return { output: [...printed, ...lines, verdict].join("\n"), isClean };
}

interface Found {
  readonly configuration?: Configuration;
  readonly findings: readonly Finding[];
}

/** Findings of the file, or of what it says. */
async function findAll(args: ParsedArguments): Promise<Found> {
  try {
    const loaded = await loadConfiguration(args);
    const { configuration } = loaded;
    const { findings } = await inspect(configuration, loaded, new Date());
    return { configuration, findings };
  } catch (error) {
    if (error instanceof ConfigurationError) return { findings: error.findings };
    if (error instanceof ExitError) {
      return { findings: [errorAt([], await messageOf(error))] };
    }
    throw error;
  }
}

/** A finding in the form of `--format json`. */
function toJson({ severity, risk, message, hint, ...about }: Finding) {
  return { severity, risk, where: formatWhere(about), message, hint };
}

function label(finding: Finding, obstacles: readonly Finding[]): string {
  return finding.severity === "risk" && !obstacles.includes(finding) ? "accepted" : finding.severity;
}

function count(obstacles: number): string {
  return obstacles === 1 ? "1 obstacle" : `${obstacles} obstacles`;
}

function explainRisk(id: string): string {
  if (!isRisk(id)) {
    throw new UsageError(`there is no risk "${id}" (--explain)`, `one of ${RISK_IDS.join(", ")}`, {
      unknownWord: { typed: id, known: RISK_IDS },
    });
  }
  const { title, danger, instead } = RISKS[id];
  return `${id}: ${title}\n\nWhat can happen: ${danger}\n\nInstead: ${instead}`;
}

function isRisk(id: string): id is RiskId {
  return (RISK_IDS as readonly string[]).includes(id);
}

/** The settings as they hold, with all defaults; of secrets only that they are there. */
function blanked(configuration: Configuration): Configuration {
  return { ...configuration, users: configuration.users.map((user) => ({ ...user, password: "***" })) };
}
