/**
 * What is found about a configuration or about the options of a server.
 *
 * @module
 */

import { formatPath, type KeyPath } from "./key_path.ts";
import type { RiskId } from "./risks.ts";

/**
 * How bad it is: an `error` stops the server, a `risk` does unless it is accepted, a `warning` is for the operator to know.
 */
export type Severity = "error" | "risk" | "warning";

/** One thing found. */
export interface Finding {
  readonly severity: Severity;
  /** Present for risks. */
  readonly risk?: RiskId | undefined;
  /** The key it is about, such as `["users", 0, "home"]`; empty for the configuration as a whole. */
  readonly path: KeyPath;
  /** The value of the key, where the key alone does not say what is meant. */
  readonly value?: string | undefined;
  /** What is wrong, and what to do. */
  readonly message: string;
  /** What to type, where the message does not say it. */
  readonly hint?: string | undefined;
  /** The file that says it and the line, from 1, where it is known; absent for what is found of more than the file's text. */
  readonly place?: { readonly file: string; readonly line?: number | undefined } | undefined;
}

/** An error about a key. */
export function errorAt(path: KeyPath, message: string): Finding {
  return { severity: "error", path, message };
}

/** Writes what a finding is about, as `tls.policy off` or `ftpsd.yaml:14: users[1].permissions`; empty for the whole. */
export function formatWhere({ path, value, place }: Pick<Finding, "path" | "value" | "place">): string {
  const key = value === undefined ? formatPath(path) : `${formatPath(path)} ${value}`;
  if (place === undefined) return key;
  const at = place.line === undefined ? place.file : `${place.file}:${place.line}`;
  return key === "" ? at : `${at}: ${key}`;
}

/** A configuration that cannot be used, with all that is wrong with it. */
export class ConfigurationError extends Error {
  /** Name of the class. */
  override readonly name = "ConfigurationError";
  /** At least one. */
  readonly findings: readonly Finding[];

  /** Makes an error of at least one finding. */
  constructor(findings: readonly Finding[], options?: ErrorOptions) {
    super(findings.map(formatFinding).join("\n"), options);
    this.findings = findings;
  }
}

/** One line: `ftpsd.yaml:14: users[1].permissions: unknown letter "x"; …`, with the id of a risk behind it. */
export function formatFinding(finding: Omit<Finding, "severity">): string {
  const { message, risk } = finding;
  const where = formatWhere(finding);
  const text = where === "" ? message : `${where}: ${message}`;
  return risk === undefined ? text : `${text} (risk ${risk})`;
}
