/**
 * What a server's options say about its TLS.
 *
 * @module
 */

import { certificateNames, createEphemeralCertificate } from "../transport/ephemeral_certificate.ts";
import { TlsContext, type TlsReplacement } from "../transport/tls_context.ts";
import { tryHandshake } from "../transport/trial_handshake.ts";
import { givenPair } from "./check_options.ts";
import type { FtpServerOptions } from "./options.ts";

/** Where a server listens that is told nothing else. */
export const LOOPBACK_HOST = "127.0.0.1";

/**
 * Makes what handshakes need, with a certificate in memory where none is given; `undefined` where there is no TLS.
 *
 * @throws {TypeError} When the pair cannot be used, or no handshake comes about with it.
 */
export async function createTls(options: FtpServerOptions): Promise<TlsContext | undefined> {
  const { listen = [{}], tls: { policy, clientCertificates, minVersion = "TLSv1.2", maxVersion = "TLSv1.3" } = {} } =
    options;
  if (policy === "off") return undefined;
  const given = givenPair(options);
  if (given !== undefined) await tryHandshake(given);
  const pair = given ??
    await createEphemeralCertificate({
      names: await certificateNames(listen.map(({ host }) => host ?? LOOPBACK_HOST)),
    });
  return new TlsContext({ ...pair, minVersion, maxVersion, ...clientCertificates && { clientCertificates } });
}

/** What of it can change while the server runs. */
export function tlsReplacement(options: FtpServerOptions): TlsReplacement {
  return { pair: givenPair(options), clientCertificates: options.tls?.clientCertificates };
}

/**
 * Makes a handshake with the pair of some options, unless the server has it already.
 *
 * @throws {TypeError} When none comes about.
 */
export async function tryOtherPair(options: FtpServerOptions, running: FtpServerOptions): Promise<void> {
  const pair = givenPair(options);
  const isSame = pair?.certificate === running.tls?.certificate && pair?.key === running.tls?.key;
  if (pair !== undefined && !isSame) await tryHandshake(pair);
}
