/**
 * What the log says when the server has started, how it is set up and how to connect, and who is connected.
 *
 * @module
 */

import type { Totals } from "../admin/gauges.ts";
import { accountsOf, mayWrite, type PlacedAccount } from "../check/account_findings.ts";
import { shellWord } from "../check/exit_error.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import type { Service } from "../serve/service.ts";
import type { ShutdownOptions } from "../server/ftp_server.ts";
import type { SessionInfo } from "../session/session.ts";
import type { Configuration } from "../settings/table.ts";
import type { LoadedConfiguration } from "../check/inspection.ts";
import { isAbsolute } from "node:path";

/** Describes a server that has just started: what is shared, with whom, how to connect, and how to stop it. */
export function describeStart(loaded: LoadedConfiguration, server: Service): string[] {
  const { configuration } = loaded;
  const { passive } = configuration;
  return [
    ...accountLines(loaded, server),
    ...reachLines(loaded, server),
    [
      `pid ${Deno.pid}, ${server.workers === 1 ? "one event loop" : `${server.workers} event loops`}`,
      `passive ports: ${passive.ports ? `${passive.ports.from}-${passive.ports.to}` : "any"}`,
      `masquerade (NAT) address: ${passive.address ?? "none"}`,
    ].join("; "),
    ...server.metrics === undefined ? [] : [`metrics: http://${formatSocketAddress(server.metrics)}/metrics`],
    ...howToConnect(configuration, server),
    signalLine(),
  ];
}

/** Says how long what takes. */
export function describeShutdown({ drainMs, graceMs }: Required<ShutdownOptions>): string {
  const drain = drainMs === 0 ? "" : `balancers have ${drainMs / 1000} s to notice, then `;
  return `${drain}running transfers have ${graceMs / 1000} s to end`;
}

/** Homes are named where they are few. */
function accountLines({ configuration }: LoadedConfiguration, server: Service): string[] {
  const accounts = accountsOf(configuration).map(({ account }) => account);
  const writers = accounts.filter(mayWrite).length;
  if (accounts.length > MAX_ACCOUNT_LINES) return [`${accounts.length} accounts, ${writers} of which may write`];
  const anybody = isLocal(server) ? "anybody on this host" : "anybody who can connect";
  return accounts.map((account) => {
    const rights = mayWrite(account) ? "reading and writing" : "reading";
    const name = "name" in account ? account.name : `${anybody} (user anonymous, any password)`;
    return `sharing ${describeHome(account.home)} for ${rights} with ${name}`;
  });
}

const MAX_ACCOUNT_LINES = 3;

/** Whoever starts a server for the first time may wonder why nobody else gets in. */
function reachLines({ file }: LoadedConfiguration, server: Service): string[] {
  if (!isLocal(server)) return [];
  const remedy = file === undefined ? "--interface 0.0.0.0" : "listen: [{ host: 0.0.0.0 }]";
  return [`only this host can connect; ${remedy} lets others in`];
}

function isLocal({ addresses }: Service): boolean {
  return addresses.every(({ host }) => host.startsWith("127.") || host === "::1");
}

/** The path of a folder that was given as seen from here, as far as Deno permits to tell. */
function describeHome(home: PlacedAccount["account"]["home"]): string {
  if (typeof home !== "string") return `${home.path} in store ${home.store}`;
  if (isAbsolute(home)) return home;
  try {
    return Deno.realPathSync(home);
  } catch {
    return home; // What was typed says it, too.
  }
}

function signalLine(): string {
  if (Deno.build.os === "windows") return "Ctrl-C stops";
  return `Ctrl-C stops; kill -USR2 ${Deno.pid} logs who is connected, kill -HUP ${Deno.pid} reads the configuration again`;
}

function howToConnect({ users, anonymous, tls }: Configuration, server: Service): string[] {
  const { certificate, addresses } = server;
  const first = addresses.find(({ tls }) => tls !== "implicit") ?? addresses[0];
  if (first === undefined) return [];
  const scheme = first.tls === "implicit" ? "ftps" : "ftp";
  const target = `${scheme}://${formatSocketAddress({ host: reachable(first.host), port: first.port })}`;
  const account = anonymous === undefined ? users[0]?.name : undefined;
  // Both programs ask for the password themselves.
  const user = account === undefined ? "" : `-u ${shellWord(account)} `;
  if (certificate === undefined) return [`curl: curl ${user}${target}/`];
  const [name] = certificate.selfSigned ? [] : tls.acme?.domains ?? [];
  if (name !== undefined) {
    return [
      `certificate: for ${certificate.names.join(", ")}, valid to ${certificate.validTo.toISOString()}`,
      `curl: curl --ssl-reqd ${user}${scheme}://${formatSocketAddress({ host: name, port: first.port })}/`,
    ];
  }
  return [
    `certificate: SHA-256 fingerprint ${certificate.fingerprint}, valid to ${certificate.validTo.toISOString()}`,
    `curl: curl --ssl-reqd -k --pinnedpubkey 'sha256//${certificate.publicKeyPin}' ${user}${target}/`,
    `lftp: lftp -e '${lftpSettings(certificate.sha1Fingerprint)}' ${user}${target}`,
  ];
}

/** lftp sends anonymous logins in clear unless told otherwise. */
function lftpSettings(fingerprint: string): string {
  return `set ssl:verify-certificate/${fingerprint} no; set ftp:ssl-force yes; set ftp:ssl-allow-anonymous yes`;
}

/** An address that a client on this host can use. */
function reachable(host: string): string {
  return host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
}

/** Describes sessions: how many there are, and then each of them, the oldest first. */
export function describeSessions(sessions: readonly SessionInfo[], now: Date): string[] {
  const transfers = sessions.filter(({ transfer }) => transfer !== undefined).length;
  const oldestFirst = sessions.toSorted((one, other) => one.since.getTime() - other.since.getTime());
  return [
    `${counted(sessions.length, "session")}, ${counted(transfers, "transfer")}`,
    ...oldestFirst.map((session) => describeSession(session, now)),
  ];
}

/** Describes what has happened since the start. */
export function describeTotals({ logins, loginsFailed, transfers, incomplete, received, sent }: Totals): string {
  return `since the start: logins ${logins}, failed ${loginsFailed}; transfers ${transfers}, cut ${incomplete}; ` +
    `bytes received ${received}, sent ${sent}`;
}

function describeSession(info: SessionInfo, now: Date): string {
  const { session, remote, username, isLoggedIn, tls, since, transfer } = info;
  const seconds = Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000));
  const facts = [
    `session ${session}`,
    tls ?? "in clear",
    `for ${seconds} s`,
    ...isLoggedIn ? [] : ["not logged in"],
    ...transfer === undefined
      ? []
      : [`${transfer.command} ${transfer.path} bytes=${transfer.bytes} seconds=${transfer.seconds.toFixed(3)}`],
  ];
  return `${remote}-[${username ?? ""}] ${facts.join(", ")}`;
}

function counted(count: number, what: string): string {
  return `${count === 0 ? "no" : count} ${what}${count === 1 ? "" : "s"}`;
}
