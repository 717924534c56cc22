/**
 * The Deno permissions that a configuration needs, and no more.
 *
 * @module
 */

import { formatSocketAddress } from "../protocol/host_port.ts";
import type { PortRange } from "../settings/forms.ts";
import { hostHomesOf, mayWrite } from "./account_findings.ts";
import type { Configuration } from "../settings/table.ts";

/** Permissions by kind, as the values of `--allow-net`, `--allow-read` and `--allow-write`. */
export interface PermissionNeeds {
  /** `host:port`, or a host where any port may be needed; none where any host may be, which active mode dials. */
  readonly net: readonly string[];
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** Ports that are listed one by one. A list of 1,000 costs a tenth of a second at start. */
const MAX_PORT_LIST = 2_000;

/**
 * Finds what a configuration needs.
 *
 * @param file The configuration file, which is read again on SIGHUP; absent where there is none.
 * @param program Folder that workers are loaded from; absent where that needs no permission.
 */
export function findPermissionNeeds(configuration: Configuration, file?: string, program?: string): PermissionNeeds {
  const { tls, log, workers } = configuration;
  const homes = hostHomesOf(configuration);
  const loadedFrom = typeof workers === "number" && workers > 1 ? program : undefined;
  const files = [file, tls.certificate, tls.key, tls.clientCertificates.ca, loadedFrom];
  const written = homes.filter(({ account }) => mayWrite(account));
  return {
    net: netNeeds(configuration),
    read: distinct([...files.filter((path) => path !== undefined), ...homes.map(({ folder }) => folder)]),
    write: distinct([...written.map(({ folder }) => folder), ...log.transfers === undefined ? [] : [log.transfers]]),
  };
}

/** Listening addresses and, on each of their hosts, the passive ports. */
function netNeeds({ listen, passive: { ports }, active }: Configuration): string[] {
  // It dials any port of any client.
  if (active.enabled) return [];
  const addresses = listen.map(({ host, port }) => ({ host, port }));
  const passivePorts = ports === undefined ? undefined : portsOf(ports);
  if (
    passivePorts === undefined || passivePorts.length > MAX_PORT_LIST || addresses.some(({ port }) => port === 0)
  ) {
    return distinct(addresses.map(({ host }) => host.includes(":") ? `[${host}]` : host));
  }
  const all = [...addresses, ...addresses.flatMap(({ host }) => passivePorts.map((port) => ({ host, port })))];
  return distinct(all.map(formatSocketAddress));
}

function portsOf({ from, to }: PortRange): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Writes the needs as flags of `deno run`. */
export function formatPermissionFlags({ net, read, write }: PermissionNeeds): string[] {
  return [
    net.length === 0 ? "--allow-net" : `--allow-net=${net.join(",")}`,
    ...read.length === 0 ? [] : [`--allow-read=${distinct(read.map(grantable)).join(",")}`],
    ...write.length === 0 ? [] : [`--allow-write=${distinct(write.map(grantable)).join(",")}`],
  ];
}

/** Deno takes each comma for the end of a path; where there is one, only the folder above it can be granted. */
function grantable(path: string): string {
  const [whole = "", ...more] = path.split(",");
  if (more.length === 0) return path;
  const folder = whole.slice(0, Math.max(whole.lastIndexOf("/"), whole.lastIndexOf("\\")));
  return folder === "" || folder.endsWith(":") ? whole.slice(0, folder.length + 1) : folder;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
