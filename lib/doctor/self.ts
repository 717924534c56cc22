/**
 * What the server's own configuration says of how it is reached, for `ftpsd doctor --self`.
 *
 * @module
 */

import { ipFamily, sameHost } from "../protocol/host_port.ts";
import type { Configuration } from "../settings/table.ts";
import type { TlsMode } from "./facts.ts";

/** A listener, as it is reached from the host that it is on. */
export interface OwnListener {
  readonly host: string;
  readonly port: number;
  readonly mode: TlsMode;
  /** What PASV should announce; absent: the address that is dialled. */
  readonly expectedAddresses: readonly string[] | undefined;
}

/** A configuration, seen from its own host. */
export interface OwnServer {
  readonly listeners: readonly OwnListener[];
  /** What cannot be looked at from here, in whole sentences. */
  readonly unseen: readonly string[];
}

/**
 * Reads the listeners that can be reached from here, and what only clients from elsewhere can see.
 *
 * @param resolve Finds the addresses of `passive.address` where that is a name.
 */
export async function describeOwnServer(
  configuration: Configuration,
  resolve: (name: string) => Promise<readonly string[]>,
): Promise<OwnServer> {
  const { listen, passive } = configuration;
  const announced = passive.address === undefined
    ? undefined
    : ipFamily(passive.address) === undefined
    ? await resolve(passive.address)
    : [passive.address];
  const reached = listen.filter(({ port, proxyProtocol }) => port !== 0 && proxyProtocol === undefined);
  const listeners = reached.map(({ host, port, tls }) => {
    const dialled = dialledHost(host);
    const own = Object.entries(passive.addresses).find(([local]) => sameHost(local, dialled))?.[1];
    return { host: dialled, port, mode: tls, expectedAddresses: own === undefined ? announced : [own] };
  });
  return { listeners, unseen: unseenFromHere(configuration) };
}

/** A listener on all addresses is reached by loopback. */
function dialledHost(host: string): string {
  if (sameHost(host, "0.0.0.0")) return "127.0.0.1";
  return sameHost(host, "::") ? "::1" : host;
}

function unseenFromHere({ listen, passive }: Configuration): string[] {
  const lines: string[] = [];
  const behind = listen.filter(({ proxyProtocol }) => proxyProtocol !== undefined).map(({ port }) => port);
  if (behind.length > 0) lines.push(`port ${behind.join(", ")}: it takes connections of balancers only`);
  if (listen.some(({ port }) => port === 0)) {
    lines.push("a listener with port 0: the log of the server says which it has");
  }
  const beyond = listen.filter(({ host }) => !isLoopback(host)).map(({ port }) => port);
  if (beyond.length === 0 && behind.length === 0) return lines;
  lines.push(`whether firewalls and routers let clients through to port ${listen.map(({ port }) => port).join(", ")}`);
  const range = passive.announced ?? passive.ports;
  lines.push(
    range === undefined
      ? "whether they let them through to passive ports, which can be any: give a range (passive.ports)"
      : `whether they let them through to the passive ports ${range.from} to ${range.to}`,
  );
  if (passive.address !== undefined) {
    lines.push(`whether ${passive.address} (passive.address) leads clients to this host`);
  }
  lines.push("from another network: ftpsd doctor HOST --user NAME");
  return lines;
}

function isLoopback(host: string): boolean {
  return host.startsWith("127.") || sameHost(host, "::1") || host === "localhost";
}
