/**
 * Addresses as the rest of the server compares them.
 *
 * @module
 */

import type { SocketAddress } from "./connection.ts";

const MAPPED_PREFIX = "::ffff:";

/** Makes a {@linkcode SocketAddress}; an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) gets its IPv4 form. */
export function toSocketAddress(host: string, port: number): SocketAddress {
  const isMapped = host.toLowerCase().startsWith(MAPPED_PREFIX) && host.includes(".");
  return { host: isMapped ? host.slice(MAPPED_PREFIX.length) : host, port };
}
