/**
 * Everything there is to say about a configuration on this host: the same for `ftpsd check`, start and reload.
 *
 * @module
 */

import { accountsOf, findAccountProblems, type PlacedAccount } from "../config/account_findings.ts";
import { examineCertificate } from "../config/certificate_findings.ts";
import type { Configuration } from "../config/configuration.ts";
import type { Finding } from "../config/finding.ts";
import { findNetworkWarnings } from "../config/network_findings.ts";
import { findPermissionNeeds } from "../config/permission_needs.ts";
import { acceptedRisks, checkServerPart, type ConfigurationFiles } from "../config/server_options.ts";
import { modeBits } from "../mode_bits.ts";
import { loadEncoding } from "../protocol/text_encoding.ts";
import type { Settings } from "../session/settings.ts";
import { findSettingRisks, RISKS } from "../server/risks.ts";
import { PemFileError, readCertificateFiles, readPemFile } from "./certificate_files.ts";
import { ExitError } from "./exit_error.ts";
import { PROGRAM_FOLDER } from "./program_folder.ts";
import { findExcessPermissions, findMissingFlags } from "./permissions.ts";
import { shellWord } from "./shell_word.ts";

/** What an inspection was told and has found. */
export interface Inspection {
  readonly findings: readonly Finding[];
  /** What the named files hold, as far as they could be read. */
  readonly files: ConfigurationFiles;
}

const WRITABLE_BY_OTHERS = 0o002;

/** Inspects a configuration. Nothing is changed or opened for long. */
export async function inspect(configuration: Configuration, file: string | undefined, now: Date): Promise<Inspection> {
  const needs = findPermissionNeeds(configuration, file, PROGRAM_FOLDER);
  const missing = await findMissingFlags(needs);
  // Without all permissions nothing of the host is looked at.
  const host = missing.length === 0 ? await inspectHost(configuration, now) : { findings: [], files: {} };
  const findings = [
    ...missingPermissions(missing),
    ...findAccountProblems(configuration),
    ...host.findings,
    ...settingRisks(configuration),
    ...await inspectEncoding(configuration),
    ...findNetworkWarnings(configuration),
    ...await findExcessPermissions(needs, { findsBreadth: file !== undefined }),
    ...expiredAcceptances(configuration, now),
  ];
  return { findings, files: host.files };
}

function missingPermissions(flags: readonly string[]): Finding[] {
  if (flags.length === 0) return [];
  const message = `Deno does not permit what this needs; add ${flags.join(" ")}`;
  return [{ severity: "error", where: "permissions", message }];
}

async function inspectHost(configuration: Configuration, now: Date): Promise<InspectedFiles> {
  const homes = await Promise.all(accountsOf(configuration).map(inspectHome));
  const certificate = await inspectCertificate(configuration, now);
  const clientCa = await inspectClientCa(configuration);
  return {
    findings: [...homes.flat(), ...certificate.findings, ...clientCa.findings],
    files: { ...certificate.files, ...clientCa.files },
  };
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

async function inspectEncoding({ server: { encoding } }: Configuration): Promise<Finding[]> {
  if (encoding === undefined) return [];
  try {
    await loadEncoding(encoding);
    return [];
  } catch (error) {
    if (error instanceof RangeError) return [{ severity: "error", where: "encoding", message: error.message }];
    throw error;
  }
}

async function inspectHome({ where, account }: PlacedAccount): Promise<Finding[]> {
  const { home } = account;
  const at = `${where}.home`;
  try {
    const info = await Deno.stat(home);
    if (!info.isDirectory) return [{ severity: "error", where: at, message: `${home} is not a folder` }];
    // Systems without mode bits do not open folders.
    if (Deno.build.os !== "windows" && account.permissions.includes("l")) (await Deno.open(home)).close();
    const findings: Finding[] = [];
    if (isRoot(await Deno.realPath(home))) {
      const message = `${home} is the root of the file system; give a folder made for the purpose`;
      findings.push({ severity: "risk", risk: "root-directory-home", where: at, message });
    }
    if (((modeBits(info.mode, Deno.build.os) ?? 0) & WRITABLE_BY_OTHERS) !== 0) {
      const message = `others on this host may write in ${home}; chmod o-w it`;
      findings.push({ severity: "risk", risk: "home-writable-by-others", where: at, message });
    }
    return findings;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return [{ severity: "error", where: at, message: `${home} does not exist`, hint: `mkdir -p ${shellWord(home)}` }];
    }
    const hint = `make it readable for the user who runs the server: ls -ld ${shellWord(home)}`;
    return [{ severity: "error", where: at, message: `${home} cannot be opened`, hint }];
  }
}

function isRoot(path: string): boolean {
  return path === "/" || /^[A-Za-z]:\\?$/.test(path);
}

function settingRisks({ server }: Configuration): Finding[] {
  const settings = settingsOf(server);
  if (settings instanceof RangeError) return [{ severity: "error", where: "", message: settings.message }];
  return findSettingRisks(settings).map(({ risk, where }) => ({
    severity: "risk",
    risk,
    where,
    message: `${RISKS[risk].title}. ${RISKS[risk].instead}`,
  }));
}

/** The settings as they hold, with all defaults, or why they cannot. */
export function settingsOf(server: Configuration["server"]): Settings | RangeError {
  try {
    return checkServerPart(server);
  } catch (error) {
    if (error instanceof RangeError) return error;
    throw error;
  }
}

interface InspectedFiles {
  readonly findings: readonly Finding[];
  readonly files: ConfigurationFiles;
}

async function inspectCertificate(configuration: Configuration, now: Date): Promise<InspectedFiles> {
  const { certificateFiles, server } = configuration;
  if (certificateFiles === undefined || server.tls?.policy === "off") return { findings: [], files: {} };
  const listenHosts = (server.listen ?? []).map(({ host = "127.0.0.1" }) => host);
  try {
    const contents = await readCertificateFiles(certificateFiles);
    const { findings } = await examineCertificate(contents, { now, listenHosts });
    return { findings, files: { certificate: contents } };
  } catch (error) {
    return { findings: [unreadable("tls.certificate", error)], files: {} };
  }
}

async function inspectClientCa({ clientCertificates }: Configuration): Promise<InspectedFiles> {
  const { mode, caFile } = clientCertificates;
  if (mode === "none" || caFile === undefined) return { findings: [], files: {} };
  try {
    return { findings: [], files: { clientCa: (await readPemFile(caFile, "tls.clientCertificates.ca")).text } };
  } catch (error) {
    return { findings: [unreadable("tls.clientCertificates.ca", error)], files: {} };
  }
}

function unreadable(where: string, error: unknown): Finding {
  if (!(error instanceof ExitError)) throw error;
  const at = error instanceof PemFileError ? error.where : where;
  return { severity: "error", where: at, message: error.message, hint: error.hint };
}

function expiredAcceptances({ acceptRisks }: Configuration, now: Date): Finding[] {
  const current = acceptedRisks(acceptRisks, now);
  return acceptRisks.flatMap(({ risk, until }, index): Finding[] =>
    current.includes(risk) ? [] : [{
      severity: "warning",
      where: `acceptRisks[${index}]`,
      message: `the acceptance of ${risk} ended on ${until?.toISOString().slice(0, 10)}`,
    }]
  );
}
