/**
 * Names in certificates, and the hosts that they are for.
 *
 * @module
 */

import { sameHost } from "./host_port.ts";

/** Returns whether a name of a certificate is for a host (RFC 9525 §6.3: a wildcard is for exactly one label). */
export function coversHost(name: string, host: string): boolean {
  const [pattern, wanted] = [name.toLowerCase(), host.toLowerCase()];
  if (pattern === wanted || sameHost(name, host)) return true;
  return pattern.startsWith("*.") && wanted.includes(".") && pattern.slice(1) === wanted.slice(wanted.indexOf("."));
}

/**
 * DNS names and IP addresses of a certificate, in its own spelling.
 *
 * @param subjectAltName As `node:crypto` writes it: `DNS:example.org, IP Address:192.0.2.1`.
 */
export function alternativeNames(subjectAltName: string): string[] {
  return subjectAltName.split(", ").flatMap((name) => {
    const [, value] = /^(?:DNS|IP Address):(.+)$/.exec(name) ?? [];
    return value === undefined ? [] : [value];
  });
}
