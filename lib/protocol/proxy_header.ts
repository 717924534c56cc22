/**
 * The PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt §2.1 and §2.2): what a balancer sends before all else,
 * to say on whose behalf it connects.
 *
 * @module
 */

import { addressGroups, formatGroups, type HostPort, ipFamily } from "./host_port.ts";

/** What a header says. */
export type ProxyHeader =
  /** The connection of a client. */
  | {
    readonly kind: "client";
    /** The client, in the spelling that the runtime has for addresses. */
    readonly source: HostPort;
    /** Where the client has reached the balancer. */
    readonly destination: HostPort;
    /** What the balancer calls the connection (§2.2.5); bytes that are no visible ASCII make it hexadecimal. */
    readonly uniqueId: string | undefined;
  }
  /** The balancer's own, which looks whether somebody is here: LOCAL of version 2, UNKNOWN of version 1. */
  | { readonly kind: "check" };

/** What the first bytes of a connection are. */
export type ProxyHeaderResult =
  /** The beginning of a header. */
  | { readonly state: "incomplete" }
  /** No header that may be obeyed; the connection is to be dropped (§2). */
  | { readonly state: "refused"; readonly reason: string }
  /** A whole header, and how many bytes it has. What is behind them is the client's. */
  | { readonly state: "complete"; readonly header: ProxyHeader; readonly bytes: number };

/** The longest line of version 1, its CR LF included (§2.1). */
const MAX_LINE_BYTES = 107;
/** Version 2 allows 64 KiB. Addresses are 36 bytes at most, and what balancers put behind them has some hundreds. */
const MAX_BLOCK_BYTES = 2048;
/** The longest unique id (§2.2.5). */
const MAX_ID_BYTES = 128;

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const LINE_START = new TextEncoder().encode("PROXY ");
const LF = 0x0a;
const CR = 0x0d;
/** Signature, version and command, family and transport, length. */
const START_BYTES = 16;
const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0x00;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const UNIQUE_ID = 0x05;
/** Type and length. */
const TLV_START_BYTES = 3;

/** The longest header that is accepted. */
export const MAX_PROXY_HEADER_BYTES: number = START_BYTES + MAX_BLOCK_BYTES;

const INCOMPLETE: ProxyHeaderResult = { state: "incomplete" };

/** Looks at the first bytes of a connection. Of a longer beginning the answer is the same, once it is not `incomplete`. */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeaderResult {
  if (startsAlike(bytes, SIGNATURE)) return bytes.length < START_BYTES ? INCOMPLETE : parseBlock(bytes);
  if (startsAlike(bytes, LINE_START)) return parseLine(bytes);
  return refused("it did not begin with a PROXY header");
}

function refused(reason: string): ProxyHeaderResult {
  return { state: "refused", reason };
}

/** Returns whether two beginnings are the same as far as the shorter one goes. */
function startsAlike(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.subarray(0, start.length).every((byte, index) => byte === start[index]);
}

/** Version 1: `PROXY TCP4 192.0.2.7 198.51.100.1 50000 21` and CR LF. */
function parseLine(bytes: Uint8Array): ProxyHeaderResult {
  const end = bytes.subarray(0, MAX_LINE_BYTES).indexOf(LF);
  if (end < 0) return bytes.length < MAX_LINE_BYTES ? INCOMPLETE : refused("the line of its PROXY header did not end");
  if (bytes[end - 1] !== CR) return refused("the line of its PROXY header did not end with CR LF");
  const line = new TextDecoder("latin1").decode(bytes.subarray(0, end - 1));
  const length = end + 1;
  // Whatever comes behind the word means nothing.
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { state: "complete", header: { kind: "check" }, bytes: length };
  const [, family, source, destination, ...ports] = /^PROXY TCP([46]) ([^ ]+) ([^ ]+) (\d+) (\d+)$/.exec(line) ?? [];
  const hosts = [source, destination].map((host) => parseHost(host, Number(family)));
  const [sourcePort, destinationPort] = ports.map(parsePort);
  const [client, reached] = [hostPort(hosts[0], sourcePort), hostPort(hosts[1], destinationPort)];
  if (client === undefined || reached === undefined) return refused("its PROXY header of version 1 is malformed");
  return {
    state: "complete",
    header: { kind: "client", source: client, destination: reached, uniqueId: undefined },
    bytes: length,
  };
}

/** The one spelling of an address of a family; others write groups with leading zeros, capitals, or without `::`. */
function parseHost(text: string | undefined, family: number): string | undefined {
  if (text === undefined || text.includes("%") || ipFamily(text) !== family) return undefined;
  const groups = addressGroups(text);
  return groups && formatGroups(groups);
}

function parsePort(text: string): number | undefined {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 0xffff ? Number(text) : undefined;
}

function hostPort(host: string | undefined, port: number | undefined): HostPort | undefined {
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** Version 2, of which all 16 bytes of the start are here. */
function parseBlock(bytes: Uint8Array): ProxyHeaderResult {
  const [command, family, high = 0, low = 0] = bytes.subarray(SIGNATURE.length, START_BYTES);
  const length = high << 8 | low;
  if (command !== LOCAL && command !== PROXY) return refused("its PROXY header has an unknown version or command");
  if (length > MAX_BLOCK_BYTES) return refused(`its PROXY header has more than ${MAX_PROXY_HEADER_BYTES} bytes`);
  // The family of LOCAL, and all that is behind it, mean nothing (§2.2).
  const addressBytes = command === LOCAL ? 0 : addressBytesOf(family);
  if (addressBytes === undefined) return refused(`its PROXY header is about ${describeFamily(family)}, not about TCP`);
  const blockBytes = 2 * addressBytes + (command === LOCAL ? 0 : 4);
  if (length < blockBytes) return refused("its PROXY header is too short for its addresses");
  const total = START_BYTES + length;
  if (bytes.length < total) return INCOMPLETE;
  if (command === LOCAL) return { state: "complete", header: { kind: "check" }, bytes: total };
  const block = bytes.subarray(START_BYTES, total);
  const values = parseValues(block.subarray(blockBytes));
  if (values === undefined) return refused("its PROXY header has a value that is cut off");
  return { state: "complete", header: { ...addressesIn(block, addressBytes), uniqueId: idIn(values) }, bytes: total };
}

/** Bytes of one address; `undefined` for what is not TCP over IP. */
function addressBytesOf(family: number | undefined): number | undefined {
  if (family === TCP_OVER_IPV4) return 4;
  return family === TCP_OVER_IPV6 ? 16 : undefined;
}

function describeFamily(family = UNSPECIFIED): string {
  if (family === UNSPECIFIED) return "an unknown connection";
  return family >> 4 === 3 ? "a Unix socket" : "another protocol";
}

/** Both addresses, then both ports. */
function addressesIn(
  block: Uint8Array,
  addressBytes: number,
): Omit<Extract<ProxyHeader, { readonly kind: "client" }>, "uniqueId"> {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const portsAt = 2 * addressBytes;
  return {
    kind: "client",
    source: { host: formatAddress(block.subarray(0, addressBytes)), port: view.getUint16(portsAt) },
    destination: { host: formatAddress(block.subarray(addressBytes, portsAt)), port: view.getUint16(portsAt + 2) },
  };
}

function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (bytes[2 * index] ?? 0) << 8 | (bytes[2 * index + 1] ?? 0));
  return formatGroups(groups);
}

/** What is behind the addresses: type, length, value, each (§2.2). The last of a type wins. `undefined` when one is cut off. */
function parseValues(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined {
  const values = new Map<number, Uint8Array>();
  for (let rest = bytes; rest.length > 0;) {
    const [type = 0, high = 0, low = 0] = rest;
    const end = TLV_START_BYTES + (high << 8 | low);
    if (end > rest.length) return undefined;
    values.set(type, rest.subarray(TLV_START_BYTES, end));
    rest = rest.subarray(end);
  }
  return values;
}

function idIn(values: ReadonlyMap<number, Uint8Array>): string | undefined {
  const id = values.get(UNIQUE_ID);
  if (id === undefined || id.length === 0 || id.length > MAX_ID_BYTES) return undefined;
  return id.every((byte) => byte > 0x20 && byte < 0x7f) ? new TextDecoder().decode(id) : id.toHex();
}
