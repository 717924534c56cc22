/**
 * Changes of what PEM files hold, without a change of the configuration.
 *
 * @module
 */

import type { FtpServerOptions } from "../server/options.ts";
import type { PemChange } from "./worker_messages.ts";

/** Puts another certificate, or other revocation lists, into a server's options; all else stays as it is. */
export function withPem(options: FtpServerOptions, change: PemChange): FtpServerOptions {
  const { tls } = options;
  if ("pair" in change) {
    const { certificate, key } = change.pair;
    return { ...options, tls: { ...tls, certificate, key } };
  }
  return { ...options, tls: { ...tls, clientCertificates: { ...tls?.clientCertificates, crl: change.crl } } };
}
