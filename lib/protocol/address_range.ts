/**
 * Networks by address and prefix length (RFC 4632 §3.1, RFC 4291 §2.3), such as `10.0.0.0/8`.
 *
 * @module
 */

import { addressGroups, ipFamily } from "./host_port.ts";

/** A network. */
export interface AddressRange {
  /** The eight 16-bit groups of its first address; see {@linkcode addressGroups}. */
  readonly groups: readonly number[];
  /** How many of their 128 bits all its addresses share; of an IPv4 network 96 more than it is written with. */
  readonly prefixBits: number;
  /** Family of its spelling. */
  readonly family: 4 | 6;
}

const GROUP_BITS = 16;
const ADDRESS_BITS = 128;
/** Bits of an IPv6 address before the IPv4 address that is mapped into it. */
const MAPPED_BITS = 96;

/**
 * Parses an address, which is a network of its own, or a network. Bits behind the prefix have to be zero: `10.0.0.5/8` may mean
 * the host, or all of its network.
 *
 * @returns `undefined` when it is neither, or has a zone.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, host = "", length] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const [groups, family] = [addressGroups(host), ipFamily(host)];
  if (groups === undefined || family === undefined) return undefined;
  const beforeBits = family === 4 ? MAPPED_BITS : 0;
  const prefixBits = length === undefined ? ADDRESS_BITS : beforeBits + Number(length);
  if (prefixBits > ADDRESS_BITS) return undefined;
  const isFirst = groups.every((group, index) => (group & ~maskOf(index, prefixBits)) === 0);
  return isFirst ? { groups, prefixBits, family } : undefined;
}

/** Returns whether an address, in whatever spelling, is in a network. What is not an address is in none. */
export function isInRange(host: string, { groups, prefixBits }: AddressRange): boolean {
  const address = addressGroups(host);
  return address !== undefined &&
    groups.every((group, index) => (((address[index] ?? 0) ^ group) & maskOf(index, prefixBits)) === 0);
}

/** The bits of a group that belong to the prefix. */
function maskOf(index: number, prefixBits: number): number {
  const bits = Math.min(Math.max(prefixBits - index * GROUP_BITS, 0), GROUP_BITS);
  return (0xffff << (GROUP_BITS - bits)) & 0xffff;
}
