/**
 * A certificate to begin with, until there is one of a CA.
 *
 * @module
 */

import { createEphemeralCertificate } from "../transport/ephemeral_certificate.ts";
import type { CertificatePair } from "../transport/certificate_pair.ts";
import { type CertificateInfo, describeCertificate } from "../transport/tls_context.ts";

/** A new pair, and what is to be known about it. */
export interface DevelopmentCertificate extends CertificatePair {
  readonly info: CertificateInfo;
}

/** Names that every development certificate has. */
const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "::1"] as const;

/**
 * Makes a self-signed ECDSA P-256 pair in memory, for this host's loopback names and those given.
 *
 * @param options.names DNS names and IP addresses; the first is the subject's common name.
 */
export async function createDevelopmentCertificate(
  options: { readonly names: readonly string[]; readonly validForDays: number },
): Promise<DevelopmentCertificate> {
  const names = [...new Set([...options.names, ...LOOPBACK_NAMES])];
  const pair = await createEphemeralCertificate({ names, validForDays: options.validForDays });
  return { ...pair, info: describeCertificate(pair) };
}
