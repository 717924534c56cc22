/**
 * What a configuration says that cannot be true together, though each value is sound.
 *
 * @module
 */

import type { PermissionOverride } from "../auth/permission_override.ts";
import { changedCommands } from "../commands/command_changes.ts";
import { type HostPort, ipFamily, sameHost } from "../protocol/host_port.ts";
import type { KeyPath } from "./problem.ts";
import type { ConfigurationFile } from "./schema.ts";
import { show } from "./value_forms.ts";

/** A contradiction and where it stands. */
export interface Contradiction {
  readonly path: KeyPath;
  readonly message: string;
}

/** Finds everything in the file that contradicts something else in it. */
export function findContradictions(file: ConfigurationFile): Contradiction[] {
  return [...inTls(file), ...inListeners(file), ...inPassive(file), ...inCommands(file), ...inAccounts(file)];
}

function* inCommands({ commands = {} }: ConfigurationFile): Generator<Contradiction> {
  for (const [index, verb] of (commands.disabled ?? []).entries()) {
    try {
      changedCommands({ disabled: [verb] });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      yield { path: ["commands", "disabled", index], message: error.message };
    }
  }
}

function* inTls({ tls = {} }: ConfigurationFile): Generator<Contradiction> {
  const { certificate, key, clientCertificates = {} } = tls;
  if (certificate !== undefined && key === undefined) {
    yield { path: ["tls", "certificate"], message: "has no key; give tls.key too" };
  }
  if (key !== undefined && certificate === undefined) {
    yield { path: ["tls", "key"], message: "has no certificate; give tls.certificate too" };
  }
  if ((tls.minVersion ?? "TLSv1.2") > (tls.maxVersion ?? "TLSv1.3")) {
    yield { path: ["tls", "minVersion"], message: "is newer than tls.maxVersion" };
  }
  const mode = clientCertificates.mode ?? "none";
  if (mode !== "none" && clientCertificates.ca === undefined) {
    yield { path: ["tls", "clientCertificates", "mode"], message: `is ${mode}, but ca names nobody who signs them` };
  }
  if (tls.policy === "off") {
    for (const part of ["certificate", "sessionReuse"] as const) {
      if (tls[part] !== undefined) yield { path: ["tls", part], message: "is given, but tls.policy is off" };
    }
    if (mode !== "none") {
      yield { path: ["tls", "clientCertificates", "mode"], message: `is ${mode}, but tls.policy is off` };
    }
  }
}

function* inListeners({ listen = [], tls = {} }: ConfigurationFile): Generator<Contradiction> {
  for (const [index, listener] of listen.entries()) {
    const earlier = listen.slice(0, index).findIndex((other) => overlap(addressOf(other), addressOf(listener)));
    if (earlier >= 0) {
      const { host, port } = addressOf(listener);
      yield { path: ["listen", index], message: `${host} port ${port} is taken by listen[${earlier}]` };
    }
    if (listener.tls === "implicit" && tls.policy === "off") {
      yield { path: ["listen", index, "tls"], message: "is implicit, but tls.policy is off" };
    }
  }
}

type Listener = NonNullable<ConfigurationFile["listen"]>[number];

function addressOf({ host = "127.0.0.1", port = 2121 }: Listener): HostPort {
  return { host, port };
}

/** Tells whether two listeners cannot be open at once: `::` takes all addresses, `0.0.0.0` those of IPv4. */
function overlap(one: HostPort, other: HostPort): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const hosts = [one.host, other.host];
  return sameHost(one.host, other.host) || hosts.some((host) => sameHost(host, "::")) ||
    (hosts.includes("0.0.0.0") && hosts.every((host) => ipFamily(host) === 4));
}

function* inPassive({ listen, passive = {} }: ConfigurationFile): Generator<Contradiction> {
  const { ports } = passive;
  if (ports === undefined) return;
  for (const [index, listener] of (listen ?? [{}]).entries()) {
    const { port } = addressOf(listener);
    if (port < ports.from || port > ports.to) continue;
    // The default address has no line.
    const path = listen === undefined ? ["passive", "ports"] : ["listen", index, "port"];
    yield { path, message: `port ${port} is listened on, and lies in passive.ports; choose another` };
  }
}

function* inAccounts({ users = [], anonymous }: ConfigurationFile): Generator<Contradiction> {
  const names = new Set<string>();
  for (const [index, { name, overrides }] of users.entries()) {
    if (names.has(name)) yield { path: ["users", index, "name"], message: `user ${show(name)} is given twice` };
    names.add(name);
    if (name === "anonymous") {
      yield { path: ["users", index, "name"], message: "is anonymous; use the key anonymous for that account" };
    }
    yield* inOverrides(["users", index, "overrides"], overrides);
  }
  yield* inOverrides(["anonymous", "overrides"], anonymous?.overrides);
  if (users.length === 0 && anonymous === undefined) {
    yield { path: [], message: "nobody can log in; give users or anonymous" };
  }
}

function* inOverrides(at: KeyPath, overrides: readonly PermissionOverride[] = []): Generator<Contradiction> {
  const paths = new Set<string>();
  for (const [index, { path }] of overrides.entries()) {
    if (paths.has(path)) yield { path: [...at, index, "path"], message: `${show(path)} is given twice` };
    paths.add(path);
  }
}
