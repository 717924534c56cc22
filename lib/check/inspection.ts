/**
 * Everything there is to say about a configuration on this host: the same for `ftpsd check`, start and reload.
 *
 * @module
 */

import { InsecureConfigurationError } from "../accounts/permission.ts";
import { findAccountProblems } from "./account_findings.ts";
import type { KeyPath } from "../settings/key_path.ts";
import type { Configuration } from "../settings/table.ts";
import { inspectAdmin } from "./admin_files.ts";
import { inspectCodeSecrets } from "./code_secrets.ts";
import { inspectDatabases } from "./state_database.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import { findNetworkWarnings } from "./network_findings.ts";
import { findExcessPermissions, findMissingFlags, findPermissionNeeds, PROGRAM_FOLDER } from "./permissions.ts";
import { MemoryFileSystem } from "../filesystem/memory/memory_filesystem.ts";
import { acceptedRisks, type ConfigurationFiles, createHomes, toServerOptions } from "../server/configured_options.ts";
import { loadEncoding } from "../protocol/text_encoding.ts";
import { changedCommands } from "../commands/command_changes.ts";
import type { ConfigurationOrigin } from "./secret_findings.ts";
import { checkOptions } from "../server/options.ts";
import { RISK_IDS } from "../settings/risks.ts";
import { findSettingRisks } from "../settings/setting_risks.ts";
import { inspectHost } from "./host_inspection.ts";

/** A configuration and where it comes from. */
export interface LoadedConfiguration extends ConfigurationOrigin {
  readonly configuration: Configuration;
  /** The configuration file, where there is one. */
  readonly file: string | undefined;
  /** Finds the line where a key such as `["users", 0, "home"]` is in the file; `undefined` where it is not. */
  readonly locate: (path: KeyPath) => number | undefined;
}

/** What an inspection has read and found. */
export interface Inspection {
  readonly findings: readonly Finding[];
  /** What the named files hold, as far as they could be read. */
  readonly files: ConfigurationFiles;
  /** Flags of Deno that this needs and was not given; they are among the findings, too. */
  readonly missing: readonly string[];
}

/**
 * Inspects a configuration. Nothing is changed or opened for long.
 *
 * @param servedHomes Homes that clients use already, see {@linkcode inspectHost}.
 */
export async function inspect(
  configuration: Configuration,
  origin: ConfigurationOrigin,
  now: Date,
  servedHomes: ReadonlySet<string> = new Set(),
): Promise<Inspection> {
  const { findings: databaseFindings, ...databases } = await inspectDatabases(configuration);
  const { findings: adminFindings, ...adminFiles } = await inspectAdmin(configuration);
  const { findings: codeFindings, codeSecrets } = await inspectCodeSecrets(configuration);
  const needs = findPermissionNeeds(configuration, origin.file, PROGRAM_FOLDER, databases);
  const host = await inspectHost(configuration, origin, now, servedHomes);
  const missing = [...await findMissingFlags(needs), ...host.missing];
  const findings = [
    ...missingPermissions(missing),
    ...findAccountProblems(configuration),
    ...host.findings,
    ...databaseFindings,
    ...adminFindings,
    ...codeFindings,
    ...findSettingRisks(configuration),
    ...inspectCommands(configuration),
    ...await inspectEncoding(configuration),
    ...findNetworkWarnings(configuration),
    ...await findExcessPermissions(needs, { findsBreadth: origin.file !== undefined }),
    ...expiredAcceptances(configuration, now),
  ];
  const isSound = findings.every(({ severity }) => severity !== "error");
  const rest = isSound ? inspectOptions(configuration, host.files, now) : [];
  const files = { ...host.files, ...databases, ...adminFiles, codeSecrets };
  return { findings: [...findings, ...rest], files, missing };
}

function missingPermissions(flags: readonly string[]): Finding[] {
  if (flags.length === 0) return [];
  const message = `Deno does not permit what this needs; add ${flags.join(" ")}`;
  return [errorAt([PERMISSIONS], message)];
}

const PERMISSIONS = "permissions";

/** Returns whether an obstacle is nothing but a permission that is missing. */
export function isMissingPermission({ severity, path }: Finding): boolean {
  return severity === "error" && path[0] === PERMISSIONS;
}

/** The findings that keep a server from starting: errors, and risks that nobody has accepted. */
export function findObstacles(configuration: Configuration, findings: readonly Finding[], now: Date): Finding[] {
  const accepted = acceptedRisks(configuration.acceptRisks, now);
  const isForced = configuration.anonymous?.forceWrite === true;
  return findings.filter(({ severity, risk }) => {
    if (severity === "error") return true;
    if (severity !== "risk" || risk === undefined) return false;
    return !accepted.includes(risk) && !(risk === "anonymous-write" && isForced);
  });
}

async function inspectEncoding({ encoding }: Configuration): Promise<Finding[]> {
  try {
    await loadEncoding(encoding);
    return [];
  } catch (error) {
    if (error instanceof RangeError) return [errorAt(["encoding"], error.message)];
    throw error;
  }
}

function* inspectCommands({ commands: { disabled } }: Configuration): Generator<Finding> {
  for (const [index, verb] of disabled.entries()) {
    try {
      changedCommands({ disabled: [verb] });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      yield errorAt(["commands", "disabled", index], error.message);
    }
  }
}

/** Makes the server's options as the start does, every risk accepted, and says what is against them that nothing else found. */
function inspectOptions(configuration: Configuration, files: ConfigurationFiles, now: Date): Finding[] {
  const { anonymous: own, ...others } = configuration;
  const acceptRisks = RISK_IDS.map((risk) => ({ risk, reason: "judged apart" }));
  const anonymous = own && { anonymous: { ...own, forceWrite: true } };
  try {
    // Nothing is done in a store.
    const openHome = createHomes(undefined, () => new MemoryFileSystem());
    void checkOptions(toServerOptions({ ...others, ...anonymous, acceptRisks }, files, now, { openHome }));
    return [];
  } catch (error) {
    const isJudgement = error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError ||
      error instanceof InsecureConfigurationError;
    if (!isJudgement) throw error;
    return [errorAt([], error.message)];
  }
}

function expiredAcceptances({ acceptRisks }: Configuration, now: Date): Finding[] {
  const current = acceptedRisks(acceptRisks, now);
  return acceptRisks.flatMap(({ risk, until }, index): Finding[] =>
    current.includes(risk) ? [] : [{
      severity: "warning",
      path: ["acceptRisks", index],
      message: `the acceptance of ${risk} ended on ${until?.toISOString().slice(0, 10)}`,
    }]
  );
}
