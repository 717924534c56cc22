/**
 * What there is to say about the files and folders of the host that a configuration names. Each is looked at where Deno permits
 * it, whatever else is missing.
 *
 * @module
 */

import { type HostHome, hostHomesOf } from "./account_findings.ts";
import {
  examineCertificate,
  type ExaminedCertificate,
  findClientCaProblems,
  findRevocationListProblems,
} from "./certificate_findings.ts";
import type { Configuration } from "../settings/table.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import type { ConfigurationFiles } from "../server/configured_options.ts";
import { inspectHomeRisks } from "../server/virtual_authorizer.ts";
import {
  type CertificateContents,
  PemFileError,
  readCertificateFiles,
  readPemFile,
  readRevocationFile,
} from "./host_files.ts";
import { ExitError, shellWord } from "./exit_error.ts";
import { findMissingPathFlags } from "./permissions.ts";
import { type ConfigurationOrigin, findSecretRisks } from "./secret_findings.ts";
import { inspectStateFiles } from "./state_file.ts";
import { inspectAccountSources } from "./account_source_findings.ts";
import { inspectHooks } from "./hook_findings.ts";
import { inspectStores } from "./store_findings.ts";
import { describeLogFailure, probeLogFile } from "./log_file.ts";

/** What was found on the host. */
export interface HostInspection {
  readonly findings: readonly Finding[];
  /** What the named files hold, as far as they could be read. */
  readonly files: ConfigurationFiles;
  /** Flags of Deno for what links lead to. */
  readonly missing: readonly string[];
}

/**
 * Looks at the homes, the certificate, the CA of clients and the log of transfers.
 *
 * @param servedHomes Homes that clients use already. What clients can do to them is no more than a warning.
 */
export async function inspectHost(
  configuration: Configuration,
  origin: ConfigurationOrigin,
  now: Date,
  servedHomes: ReadonlySet<string>,
): Promise<HostInspection> {
  const homes = await Promise.all(
    hostHomesOf(configuration).map(async (home) => {
      const { findings, missing } = await inspectHome(home);
      return { findings: servedHomes.has(home.folder) ? findings.map(asOfClients) : findings, missing };
    }),
  );
  const certificate = await inspectCertificate(configuration, now);
  const clientCa = await inspectClientCa(configuration);
  const clientCrl = await inspectClientCrl(configuration, clientCa, now);
  const { findings: storeFindings, storeAuthorities } = await inspectStores(configuration);
  const { findings: hookFindings, hookAuthorities } = await inspectHooks(configuration);
  const { findings: acmeFindings, acme } = await inspectAcmeOf(configuration, now);
  const { findings: sourceFindings, accountAuthorities } = await inspectAccountSources(configuration);
  return {
    findings: [
      ...homes.flatMap(({ findings }) => findings),
      ...certificate.findings,
      ...clientCa.findings,
      ...clientCrl.findings,
      ...storeFindings,
      ...hookFindings,
      ...acmeFindings,
      ...sourceFindings,
      ...await inspectTransferLog(configuration),
      ...await inspectStateFiles(configuration),
      ...await findSecretRisks(configuration, origin),
    ],
    files: {
      ...certificate.files,
      ...clientCa.files,
      ...clientCrl.files,
      storeAuthorities,
      hookAuthorities,
      ...acme && { acme },
      accountAuthorities,
    },
    missing: [...new Set(homes.flatMap(({ missing }) => missing))],
  };
}

/** Examines a pair that is to be used: the one way in, at the start, at each reload, and when its files have changed. */
export async function inspectPair(
  { listen }: Configuration,
  contents: CertificateContents,
  now: Date,
): Promise<ExaminedCertificate> {
  const listenHosts = listen.map(({ host }) => host);
  return await examineCertificate(contents, { now, listenHosts });
}

async function inspectAcmeOf(
  { tls: { acme } }: Configuration,
  now: Date,
): Promise<{ readonly findings: readonly Finding[]; readonly acme?: ConfigurationFiles["acme"] }> {
  if (acme === undefined) return { findings: [] };
  // Loaded when needed: most servers order no certificate.
  const { inspectAcme } = await import("./acme_findings.ts");
  return await inspectAcme(acme, now);
}

async function inspectHome(
  { path, folder: home, isWritten: isMeantToBe, isListed }: HostHome,
): Promise<Omit<HostInspection, "files">> {
  if (!await isPermitted("read", home)) return { findings: [], missing: [] };
  try {
    const info = await Deno.stat(home);
    if (!info.isDirectory) {
      return { findings: [errorAt(path, `${home} is not a folder`)], missing: [] };
    }
    const realPath = await Deno.realPath(home);
    // What is missing for the home itself is reported apart.
    const isWritten = isMeantToBe && await isPermitted("write", home);
    const missing = await findMissingPathFlags({ read: [realPath], write: isWritten ? [realPath] : [] });
    // Systems without mode bits do not open folders.
    if (Deno.build.os !== "windows" && isListed) (await Deno.open(home)).close();
    const findings = inspectHomeRisks(home).map(({ risk, message }): Finding => ({
      severity: "risk",
      risk,
      path,
      message,
    }));
    return { findings, missing };
  } catch (error) {
    return { findings: [{ severity: "error", path, ...describeHomeFailure(error, home) }], missing: [] };
  }
}

/** Nobody who may write in a home, or above one, is to keep the server from a reload. */
function asOfClients(finding: Finding): Finding {
  const { risk, ...rest } = finding;
  const mayBeOfClients = risk === undefined || risk === "home-writable-by-others";
  return mayBeOfClients ? { ...rest, severity: "warning" } : finding;
}

function describeHomeFailure(error: unknown, home: string): Pick<Finding, "message" | "hint"> {
  if (error instanceof Deno.errors.NotFound) {
    return { message: `${home} does not exist`, hint: `mkdir -p ${shellWord(home)}` };
  }
  const hint = `make it readable for the user who runs the server: ls -ld ${shellWord(home)}`;
  return { message: `${home} cannot be opened`, hint };
}

interface InspectedFiles {
  readonly findings: readonly Finding[];
  readonly files: ConfigurationFiles;
}

const NOTHING: InspectedFiles = { findings: [], files: {} };

async function inspectCertificate(configuration: Configuration, now: Date): Promise<InspectedFiles> {
  const { policy, certificate, key } = configuration.tls;
  if (certificate === undefined || key === undefined || policy === "off") return NOTHING;
  if (!await isPermitted("read", certificate, key)) return NOTHING;
  try {
    const contents = await readCertificateFiles({ certificate, key });
    const { findings } = await inspectPair(configuration, contents, now);
    return { findings, files: { certificate: contents } };
  } catch (error) {
    return { findings: [unreadable(["tls", "certificate"], error)], files: {} };
  }
}

/** A CA that is named is judged, also where nobody is asked for a certificate. */
async function inspectClientCa(
  { tls: { clientCertificates: { mode, ca: caFile } } }: Configuration,
): Promise<InspectedFiles> {
  const path = ["tls", "clientCertificates", "ca"];
  if (caFile === undefined || !await isPermitted("read", caFile)) return NOTHING;
  try {
    const { text: ca } = await readPemFile(caFile, path);
    return { findings: findClientCaProblems(ca, mode), files: mode === "none" ? {} : { clientCa: ca } };
  } catch (error) {
    return { findings: [unreadable(path, error)], files: {} };
  }
}

/** Lists are judged by the CAs that have signed them; without those there is nothing to say. */
async function inspectClientCrl(
  { tls: { clientCertificates: { crl: file } } }: Configuration,
  { files: { clientCa } }: InspectedFiles,
  now: Date,
): Promise<InspectedFiles> {
  const path = ["tls", "clientCertificates", "crl"];
  if (file === undefined || !await isPermitted("read", file)) return NOTHING;
  try {
    const clientCrl = await readRevocationFile(file, path);
    if (clientCa === undefined) return NOTHING;
    return { findings: findRevocationListProblems(clientCrl, clientCa, now), files: { clientCrl } };
  } catch (error) {
    return { findings: [unreadable(path, error)], files: {} };
  }
}

function unreadable(path: KeyPath, error: unknown): Finding {
  if (!(error instanceof ExitError)) throw error;
  return {
    severity: "error",
    path: error instanceof PemFileError ? error.path : path,
    message: error.message,
    hint: error.hint,
  };
}

/** Tries what the start does with the log of transfers; one that was not there is not there afterwards. */
async function inspectTransferLog({ log: { transfers } }: Configuration): Promise<Finding[]> {
  if (transfers === undefined || !await isPermitted("write", transfers)) return [];
  try {
    await probeLogFile(transfers);
    return [];
  } catch (error) {
    const hint = `the user who runs the server must be able to write there: ls -ld ${shellWord(transfers)}`;
    const message = `cannot open ${transfers}: ${describeLogFailure(error)}`;
    return [{ severity: "error", path: ["log", "transfers"], message, hint }];
  }
}

async function isPermitted(name: "read" | "write", ...paths: readonly string[]): Promise<boolean> {
  const states = await Promise.all(paths.map((path) => Deno.permissions.query({ name, path })));
  return states.every(({ state }) => state === "granted");
}
