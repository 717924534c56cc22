/**
 * Files and hosts that hooks and directories with accounts need.
 *
 * @module
 */

import { checksPasswords, urlsOf } from "../settings/account_sources.ts";
import type { Configuration } from "../settings/table.ts";

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443, "ldap:": 389, "ldaps:": 636 };

/** Where passwords are checked, as `host:port`. */
export function accountHostsOf({ accounts }: Configuration): string[] {
  return accounts.flatMap(urlsOf).map((url) => {
    const { protocol } = new URL(url);
    const { hostname, port } = new URL(url.replace(/^\w+:/, "x:")); // which no port is the default of
    return `${hostname}:${port === "" ? DEFAULT_PORTS[protocol] : port}`;
  });
}

/** Files with secrets that the server is known by there. */
export function accountSecretsOf({ accounts }: Configuration): string[] {
  const files = accounts.flatMap(({ tokenFile, bindPasswordFile }) => [tokenFile, bindPasswordFile]);
  return files.filter((path) => path !== undefined);
}

/** Files that are read. */
export function accountFilesOf(configuration: Configuration): string[] {
  const authorities = configuration.accounts.flatMap(({ type, ca }) => checksPasswords(type) ? [ca] : []);
  return [...accountSecretsOf(configuration), ...authorities.filter((path) => path !== undefined)];
}
