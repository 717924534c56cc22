/**
 * The one validator of settings: of a file, of the command line and of programs.
 *
 * @module
 */

import * as v from "valibot";
import { findConfigurationContradictions, findContradictions } from "./contradictions.ts";
import { ConfigurationError, errorAt, type Finding, formatWhere } from "./finding.ts";
import { type KeyPath, valueAt } from "./key_path.ts";
import type { GivenSettings } from "./options.ts";
import type { Settings } from "./settings.ts";
import { CONFIGURATION, type Configuration, SERVER_SETTINGS } from "./table.ts";
import { findUnknownKeys, structureOf } from "./unknown_keys.ts";

/** Settings with every default in place, or what is wrong with what was given. */
export type Validated<Output> =
  | { readonly output: Output; readonly findings?: never }
  | { readonly output?: never; readonly findings: readonly Finding[] };

/** Checks each value of a tree by its row. */
export function validate<Schema extends v.GenericSchema>(
  schema: Schema,
  given: unknown,
): Validated<v.InferOutput<Schema>> {
  const result = v.safeParse(schema, given, { abortPipeEarly: true });
  const wrong = (result.issues ?? []).filter((issue) => !isUnknownKey(issue));
  const findings = [...findUnknownKeys(schema, given), ...wrong.map((issue) => toFinding(schema, issue))];
  if (result.success && findings.length === 0) return { output: deepFreeze(result.output as object) };
  return { findings: findings.length > 0 ? findings : [errorAt([], "has keys that are not its own")] };
}

/**
 * Checks a configuration, whatever its parts come from.
 *
 * @throws {ConfigurationError} With all that is wrong.
 */
export function resolveConfiguration(given: unknown): Configuration {
  const { output, findings } = validate(CONFIGURATION, given);
  if (findings !== undefined) throw new ConfigurationError(findings);
  const contradictions = findConfigurationContradictions(output, given);
  if (contradictions.length > 0) throw new ConfigurationError(contradictions);
  return output;
}

/**
 * Checks the settings that a program gives.
 *
 * @throws {RangeError} When a value is not of the wanted form.
 * @throws {TypeError} When a key is unknown, a list is empty, or two settings contradict each other.
 */
export function resolveSettings(given: GivenSettings): Settings {
  const { output, findings } = validate(SERVER_SETTINGS, given);
  if (output === undefined) throw faultOf(findings[0] ?? errorAt([], "cannot be used"), given);
  const [contradiction] = [...findContradictions(output, given), ...findUnaskedCa(output, given)];
  if (contradiction !== undefined) throw new TypeError(describe(contradiction));
  return output;
}

/** A program that gives a CA expects that clients are asked; a file that does gets a warning. */
function* findUnaskedCa({ tls: { clientCertificates: { mode, ca } } }: Settings, given: unknown): Generator<Finding> {
  const path = ["tls", "clientCertificates", "mode"];
  if (ca === undefined || mode !== "none" || valueAt(given, path) !== undefined) return;
  yield errorAt(path, "is not given, but ca is; give request or require");
}

/** What can be no value of a setting at all, and keys that nobody knows, are errors of type; other values are out of range. */
function faultOf(finding: Finding, given: unknown): Error {
  const value = valueAt(given, finding.path);
  const isOfType = Array.isArray(value) || value === null || typeof value === "function" ||
    findUnknownKeys(SERVER_SETTINGS, given).length > 0; // which are found before all else
  return isOfType ? new TypeError(describe(finding)) : new RangeError(describe(finding));
}

function describe(finding: Finding): string {
  const where = formatWhere(finding);
  return `Cannot use ${where === "" ? "the options" : where}: ${finding.message}`;
}

function toFinding(schema: v.GenericSchema, issue: v.BaseIssue<unknown>): Finding {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  return errorAt(path, isMissingKey(issue) ? missing(schema, path) : issue.message);
}

/** The walk over unknown keys tells them better, and all of them. */
function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

function isMissingKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.input === undefined && issue.path !== undefined;
}

/** The message for a key that is missing: what its own form says of nothing. */
function missing(schema: v.GenericSchema, path: KeyPath): string {
  const form = path.reduce<v.GenericSchema>((within, part) => {
    const { entries, item, value } = structureOf(within);
    return (typeof part === "number" ? item : entries?.[part] ?? value) ?? v.unknown();
  }, schema);
  return v.safeParse(form, undefined).issues?.[0].message ?? "is missing";
}

/** Freezes a value and all that is in it. */
export function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}
