/**
 * What settings say that cannot be true together, though each value is sound. It is looked for in what results of a file and
 * the command line, and in what a program gives.
 *
 * @module
 */

import { type AccountSettings, homesOf } from "./account_rights.ts";
import { type HostPort, ipFamily, sameHost } from "../protocol/host_port.ts";
import { findSourceContradictions } from "./account_sources.ts";
import { HOOK_EVENTS } from "../hook_events.ts";
import { errorAt, type Finding } from "./finding.ts";
import { type PortRange, show } from "./forms.ts";
import { type KeyPath, valueAt } from "./key_path.ts";
import type { Settings } from "./settings.ts";
import type { Configuration } from "./table.ts";

/** What both kinds of settings have. */
type Contradictable = Pick<Settings, "listen" | "tls" | "passive">;

/**
 * Finds everything in a server's settings that contradicts something else in them.
 *
 * @param given The same before defaults were put in.
 */
export function findContradictions(settings: Contradictable, given: unknown): Finding[] {
  return [...inTls(settings), ...inListeners(settings), ...inPassive(settings, given)];
}

/** The same of a whole configuration. */
export function findConfigurationContradictions(configuration: Configuration, given: unknown): Finding[] {
  return [
    ...withoutTls(configuration, given),
    ...findContradictions(configuration, given),
    ...inAcme(configuration, given),
    ...inState(configuration),
    ...inAdmin(configuration, given),
    ...inSources(configuration),
    ...inHooks(configuration),
    ...findAccountContradictions(configuration, given),
    ...inCertificates(configuration),
    ...inCodes(configuration),
  ];
}

/** Nobody shows a certificate who is not asked; and one that is good for all members of a group is nobody's own. */
function* inCertificates({ users, groups, tls }: Configuration): Generator<Finding> {
  const { mode } = tls.clientCertificates;
  for (const [index, { certificates }] of users.entries()) {
    if (certificates === undefined || mode !== "none") continue;
    yield errorAt(["users", index, "certificates"], "is given, but tls.clientCertificates.mode is none");
  }
  for (const [name, { certificates }] of Object.entries(groups)) {
    if (certificates?.login !== "alone") continue;
    for (const [index, { subject = "", san = "" }] of certificates.match.entries()) {
      if (`${subject} ${san}`.includes("{name}")) continue;
      const path = ["groups", name, "certificates", "match", index];
      yield errorAt(path, "lets one certificate in as every member; put {name} into subject or san");
    }
  }
}

/** The accounts of a configuration, and what they name. */
type Accounts = Pick<Configuration, "users" | "anonymous" | "groups" | "stores">;

/** The same of accounts alone. */
export function findAccountContradictions(accounts: Accounts, given: unknown): Finding[] {
  return [...inAccounts(accounts), ...inHomes(accounts, given), ...inGroups(accounts)];
}

/** The secret of codes is in a file of its own, or in this one: the risk `plaintext-password`. */
function* inCodes({ users }: Accounts): Generator<Finding> {
  for (const [index, { totp }] of users.entries()) {
    if (totp === undefined) continue;
    const path = ["users", index, "totp", "secretFile"];
    const { secret, secretFile } = totp;
    if (secret === undefined && secretFile === undefined) {
      yield errorAt(path, "is missing; make one with: ftpsd user totp");
    } else if (secret !== undefined && secretFile !== undefined) yield errorAt(path, "is given beside secret");
  }
}

function* inTls({ tls }: Contradictable): Generator<Finding> {
  const { policy, certificate, key, minVersion, maxVersion, clientCertificates: { mode, ca, crl } } = tls;
  if (certificate !== undefined && key === undefined) {
    yield errorAt(["tls", "certificate"], "has no key; give tls.key too");
  }
  if (key !== undefined && certificate === undefined) {
    yield errorAt(["tls", "key"], "has no certificate; give tls.certificate too");
  }
  if (minVersion > maxVersion) yield errorAt(["tls", "minVersion"], "is newer than tls.maxVersion");
  const path = ["tls", "clientCertificates", "mode"];
  if (mode !== "none" && ca === undefined) yield errorAt(path, `is ${mode}, but ca names nobody who signs them`);
  if (crl !== undefined && ca === undefined) {
    yield errorAt(["tls", "clientCertificates", "crl"], "is given, but ca names nobody who has signed it");
  }
  // Where TLS is optional, clients would get around a certificate that is required by not using it.
  if ((policy === "off" && mode !== "none") || (policy === "optional" && mode === "require")) {
    yield errorAt(path, `is ${mode}, but tls.policy is ${policy}`);
  }
}

/** A program may switch TLS off and leave the rest; who writes a file or a command line expects something of it. */
function* withoutTls({ tls: { policy } }: Configuration, given: unknown): Generator<Finding> {
  if (policy !== "off") return;
  for (const part of ["certificate", "acme", "sessionReuse"]) {
    const path = ["tls", part];
    if (valueAt(given, path) !== undefined) yield errorAt(path, "is given, but tls.policy is off");
  }
}

function* inListeners({ listen, tls }: Contradictable): Generator<Finding> {
  for (const [index, listener] of listen.entries()) {
    const earlier = listen.slice(0, index).findIndex((other) => overlap(other, listener));
    if (earlier >= 0) {
      yield errorAt(["listen", index], `${listener.host} port ${listener.port} is taken by listen[${earlier}]`);
    }
    if (listener.tls === "implicit" && tls.policy === "off") {
      yield errorAt(["listen", index, "tls"], "is implicit, but tls.policy is off");
    }
  }
}

/** Returns whether two listeners cannot be open at once: `::` takes all addresses, `0.0.0.0` those of IPv4. */
function overlap(one: HostPort, other: HostPort): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const hosts = [one.host, other.host];
  return sameHost(one.host, other.host) || hosts.some((host) => sameHost(host, "::")) ||
    (hosts.includes("0.0.0.0") && hosts.every((host) => ipFamily(host) === 4));
}

function* inPassive(
  { listen, passive: { ports, announced } }: Contradictable,
  given: unknown,
): Generator<Finding> {
  if (announced !== undefined && ports === undefined) {
    yield errorAt(["passive", "announced"], "has no ports to stand for; give passive.ports too");
  }
  if (ports === undefined) return;
  if (announced !== undefined && sizeOf(announced) !== sizeOf(ports)) {
    yield errorAt(
      ["passive", "announced"],
      `has ${sizeOf(announced)} ports, but passive.ports has ${sizeOf(ports)}; each stands for one`,
    );
  }
  for (const [index, { port }] of listen.entries()) {
    if (port < ports.from || port > ports.to) continue;
    // The default address has no entry.
    const path = valueAt(given, ["listen"]) === undefined ? ["passive", "ports"] : ["listen", index, "port"];
    yield errorAt(path, `port ${port} is listened on, and lies in passive.ports; choose another`);
  }
}

function* inAdmin({ admin, tls }: Configuration, given: unknown): Generator<Finding> {
  if (admin === undefined) return;
  if (admin.unix === undefined && admin.tokenFile === undefined) {
    yield errorAt(["admin", "tokenFile"], "is missing; give a file");
  }
  if (admin.tls && tls.certificate === undefined && tls.acme === undefined) {
    yield errorAt(["admin", "tls"], "needs a certificate; give tls.certificate, or tls.acme");
  }
  for (const key of admin.unix === undefined ? [] : ["host", "port", "tls"]) {
    if (valueAt(given, ["admin", key]) !== undefined) yield errorAt(["admin", key], "is given beside admin.unix");
  }
}

function* inAcme({ tls, listen, passive, metrics, admin, state }: Configuration, given: unknown): Generator<Finding> {
  const { acme } = tls;
  if (acme === undefined) return;
  const at = ["tls", "acme"];
  for (const key of ["certificate", "key"] as const) {
    if (tls[key] !== undefined) yield errorAt(["tls", key], "is given beside tls.acme; leave out one of both");
  }
  const isShared = state.type === "postgres";
  if (isShared && acme.secretFile === undefined) {
    yield errorAt(
      [...at, "secretFile"],
      "is missing; give a file that all nodes have, such as of: openssl rand -hex 32",
    );
  }
  if (!isShared && acme.secretFile !== undefined) {
    yield errorAt([...at, "secretFile"], `is given, but state.type is ${state.type}`);
  }
  const port = acme.httpPort;
  if (port === 0) yield errorAt([...at, "httpPort"], "is 0, but the CA has to find it");
  const path = valueAt(given, [...at, "httpPort"]) === undefined ? at : [...at, "httpPort"];
  const place = { host: acme.httpHost, port };
  const others = [
    ...listen.map((listener, index) => ({ ...listener, name: `listen[${index}]` })),
    ...metrics === undefined ? [] : [{ ...metrics, name: "metrics" }],
    ...admin === undefined || admin.unix !== undefined ? [] : [{ ...admin, name: "admin" }],
  ];
  for (const { name, ...other } of others) {
    if (overlap(place, other)) yield errorAt(path, `port ${port} of the CA's questions is taken by ${name}`);
  }
  if (passive.ports !== undefined && port >= passive.ports.from && port <= passive.ports.to) {
    yield errorAt(path, `port ${port} of the CA's questions lies in passive.ports; choose another`);
  }
}

function* inState({ state: { type, file, urlFile, directUrlFile, ca } }: Configuration): Generator<Finding> {
  if (type === "postgres" && urlFile === undefined) yield errorAt(["state", "urlFile"], "is missing; give a file");
  for (const [key, value] of Object.entries({ urlFile, directUrlFile, ca })) {
    if (type !== "postgres" && value !== undefined) {
      yield errorAt(["state", key], `is given, but state.type is ${type}`);
    }
  }
  if (type === "sqlite" && file === undefined) yield errorAt(["state", "file"], "is missing; give a file");
  if (type !== "sqlite" && file !== undefined) yield errorAt(["state", "file"], `is given, but state.type is ${type}`);
}

function sizeOf({ from, to }: PortRange): number {
  return to - from + 1;
}

function* inHooks({ hooks, state }: Configuration): Generator<Finding> {
  if (hooks === undefined) return;
  if (HOOK_EVENTS.every((name) => hooks[name] === undefined)) {
    yield errorAt(["hooks"], `has no hook; give one of ${HOOK_EVENTS.join(", ")}`);
  }
  if (hooks.queue === state.file) yield errorAt(["hooks", "queue"], "is the file of the state; give another one");
}

function* inSources(configuration: Configuration): Generator<Finding> {
  const { accounts, users, anonymous } = configuration;
  for (const [index, source] of accounts.entries()) {
    const at = ["accounts", index];
    if (source.type === "file") {
      if (accounts.findIndex(({ type }) => type === "file") < index) {
        yield errorAt([...at, "type"], "file is given twice");
      }
    }
    yield* findSourceContradictions(source, at, configuration);
  }
  const isFileAsked = accounts.some(({ type }) => type === "file");
  for (const [key, isGiven] of [["users", users.length > 0], ["anonymous", anonymous !== undefined]] as const) {
    if (!isFileAsked && isGiven) yield errorAt([key], "is given, but accounts has no entry of type file");
  }
  if (isFileAsked && accounts.length === 1 && users.length === 0 && anonymous === undefined) {
    yield errorAt([], "nobody can log in; give users or anonymous");
  }
}

function* inAccounts({ users, anonymous }: Accounts): Generator<Finding> {
  const names = new Set<string>();
  for (const [index, { name, overrides }] of users.entries()) {
    const path = ["users", index, "name"];
    if (names.has(name)) yield errorAt(path, `user ${show(name)} is given twice`);
    names.add(name);
    if (name === "anonymous") yield errorAt(path, "is anonymous; use the key anonymous for that account");
    yield* pathsGivenTwice(["users", index, "overrides"], overrides);
  }
  yield* pathsGivenTwice(["anonymous", "overrides"], anonymous?.overrides ?? []);
}

function* inGroups({ users, groups }: Accounts): Generator<Finding> {
  const names = Object.keys(groups);
  const known = names.length === 0 ? "there are none" : `known are ${names.join(", ")}`;
  for (const [index, user] of users.entries()) {
    for (const [place, name] of user.groups.entries()) {
      const path = ["users", index, "groups", place];
      if (!Object.hasOwn(groups, name)) yield errorAt(path, `${show(name)} is not one of groups; ${known}`);
      else if (user.groups.indexOf(name) < place) yield errorAt(path, `${show(name)} is given twice`);
    }
  }
}

function* inHomes({ users, anonymous, stores }: Accounts, given: unknown): Generator<Finding> {
  const accounts = [
    ...users.map((account, index) => ({ account, at: ["users", index] })),
    ...anonymous === undefined ? [] : [{ account: anonymous, at: ["anonymous"] }],
  ];
  for (const { account, at } of accounts) {
    for (const { home, key } of homesOf(account)) {
      if (typeof home === "string" || Object.hasOwn(stores, home.store)) continue;
      const names = Object.keys(stores);
      const known = names.length === 0 ? "there are none" : `known are ${names.join(", ")}`;
      yield errorAt([...at, ...key, "store"], `${show(home.store)} is not one of stores; ${known}`);
    }
    yield* pathsGivenTwice([...at, "mounts"], account.mounts);
    if (account.dropBox) yield* besideDropBox(at, account, given);
  }
}

/** Who gives rights expects something of them. */
function* besideDropBox(at: KeyPath, { mounts }: AccountSettings, given: unknown): Generator<Finding> {
  const keys = [["permissions"], ["overrides"], ...mounts.map((_, index) => ["mounts", index, "permissions"])];
  for (const key of keys) {
    const path = [...at, ...key];
    if (valueAt(given, path) !== undefined) {
      yield errorAt(path, "is given, but dropBox decides what the account may do");
    }
  }
}

function* pathsGivenTwice(at: KeyPath, entries: readonly { readonly path: string }[]): Generator<Finding> {
  const paths = new Set<string>();
  for (const [index, { path }] of entries.entries()) {
    if (paths.has(path)) yield errorAt([...at, index, "path"], `${show(path)} is given twice`);
    paths.add(path);
  }
}
