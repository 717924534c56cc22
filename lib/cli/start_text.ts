/**
 * What the log says when the server has started: how it is set up, what is risky about it, and how to connect.
 *
 * @module
 */

import type { LogLevel } from "../logger.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import type { FtpServer } from "../server/ftp_server.ts";
import type { ServeSettings } from "./serve_settings.ts";
import { shellWord } from "./shell_word.ts";

/** A line for the log. */
export interface StartLine {
  readonly level: LogLevel;
  readonly text: string;
}

/** Describes a server that has just started, in pyftpdlib's order. */
export function describeStart(settings: ServeSettings, directory: string, server: FtpServer): StartLine[] {
  const { passive } = settings.server;
  const rights = settings.write ? "reading and writing" : "reading";
  const facts = [
    `pid: ${Deno.pid}`,
    "concurrency model: async",
    `masquerade (NAT) address: ${passive?.address ?? "None"}`,
    `passive ports: ${passive?.ports ? `${passive.ports.from}->${passive.ports.to}` : "None"}`,
    `sharing ${directory} for ${rights} with ${settings.user?.name ?? "anonymous (any password)"}`,
  ];
  return [
    ...facts.map((text): StartLine => ({ level: "info", text })),
    ...risks(settings).map((text): StartLine => ({ level: "warn", text })),
    ...howToConnect(settings, server).map((text): StartLine => ({ level: "info", text })),
  ];
}

/** What was asked for by a flag of its own and is risky all the same. */
function risks(settings: ServeSettings): string[] {
  const { user } = settings;
  const policy = settings.server.tls?.policy ?? "required";
  return [
    ...settings.write && user === undefined
      ? ["risk anonymous-write accepted: anybody may change and fill the folder"]
      : [],
    ...policy === "off" || policy === "optional"
      ? [`risk clear-text-control accepted: passwords may cross the network in clear (--tls ${policy})`]
      : [],
    ...policy !== "required"
      ? [`risk clear-text-data accepted: files may cross the network in clear (--tls ${policy})`]
      : [],
    ...user !== undefined && "text" in user.password
      ? ["the password stands on the command line, where others on this host can see it; use --password-file"]
      : [],
  ];
}

function howToConnect(settings: ServeSettings, server: FtpServer): string[] {
  const { certificate } = server;
  const first = server.addresses[0];
  if (first === undefined) return [];
  const target = formatSocketAddress({ host: reachable(first.host), port: first.port });
  // Both programs ask for the password themselves.
  const user = settings.user === undefined ? "" : `-u ${shellWord(settings.user.name)} `;
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
