/**
 * What a server's settings say about its TLS.
 *
 * @module
 */

import type { Settings } from "../settings/settings.ts";
import type { CertificatePair } from "../transport/certificate_pair.ts";
import { certificateNames, createEphemeralCertificate } from "../transport/ephemeral_certificate.ts";
import {
  type CertificateInfo,
  describeCertificate,
  TlsContext,
  type TlsReplacement,
} from "../transport/tls_context.ts";
import { tryHandshake } from "../transport/trial_handshake.ts";
import { clientCertificatesOf, pairOf } from "./options.ts";

/**
 * Makes what handshakes need, with a certificate in memory where none is given; `undefined` where there is no TLS.
 *
 * @throws {TypeError} When the pair cannot be used, or no handshake comes about with it.
 */
export async function createTls(settings: Settings): Promise<TlsContext | undefined> {
  const { listen, tls: { policy, minVersion, maxVersion } } = settings;
  if (policy === "off") return undefined;
  const given = pairOf(settings);
  if (given !== undefined) await tryHandshake(given);
  const pair = given ??
    await createEphemeralCertificate({ names: await certificateNames(listen.map(({ host }) => host)) });
  const clientCertificates = clientCertificatesOf(settings);
  return new TlsContext({ ...pair, minVersion, maxVersion, ...clientCertificates && { clientCertificates } });
}

/** What of it can change while the server runs. */
export function tlsReplacement(settings: Settings): TlsReplacement {
  return { pair: pairOf(settings), clientCertificates: clientCertificatesOf(settings) };
}

/**
 * Makes a handshake with the pair of some settings, unless the server has it already.
 *
 * @throws {TypeError} When none comes about.
 */
export async function tryOtherPair(settings: Settings, { tls: running }: Settings): Promise<void> {
  const pair = pairOf(settings);
  const isSame = pair?.certificate === running.certificate && pair?.key === running.key;
  if (pair !== undefined && !isSame) await tryHandshake(pair);
}

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
