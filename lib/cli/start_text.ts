/**
 * What the log says when the server has started: how it is set up, and how to connect.
 *
 * @module
 */

import { hasWritePermission } from "../auth/permission.ts";
import { accountsOf } from "../config/account_findings.ts";
import type { Configuration } from "../config/configuration.ts";
import type { LogLevel } from "../logger.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import type { ConfiguredServer } from "./configured_server.ts";
import type { LoadedConfiguration } from "./load_configuration.ts";
import { shellWord } from "./shell_word.ts";

/** A line for the log. */
export interface StartLine {
  readonly level: LogLevel;
  readonly text: string;
}

/** Describes a server that has just started, in pyftpdlib's order. */
export function describeStart({ configuration, settings }: LoadedConfiguration, server: ConfiguredServer): StartLine[] {
  const { passive } = configuration.server;
  const facts = [
    `pid: ${Deno.pid}`,
    `concurrency model: async, ${server.workers === 1 ? "one event loop" : `${server.workers} event loops`}`,
    `masquerade (NAT) address: ${passive?.address ?? "None"}`,
    `passive ports: ${passive?.ports ? `${passive.ports.from}->${passive.ports.to}` : "None"}`,
    ...accountLines(configuration),
    ...howToConnect(configuration, server),
  ];
  const { user } = settings;
  const warnings = user !== undefined && "text" in user.password
    ? ["the password stands on the command line, where others on this host can see it; use --password-file"]
    : [];
  return [
    ...facts.map((text): StartLine => ({ level: "info", text })),
    ...warnings.map((text): StartLine => ({ level: "warn", text })),
  ];
}

/** Homes are named where they are few. */
function accountLines(configuration: Configuration): string[] {
  const accounts = accountsOf(configuration);
  if (accounts.length > 3) return [`${accounts.length} accounts`];
  return accounts.map(({ account }) => {
    const letters = [account.permissions, ...account.overrides.map(({ permissions }) => permissions)];
    const rights = letters.some(hasWritePermission) ? "reading and writing" : "reading";
    const name = "name" in account ? account.name : "anonymous (any password)";
    return `sharing ${account.home} for ${rights} with ${name}`;
  });
}

function howToConnect({ users, anonymous }: Configuration, server: ConfiguredServer): string[] {
  const { certificate } = server;
  const first = server.addresses[0];
  if (first === undefined) return [];
  const target = formatSocketAddress({ host: reachable(first.host), port: first.port });
  const name = anonymous === undefined ? users[0]?.name : undefined;
  // Both programs ask for the password themselves.
  const user = name === undefined ? "" : `-u ${shellWord(name)} `;
  if (certificate === undefined) return [`curl: curl ${user}ftp://${target}/`];
  return [
    `certificate: SHA-256 fingerprint ${certificate.fingerprint}, valid to ${certificate.validTo.toISOString()}`,
    `curl: curl --ssl-reqd -k --pinnedpubkey 'sha256//${certificate.publicKeyPin}' ${user}ftp://${target}/`,
    `lftp: lftp -e '${lftpSettings(certificate.sha1Fingerprint)}' ${user}ftp://${target}`,
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
