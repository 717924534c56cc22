/**
 * Addresses in commands and replies: PORT and PASV of RFC 959 §4.1.2, EPRT and EPSV of RFC 2428 §2 and §3.
 *
 * @module
 */

/** A numeric host and a port. */
export interface HostPort {
  /** Numeric address. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** Argument of EPRT, its network protocol and its address not checked yet. */
export interface ExtendedHostPort extends HostPort {
  /** Address family as given: `"1"` for IPv4, `"2"` for IPv6 (RFC 2428 §2), or anything else. */
  readonly family: string;
  /** Address as sent; see {@linkcode ipFamily}. */
  readonly host: string;
}

const MAX_PORT = 65535;
const MAPPED_PREFIX = "0:0:0:0:0:ffff:";

/**
 * Parses the argument of PORT. The port counts as a whole, so that `0,60001` means port 60001.
 *
 * @returns `undefined` unless there are six decimal numbers with an address and a port in range.
 */
export function parseHostPort(argument: string): HostPort | undefined {
  if (!/^\d{1,3}(,\d{1,3}){3}(,\d{1,5}){2}$/.test(argument)) return undefined;
  const numbers = argument.split(",").map(Number);
  const octets = numbers.slice(0, 4);
  const [high = 0, low = 0] = numbers.slice(4);
  const port = high * 256 + low;
  if (octets.some((octet) => octet > 255) || port > MAX_PORT) return undefined;
  return { host: octets.join("."), port };
}

/**
 * Parses the argument of EPRT: three fields between four equal delimiters, the first character, ASCII 33 to 126.
 * Whether the protocol is supported comes before whether the address is one, so that both are left to the caller.
 *
 * @returns `undefined` when the form is wrong or the port is out of range.
 */
export function parseExtendedHostPort(argument: string): ExtendedHostPort | undefined {
  if (!/^[!-~]/.test(argument)) return undefined;
  const fields = argument.split(argument.charAt(0));
  const [, family = "", host = "", port = "", after] = fields;
  if (fields.length !== 5 || after !== "") return undefined;
  if (!/^\d{1,5}$/.test(port) || Number(port) > MAX_PORT) return undefined;
  return { family, host, port: Number(port) };
}

/**
 * Writes `h1,h2,h3,h4,p1,p2` for the reply to PASV.
 *
 * @throws {RangeError} When the host is not an IPv4 address.
 */
export function formatHostPort(host: string, port: number): string {
  if (ipFamily(host) !== 4) throw new RangeError(`Cannot write "${host}" in a PASV reply: it is not an IPv4 address`);
  return `${host.replaceAll(".", ",")},${port >> 8},${port & 0xff}`;
}

/** Writes `|||port|` for the reply to EPSV. */
export function formatExtendedPort(port: number): string {
  return `|||${port}|`;
}

/** Writes `address:port`, in IPv6 `[address]:port`. */
export function formatSocketAddress(address: HostPort): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Returns the family of a numeric address, which may have an IPv6 zone; `undefined` when it is none. */
export function ipFamily(host: string): 4 | 6 | undefined {
  if (isIpv4(host)) return 4;
  return parseIpv6(host) === undefined ? undefined : 6;
}

/**
 * Returns whether two spellings mean the same address. An IPv4 address equals itself mapped into IPv6; zones do not
 * count. What is not an address equals nothing.
 */
export function sameHost(a: string, b: string): boolean {
  const canonical = canonicalHost(a);
  return canonical !== undefined && canonical === canonicalHost(b);
}

/** Returns the IPv4 form of an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2), any other host as it is. */
export function unmapHost(host: string): string {
  const canonical = canonicalHost(host);
  return canonical?.includes(".") ? canonical : host;
}

/**
 * Names the block of addresses that one host can take at will: an IPv4 address itself, of IPv6 the network of 64 bits
 * (RFC 4291 §2.5.4). What is not an address names itself.
 */
export function addressBlock(host: string): string {
  const canonical = canonicalHost(host) ?? host;
  return canonical.includes(":") ? `${canonical.split(":").slice(0, 4).join(":")}::/64` : canonical;
}

/**
 * Returns the eight 16-bit groups of an address, without the zone; IPv4 as it is mapped into IPv6 (RFC 4291 §2.5.5.2), so that
 * both spellings of it are the same. `undefined` when it is none.
 */
export function addressGroups(host: string): readonly number[] | undefined {
  return parseIpv6(isIpv4(host) ? `::ffff:${host}` : host);
}

/** Writes eight groups as the runtime does: dotted where they are IPv4 mapped into IPv6, else as RFC 5952 §4 has it. */
export function formatGroups(groups: readonly number[]): string {
  const texts = groups.map((group) => group.toString(16));
  const dotted = canonicalHost(texts.join(":"));
  if (dotted?.includes(".")) return dotted;
  const { start, length } = longestZeros(groups);
  if (length < 2) return texts.join(":");
  return `${texts.slice(0, start).join(":")}::${texts.slice(start + length).join(":")}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > longest.length) longest = { start, length: end - start };
  }
  return longest;
}

/**
 * Returns the one spelling of an address: dotted IPv4, also for mapped ones, or the eight groups of IPv6, without the zone;
 * `undefined` when it is none.
 */
function canonicalHost(host: string): string | undefined {
  if (isIpv4(host)) return host;
  const groups = parseIpv6(host);
  const text = groups?.map((group) => group.toString(16)).join(":");
  if (groups === undefined || !text?.startsWith(MAPPED_PREFIX)) return text;
  return groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]).join(".");
}

/**
 * Returns whether an address is an IPv6 one of the link (RFC 4291 §2.5.6). It means nothing without its zone, and the runtime
 * can neither listen on such an address nor dial it: `node:net` drops the zone.
 */
export function isLinkLocal(host: string): boolean {
  const [first = 0] = parseIpv6(host) ?? [];
  return (first & 0xffc0) === 0xfe80;
}

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
/** Leading zeros are refused, because some systems take them for octal. */
const IPV4_REGEXP = new RegExp(`^(?:${OCTET}\\.){3}${OCTET}$`);

function isIpv4(text: string): boolean {
  return IPV4_REGEXP.test(text);
}

/** The eight 16-bit groups (RFC 4291 §2.2), without the zone. */
function parseIpv6(text: string): readonly number[] | undefined {
  const hexadecimal = replaceDottedTail(text.replace(/%.+$/, ""));
  const halves = hexadecimal?.split("::").map((half) => half === "" ? [] : half.split(":"));
  const [head = [], tail] = halves ?? [];
  if (halves === undefined || halves.length > 2) return undefined;
  const given = [...head, ...(tail ?? [])];
  // "::" stands for one group at least.
  if (tail === undefined ? given.length !== 8 : given.length > 7) return undefined;
  if (!given.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const zeros = new Array<string>(8 - given.length).fill("0");
  return [...head, ...zeros, ...(tail ?? [])].map((group) => Number.parseInt(group, 16));
}

/** Turns `x:a.b.c.d` into `x:hhhh:hhhh`. */
function replaceDottedTail(text: string): string | undefined {
  if (!text.includes(".")) return text;
  const start = text.lastIndexOf(":") + 1;
  const dotted = text.slice(start);
  if (!isIpv4(dotted)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split(".").map(Number);
  return `${text.slice(0, start)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
