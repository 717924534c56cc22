/**
 * Files and hosts that `tls.acme` of a configuration names.
 *
 * @module
 */

import { formatSocketAddress } from "../protocol/host_port.ts";
import type { Configuration } from "../settings/table.ts";

/** A configuration's settings of ACME. */
export type AcmeSettings = NonNullable<Configuration["tls"]["acme"]>;

/** The CA, and where it asks, as `host:port`. */
export function acmeHostsOf({ tls: { acme } }: Pick<Configuration, "tls">): string[] {
  if (acme === undefined) return [];
  const { hostname, port } = new URL(acme.directory);
  return [
    `${hostname}:${port === "" ? 443 : port}`,
    formatSocketAddress({ host: acme.httpHost, port: acme.httpPort }),
  ];
}

/** Files that are read. */
export function acmeFilesOf({ tls: { acme } }: Pick<Configuration, "tls">): string[] {
  if (acme === undefined) return [];
  const { storage, ca, externalAccount, secretFile } = acme;
  return [storage, ca, externalAccount?.keyFile, secretFile].filter((path) => path !== undefined);
}
