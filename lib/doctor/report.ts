/**
 * What `ftpsd doctor` prints: lines for people, or JSON.
 *
 * @module
 */

import { formatSocketAddress } from "../protocol/host_port.ts";
import type { DoctorFinding } from "./checks.ts";
import type { TlsMode } from "./facts.ts";

/** Version of the JSON form. It grows when something changes its meaning or goes; what is new alone does not count. */
export const REPORT_VERSION = 1;

/** A server, and what was found. */
export interface ExaminedServer {
  readonly host: string;
  readonly port: number;
  /** As it was asked for. */
  readonly tls: TlsMode;
  readonly findings: readonly DoctorFinding[];
}

/** All that was found. */
export interface DoctorReport {
  readonly servers: readonly ExaminedServer[];
  /** What cannot be seen from here, in whole sentences. */
  readonly unseen: readonly string[];
}

/** Returns whether something is wrong: a finding of severity "error". */
export function hasErrors({ servers }: DoctorReport): boolean {
  return servers.some(({ findings }) => findings.some(({ severity }) => severity === "error"));
}

/** The report as JSON; `docs/doctor.md` describes it. */
export function reportJson(report: DoctorReport): string {
  return JSON.stringify({ version: REPORT_VERSION, hasErrors: hasErrors(report), ...report }, null, 2);
}

/** The report as lines. */
export function reportText(report: DoctorReport): string {
  const { servers, unseen } = report;
  const blocks = servers.map((server) => serverLines(server).join("\n"));
  if (unseen.length > 0) blocks.push(["only from outside:", ...unseen.map((line) => `  ${line}`)].join("\n"));
  return [...blocks, summary(servers.flatMap(({ findings }) => findings))].join("\n\n");
}

function serverLines({ findings, ...server }: ExaminedServer): string[] {
  const shown = findings.filter(({ severity }) => severity !== "skipped");
  const reasons = new Map<string, string[]>();
  for (const { id, severity, finding } of findings) {
    if (severity === "skipped") reasons.set(finding, [...reasons.get(finding) ?? [], id]);
  }
  return [
    `${formatSocketAddress(server)}, ${server.tls} TLS`,
    ...shown.map(findingLine),
    ...[...reasons].map(([reason, ids]) => `skipped  ${ids.join(", ")}: ${reason}`),
  ];
}

function findingLine({ id, severity, finding, remedy, page }: DoctorFinding): string {
  const advice = [...remedy === undefined ? [] : [remedy], ...page === undefined ? [] : [page]].join("; see ");
  return `${severity.padEnd(8)} ${id}: ${finding}${advice === "" ? "" : ` → ${advice}`}`;
}

function summary(findings: readonly DoctorFinding[]): string {
  const count = (severity: DoctorFinding["severity"], word: string) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    return `${number} ${word}${number === 1 ? "" : "s"}`;
  };
  return `${count("error", "error")}, ${count("warning", "warning")}`;
}
