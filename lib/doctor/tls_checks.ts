/**
 * Checks of TLS and of certificates.
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";
import { type Check, defineCheck, error, ok, type Verdict, warning } from "./check.ts";
import { isFor } from "./observe_tls.ts";
import { shown } from "./wire_error.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** How long before its end an operator is warned. */
const NOTICE_DAYS = 14;
/** NIST SP 800-131A: shorter keys are of no use, and engines such as rustls refuse them. */
const MIN_RSA_BITS = 2048;
const MIN_EC_BITS = 256;
const OLD_VERSIONS = ["TLS 1.0", "TLS 1.1"] as const;
const CHAIN_PROBLEMS = /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/;

const CERTIFICATES = "docs/tls.md#certificates";
const VERSIONS = "docs/tls.md#versions-and-ciphers";

/** In the order in which they are shown. */
export const TLS_CHECKS: readonly Check[] = [
  defineCheck({
    id: "tls-handshake",
    looksAt: "whether a handshake with today's TLS succeeds",
    needs: ["handshake"],
    remedy: "see what else is said of versions, certificate and key",
    page: "docs/troubleshooting.md#the-tls-handshake-fails-or-never-begins",
    judge: ({ handshake }) =>
      "failure" in handshake ? error(handshake.failure) : ok(`${handshake.protocol}, ${handshake.cipher}`),
  }),
  defineCheck({
    id: "tls-old",
    looksAt: "whether TLS 1.0 or 1.1 is accepted",
    needs: ["versions"],
    remedy: "accept TLS 1.2 and newer only (RFC 8996)",
    page: VERSIONS,
    judge: ({ versions }) => {
      const accepted = OLD_VERSIONS.filter((version) => versions.get(version));
      if (accepted.length > 0) return error(`${accepted.join(" and ")} accepted`);
      return OLD_VERSIONS.every((version) => versions.get(version) === false)
        ? ok("neither TLS 1.0 nor 1.1 is accepted")
        : undefined;
    },
  }),
  defineCheck({
    id: "tls-1.3",
    looksAt: "whether TLS 1.3 is accepted",
    needs: ["versions"],
    remedy: "let the server use TLS 1.3, too",
    page: VERSIONS,
    judge: ({ versions }) => {
      const isAccepted = versions.get("TLS 1.3");
      if (isAccepted === undefined) return undefined;
      return isAccepted ? ok("TLS 1.3 is accepted") : warning("TLS 1.3 is not accepted");
    },
  }),
  defineCheck({
    id: "certificate-dates",
    looksAt: "whether the certificate is valid today, and for how long",
    needs: ["certificates"],
    remedy: "renew it",
    page: "docs/tls.md#lets-encrypt-and-other-renewals",
    judge: ({ certificates, now }) => firstBad(certificates.map((it, index) => judgeDates(it, index, now))),
  }),
  defineCheck({
    id: "certificate-name",
    looksAt: "whether the certificate is for the name that clients use",
    needs: ["certificates"],
    remedy: "get a certificate with that name, or connect to a name that it has",
    page: CERTIFICATES,
    judge: ({ certificates: [leaf], examination: { name } }) => {
      if (leaf === undefined || name === undefined) return undefined;
      if (isFor(leaf, name)) return ok(`the certificate is for ${name}`);
      const names = leaf.subjectAltName ?? "";
      return error(
        `the certificate is not for ${name}, ${names === "" ? "and has no names at all" : `but for ${shown(names)}`}`,
      );
    },
  }),
  defineCheck({
    id: "certificate-chain",
    looksAt: "whether the server sends the certificates between its own and the authority's",
    needs: ["certificates", "handshake"],
    remedy:
      "append the certificates of the intermediate authorities to the server's; where the authority is your own and " +
      "signs servers itself, give its certificate here with --ca FILE",
    page: "docs/troubleshooting.md#the-client-does-not-trust-the-certificate",
    judge: ({ certificates, handshake }) => {
      const [leaf] = certificates;
      if (leaf === undefined) return undefined;
      if (isSelfIssued(leaf)) return ok("the certificate is self-signed: none is needed");
      const problem = "failure" in handshake ? "" : handshake.problem ?? "";
      const isStray = certificates.some((it, index) => index > 0 && certificates[index - 1]?.issuer !== it.subject);
      const isIncomplete = !certificates.some(({ subject }) => subject === leaf.issuer) && CHAIN_PROBLEMS.test(problem);
      if (isIncomplete) return error(`the certificate of its issuer is not sent: ${nameIn(leaf.issuer)}`);
      return isStray
        ? warning("it has certificates in a wrong order, or of others")
        : ok(`${certificates.length} certificates sent`);
    },
  }),
  defineCheck({
    id: "certificate-trust",
    looksAt: "whether the certificate comes from an authority that is trusted here",
    needs: ["certificates", "handshake"],
    remedy: "get a certificate of a public authority, or give clients the certificate to trust (here: --ca FILE)",
    page: "docs/troubleshooting.md#the-client-does-not-trust-the-certificate",
    judge: ({ certificates: [leaf, ...others], handshake }) => {
      if (leaf === undefined || "failure" in handshake) return undefined;
      const { problem } = handshake;
      if (problem === undefined) return ok("the certificate is trusted");
      if (/EXPIRED|NOT_YET_VALID/.test(problem)) return undefined; // As its dates say
      if (isSelfIssued(leaf)) {
        return error("the certificate is self-signed: clients refuse it until they are told to trust it");
      }
      const isAlone = !others.some(({ subject }) => subject === leaf.issuer);
      if (isAlone && CHAIN_PROBLEMS.test(problem)) return undefined; // As its chain says
      return error(`the certificate cannot be verified (${problem})`);
    },
  }),
  defineCheck({
    id: "certificate-key",
    looksAt: "whether the key is long enough",
    needs: ["certificates"],
    remedy: "make a new key: ECDSA P-256, or RSA with 2048 bits and more",
    page: CERTIFICATES,
    judge: ({ certificates }) => firstBad(certificates.map(judgeKey)),
  }),
  defineCheck({
    id: "certificate-signature",
    looksAt: "whether the certificate is signed with SHA-1 or MD5",
    needs: ["certificates"],
    remedy: "have it signed anew with SHA-256",
    page: CERTIFICATES,
    judge: ({ certificates }) => firstBad(certificates.map(judgeSignature)),
  }),
];

/** The first verdict that is none of "ok", or the first at all. */
function firstBad(verdicts: readonly Verdict[]): Verdict | undefined {
  return verdicts.find(({ severity }) => severity === "error") ??
    verdicts.find(({ severity }) => severity !== "ok") ?? verdicts[0];
}

function judgeDates(certificate: X509Certificate, index: number, now: Date): Verdict {
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  const whose = index === 0 ? "" : `${nameIn(certificate.subject)} in the chain `;
  const daysLeft = Math.floor((to.getTime() - now.getTime()) / DAY_MS);
  if (now > to) return error(`${whose}expired on ${formatDate(to)}`);
  if (now < from) {
    return error(
      `${whose}is valid only from ${formatDate(from)} on`,
      "wait, or set the clock of this host or of the one that made it",
    );
  }
  return daysLeft < NOTICE_DAYS
    ? warning(`${whose}expires on ${formatDate(to)}: in ${daysLeft} days`)
    : ok(`valid to ${formatDate(to)}: for ${daysLeft} days`);
}

function judgeKey(certificate: X509Certificate): Verdict {
  const { type, bits } = keyOf(certificate);
  const whose = nameIn(certificate.subject);
  if (type === "rsa" && bits < MIN_RSA_BITS) return error(`RSA with ${bits} bits (${whose}): many clients refuse it`);
  if (type === "ec" && bits < MIN_EC_BITS) return error(`a curve of ${bits} bits (${whose}): many clients refuse it`);
  if (type.startsWith("dsa")) return error(`a key of DSA (${whose}): clients refuse it`);
  return ok(bits === 0 ? type : `${type.toUpperCase()}, ${bits} bits`);
}

/** Bits of the curves that there are, by the names that Node has for them. */
const CURVE_BITS: Readonly<Record<string, number>> = {
  "prime192v1": 192,
  "secp192r1": 192,
  "secp224r1": 224,
  "prime256v1": 256,
  "secp256k1": 256,
  "secp384r1": 384,
  "secp521r1": 521,
};

function keyOf(certificate: X509Certificate): { readonly type: string; readonly bits: number } {
  try {
    const { asymmetricKeyType = "unknown", asymmetricKeyDetails: details } = certificate.publicKey;
    const bits = details?.modulusLength ?? CURVE_BITS[details?.namedCurve ?? ""] ?? 0;
    return { type: asymmetricKeyType, bits: bits === 0 && asymmetricKeyType === "ec" ? MIN_EC_BITS : bits };
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    return { type: "a kind that is not known here", bits: 0 }; // Which the runtime cannot use
  }
}

function judgeSignature(certificate: X509Certificate): Verdict {
  const { signatureAlgorithm = "" } = certificate as { readonly signatureAlgorithm?: string };
  if (!/sha-?1(?!\d)|md5/i.test(signatureAlgorithm)) {
    return ok(signatureAlgorithm === "" ? "not SHA-1" : signatureAlgorithm);
  }
  // Whoever trusts an authority's own certificate does not look at its signature.
  return certificate.issuer === certificate.subject && certificate.ca
    ? ok("of an authority itself")
    : error(`${shown(signatureAlgorithm)} (${nameIn(certificate.subject)}): clients refuse it`);
}

function isSelfIssued({ issuer, subject }: X509Certificate): boolean {
  return issuer === subject;
}

/** The common name in a distinguished name, or all of it. */
function nameIn(distinguishedName: string): string {
  return shown(/^CN=(.+)$/m.exec(distinguishedName)?.[1] ?? distinguishedName);
}

function formatDate(time: Date): string {
  return time.toISOString().slice(0, 10);
}
