/**
 * Addresses as the rest of the server compares them.
 *
 * @module
 */

import { unmapHost } from "../protocol/host_port.ts";
import type { SocketAddress } from "./connection.ts";

/** Makes a {@linkcode SocketAddress}; an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) gets its IPv4 form. */
export function toSocketAddress(host: string, port: number): SocketAddress {
  return { host: unmapHost(host), port };
}
