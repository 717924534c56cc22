/**
 * What the options of a server say that cannot be true together, though each value is sound. The library refuses it, and so
 * do a configuration file and the command line, whose settings come to the same options.
 *
 * @module
 */

import { type HostPort, ipFamily, sameHost } from "../protocol/host_port.ts";
import type { PortRange, TlsPolicy } from "./settings.ts";
import { errorAt, type Finding } from "./finding.ts";

/** What of a listener can contradict. */
interface ContradictableListener {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: "explicit" | "implicit";
}

/** What of a server's options can contradict. */
export interface ContradictableOptions {
  readonly listen?: readonly ContradictableListener[];
  readonly tls?: {
    readonly policy?: TlsPolicy;
    readonly minVersion?: string;
    readonly maxVersion?: string;
    readonly clientCertificates?: { readonly mode: "none" | "request" | "require" } | undefined;
  };
  readonly passive?: {
    readonly ports?: PortRange | undefined;
    readonly addresses?: Readonly<Record<string, string>>;
  };
}

/** Finds everything in a server's options that contradicts something else in them, defaults included. */
export function findOptionContradictions(options: ContradictableOptions): Finding[] {
  return [...inTls(options), ...inListeners(options), ...inPassive(options)];
}

function* inTls({ tls = {} }: ContradictableOptions): Generator<Finding> {
  const { policy = "required", minVersion = "TLSv1.2", maxVersion = "TLSv1.3", clientCertificates } = tls;
  if (minVersion > maxVersion) yield errorAt(["tls", "minVersion"], "is newer than tls.maxVersion");
  const { mode = "none" } = clientCertificates ?? {};
  // Where TLS is optional, clients would get around a certificate that is required by not using it.
  if ((policy === "off" && mode !== "none") || (policy === "optional" && mode === "require")) {
    yield errorAt(["tls", "clientCertificates", "mode"], `is ${mode}, but tls.policy is ${policy}`);
  }
}

function* inListeners({ listen, tls = {} }: ContradictableOptions): Generator<Finding> {
  if (listen?.length === 0) yield errorAt(["listen"], "has no entry; give at least one address");
  for (const [index, listener] of (listen ?? []).entries()) {
    const earlier = listen?.slice(0, index).findIndex((other) => overlap(addressOf(other), addressOf(listener))) ?? -1;
    if (earlier >= 0) {
      const { host, port } = addressOf(listener);
      yield errorAt(["listen", index], `${host} port ${port} is taken by listen[${earlier}]`);
    }
    if (listener.tls === "implicit" && tls.policy === "off") {
      yield errorAt(["listen", index, "tls"], "is implicit, but tls.policy is off");
    }
  }
}

function addressOf({ host = "127.0.0.1", port = 2121 }: ContradictableListener): HostPort {
  return { host, port };
}

/** Returns whether two listeners cannot be open at once: `::` takes all addresses, `0.0.0.0` those of IPv4. */
function overlap(one: HostPort, other: HostPort): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const hosts = [one.host, other.host];
  return sameHost(one.host, other.host) || hosts.some((host) => sameHost(host, "::")) ||
    (hosts.includes("0.0.0.0") && hosts.every((host) => ipFamily(host) === 4));
}

function* inPassive({ listen, passive = {} }: ContradictableOptions): Generator<Finding> {
  const { ports, addresses = {} } = passive;
  const locals = Object.keys(addresses);
  for (const [index, local] of locals.entries()) {
    const same = locals.slice(0, index).find((other) => sameHost(other, local));
    if (same !== undefined) yield errorAt(["passive", "addresses", local], `is the same address as ${same}`);
  }
  if (ports === undefined) return;
  for (const [index, listener] of (listen ?? [{}]).entries()) {
    const { port } = addressOf(listener);
    if (port < ports.from || port > ports.to) continue;
    // The default address has no entry.
    const path = listen === undefined ? ["passive", "ports"] : ["listen", index, "port"];
    yield errorAt(path, `port ${port} is listened on, and lies in passive.ports; choose another`);
  }
}
