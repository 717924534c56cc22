/**
 * What is doubtful about the addresses, the ports and the TLS sessions of a configuration.
 *
 * @module
 */

import { isInRange, parseAddressRange } from "../protocol/address_range.ts";
import { formatGroups, ipFamily, sameHost } from "../protocol/host_port.ts";
import type { KeyPath } from "../settings/key_path.ts";
import type { Configuration } from "../settings/table.ts";
import type { Finding } from "../settings/finding.ts";

/** Ports whose traffic routers and firewalls look into: helpers for SIP and IRC rewrite it or drop it. */
const DOUBTFUL_PORTS = [5060, 5061, 6667] as const;

/** Passive ports for each control connection at once, with fewer of which clients may find none free. */
const PORTS_A_CONNECTION = 2;
/** Passive ports that are enough whatever the limit on connections is, because few of them transfer at once. */
const ENOUGH_PORTS = 100;

/** IPv4 addresses that only mean something inside a network (RFC 1918, RFC 6598, RFC 3927, RFC 1122). */
const PRIVATE_NETWORKS = [
  /^10\./,
  /^172\.(?:1[6-9]|2\d|3[01])\./,
  /^192\.168\./,
  /^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
  /^169\.254\./,
  /^127\./,
  /^0\./,
];

/** Finds what is doubtful; nothing of it stops the server. */
export function findNetworkWarnings(configuration: Configuration): Finding[] {
  return [
    ...passiveAddressWarnings(configuration),
    ...passivePortWarnings(configuration),
    ...sessionReuseWarnings(configuration),
    ...proxyWarnings(configuration),
  ];
}

/**
 * What `sessionReuse: require` costs. The runtime resumes sessions by tickets only, since its cache of session ids is a
 * new one for each connection; and a ticket holds in the event loop that gave it.
 */
function sessionReuseWarnings({ tls, workers }: Configuration): Finding[] {
  if (tls.sessionReuse !== "require") return [];
  const clients = "TLS 1.2 clients without session tickets (curl 7, Java)";
  return [
    ...tls.minVersion === "TLSv1.3" ? [] : [warning(
      ["tls", "sessionReuse"],
      `${clients} get 522 for every transfer; let them use TLS 1.3, or set allow`,
    )],
    ...typeof workers !== "number" || workers === 1 ? [] : [warning(
      ["workers"],
      `${workers} has no effect: one event loop serves with tls.sessionReuse require, whose sessions no other can resume`,
    )],
  ];
}

/** What balancers cannot do for a server, and lists of them that nobody is on. */
function* proxyWarnings({ listen, active }: Configuration): Generator<Finding> {
  for (const [index, { host, proxyProtocol }] of listen.entries()) {
    if (proxyProtocol === undefined) continue;
    const path = ["listen", index, "proxyProtocol"];
    if (!proxyProtocol.some((network) => mayReach(network, host))) {
      yield warning(path, `lists no address that can connect to ${host}: everybody is refused`);
    }
    if (active.enabled) {
      yield warning(
        ["active", "enabled"],
        `the server dials clients of listen[${index}] by itself, past the balancer: many take no connection from ` +
          "another address; let them use passive mode",
      );
    }
  }
}

/** Returns whether anybody of a network can connect to a host that is listened on. */
function mayReach(network: string, host: string): boolean {
  const range = parseAddressRange(network);
  if (range === undefined) return false;
  // A network is in another one, or has it in itself.
  const isOfFamily = range.family === ipFamily(host);
  if (isLoopback(host)) return isInRange(host, range) || (isOfFamily && isLoopback(formatGroups(range.groups)));
  return isOfFamily || sameHost(host, "::"); // IPv4 comes to `::`, too
}

function* passiveAddressWarnings({ listen, passive: { address, addresses } }: Configuration): Generator<Finding> {
  const outside = listen.map(({ host }) => host).find(isOpenToAll);
  if (address !== undefined && isPrivate(address) && outside !== undefined) {
    yield warning(
      ["passive", "address"],
      `${address} is private: clients from outside, as on ${outside}, cannot reach it`,
    );
  }
  for (const [local, announced] of Object.entries(addresses)) {
    if (isPrivate(announced) && !isPrivate(local) && !isLoopback(local)) {
      yield warning(["passive", "addresses", local], `${announced} is private, but ${local} is public`);
    }
  }
}

function* passivePortWarnings(
  { passive: { ports, announced }, limits: { connections }, listen }: Configuration,
): Generator<Finding> {
  const path = ["passive", "ports"];
  if (ports === undefined) {
    if (listen.some(({ host, proxyProtocol }) => !isLoopback(host) || proxyProtocol !== undefined)) {
      yield warning(path, "is not given: any port is used, and no firewall can let through just those; give a range");
    }
    return;
  }
  for (const [key, { from, to }] of Object.entries({ ports, ...announced && { announced } })) {
    const doubtful = DOUBTFUL_PORTS.filter((port) => port >= from && port <= to);
    if (doubtful.length === 0) continue;
    yield warning(["passive", key], `has ${doubtful.join(", ")}, which routers take for SIP or IRC; choose others`);
  }
  const count = ports.to - ports.from + 1;
  const wanted = connections === 0 ? ENOUGH_PORTS : Math.min(connections * PORTS_A_CONNECTION, ENOUGH_PORTS);
  if (count < wanted) {
    const most = connections === 0 ? "any number of" : `up to ${connections}`;
    yield warning(path, `has ${count} ports for ${most} connections; when all are in use, transfers fail (425)`);
  }
}

/** Returns whether clients may come over IPv4 from outside a network of its own: PASV announces nothing over IPv6. */
function isOpenToAll(host: string): boolean {
  return (ipFamily(host) === 4 && !isPrivate(host)) || sameHost(host, "::");
}

/** IPv4 `0.0.0.0` counts as public: the addresses that it means are not known here. */
function isPrivate(host: string): boolean {
  return host !== "0.0.0.0" && PRIVATE_NETWORKS.some((network) => network.test(host));
}

function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1";
}

function warning(path: KeyPath, message: string): Finding {
  return { severity: "warning", path, message };
}
