/**
 * What is wrong or doubtful about the server's certificate and key.
 *
 * @module
 */

import { coversHost } from "../protocol/certificate_name.ts";
import { sameHost } from "../protocol/host_port.ts";
import type { CertificatePair } from "../transport/certificate_pair.ts";
import { ClientCertificates } from "../transport/client_certificates.ts";
import { type RevocationListInfo, RevocationLists } from "../transport/revocation_list.ts";
import { type CertificateInfo, describeCertificate } from "../transport/tls_context.ts";
import { tryHandshake } from "../transport/trial_handshake.ts";
import { errorAt, type Finding } from "../settings/finding.ts";

/** What a certificate is measured against. */
export interface CertificateCircumstances {
  readonly now: Date;
  /** Addresses or names that the server listens on. */
  readonly listenHosts: readonly string[];
}

/** A pair as it was found, with what there is to say about it. */
export interface ExaminedCertificate {
  /** Absent when the pair cannot be used at all. */
  readonly info: CertificateInfo | undefined;
  readonly findings: readonly Finding[];
}

/** How long before its end an operator is warned. */
const NOTICE_DAYS = 14;
const DAY_MS = 24 * 60 * 60 * 1000;

const CRL_PATH = ["tls", "clientCertificates", "crl"];

const READABLE_BY_OTHERS = 0o007;

/**
 * Examines a pair whose files were read: whether it can be used, which a handshake in memory shows, its dates, its names, and
 * who can read the key.
 */
export async function examineCertificate(
  pair: CertificatePair & { readonly keyMode: number | undefined },
  circumstances: CertificateCircumstances,
): Promise<ExaminedCertificate> {
  try {
    const info = describeCertificate(pair);
    await tryHandshake(pair);
    return { info, findings: [...findCertificateProblems(info, circumstances), ...findKeyModeRisks(pair.keyMode)] };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const part = /^Cannot (?:read|use) the key\b/.test(error.message) ? "key" : "certificate";
    return { info: undefined, findings: [errorAt(["tls", part], error.message)] };
  }
}

/** Finds what is wrong with the dates, the names and the chain of a certificate. */
export function findCertificateProblems(info: CertificateInfo, circumstances: CertificateCircumstances): Finding[] {
  return [
    ...dateFindings(info, circumstances.now),
    ...nameFindings(info, circumstances.listenHosts),
    ...chainFindings(info),
  ];
}

/** Finds what is wrong or doubtful about the CA of clients. */
export function findClientCaProblems(ca: string, mode: "none" | "request" | "require"): Finding[] {
  const path = ["tls", "clientCertificates", "ca"];
  try {
    void new ClientCertificates({ mode: mode === "none" ? "request" : mode, ca });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return [errorAt(path, error.message)];
  }
  if (mode !== "none") return [];
  return [{ severity: "warning", path, message: "is given, but mode is none: no client is asked for a certificate" }];
}

/** Finds what is wrong or doubtful about the revocation lists of a CA of clients that can be used. */
export function findRevocationListProblems(crl: string, ca: string, now: Date): Finding[] {
  try {
    return findOverdueLists(new RevocationLists(crl, ca).info, now);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return [errorAt(CRL_PATH, error.message)];
  }
}

/** The same of lists that can be used. */
export function findOverdueLists(lists: readonly RevocationListInfo[], now: Date): Finding[] {
  return lists.flatMap(({ issuer, nextUpdate }) =>
    nextUpdate === undefined || now <= nextUpdate ? [] : [{
      severity: "warning",
      path: CRL_PATH,
      message: `the list of "${issuer}" should have been renewed by ${
        formatTime(nextUpdate)
      }: clients with its certificates are refused until it is`,
    }]
  );
}

/**
 * Returns whether others than the owner and the group have rights on the key.
 *
 * @param mode Mode bits of its file; `undefined` where there are none, as on Windows.
 */
export function findKeyModeRisks(mode: number | undefined): Finding[] {
  if (mode === undefined || (mode & READABLE_BY_OTHERS) === 0) return [];
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  return [{
    severity: "risk",
    risk: "key-readable-by-others",
    path: ["tls", "key"],
    message: `has mode ${octal}, which gives others on this host rights on it; use chmod 600`,
  }];
}

function* dateFindings({ validFrom, validTo }: CertificateInfo, now: Date): Generator<Finding> {
  if (now > validTo) {
    yield certificateFinding("error", `expired on ${formatTime(validTo)}; renew it`);
  } else if (now < validFrom) {
    yield certificateFinding(
      "error",
      `is valid only from ${formatTime(validFrom)} on; check the clock of this host (now ${formatTime(now)})`,
    );
  } else if (validTo.getTime() - now.getTime() <= NOTICE_DAYS * DAY_MS) {
    yield certificateFinding("warning", `expires on ${formatTime(validTo)}; renew it`);
  }
}

function* nameFindings({ names }: CertificateInfo, listenHosts: readonly string[]): Generator<Finding> {
  for (const host of new Set(listenHosts)) {
    if (isUnspecific(host) || names.some((name) => coversHost(name, host))) continue;
    const known = names.length === 0 ? "has no names" : `is for ${names.join(", ")}`;
    yield certificateFinding(
      "warning",
      `${known}, not for ${host}: clients that connect to ${host} and verify the certificate will refuse it`,
    );
  }
}

function* chainFindings({ selfSigned, hasIssuer }: CertificateInfo): Generator<Finding> {
  if (selfSigned || hasIssuer) return;
  yield certificateFinding(
    "warning",
    "has no certificate of its issuer behind it: clients that do not know the issuer refuse it; add the chain of the CA",
  );
}

/** Returns whether a host says nothing about the name by which clients come: all addresses, or this host only. */
function isUnspecific(host: string): boolean {
  return host === "localhost" || host.startsWith("127.") || ["0.0.0.0", "::", "::1"].some((it) => sameHost(it, host));
}

function certificateFinding(severity: "error" | "warning", message: string): Finding {
  return { severity, path: ["tls", "certificate"], message };
}

/** A time of day matters on the last day only, but then it does. */
function formatTime(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}
