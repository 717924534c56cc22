/**
 * Headers of the PROXY protocol, as balancers write them.
 *
 * @module
 */

/** The end of a connection. */
export interface End {
  readonly host: string;
  readonly port: number;
}

/** What a header of version 2 says; absent: a connection of a client. */
export interface BlockOptions {
  /** Version and command. @default {0x21} */
  readonly command?: number;
  /** Family and transport. @default {that of the addresses, and TCP} */
  readonly family?: number;
  /** What is behind the addresses: types and values. */
  readonly values?: readonly (readonly [type: number, value: Uint8Array])[];
  /** Bytes in place of the addresses. */
  readonly addresses?: Uint8Array;
}

/** The beginning of version 2. */
export const SIGNATURE: Uint8Array = new TextEncoder().encode("\r\n\r\n\0\r\nQUIT\n");

/** A header of version 1. */
export function proxyLine(source: End, destination: End): Uint8Array {
  const family = source.host.includes(":") ? "TCP6" : "TCP4";
  return encode(`PROXY ${family} ${source.host} ${destination.host} ${source.port} ${destination.port}\r\n`);
}

/** A header of version 2. */
export function proxyBlock(source: End, destination: End, options: BlockOptions = {}): Uint8Array {
  const isIpv6 = source.host.includes(":");
  const { command = 0x21, family = isIpv6 ? 0x21 : 0x11, values = [], addresses } = options;
  const behind = values.flatMap(([type, value]) => [type, ...word(value.length), ...value]);
  const block = [
    ...addresses ?? [
      ...[source, destination].flatMap(({ host }) => bytesOf(host)),
      ...word(source.port),
      ...word(destination.port),
    ],
    ...behind,
  ];
  return Uint8Array.from([...SIGNATURE, command, family, ...word(block.length), ...block]);
}

/** The bytes of an address; an IPv6 one may have `::` and dotted IPv4 in the end. */
export function bytesOf(host: string): readonly number[] {
  if (!host.includes(":")) return host.split(".").map(Number);
  const [head = "", tail] = host.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    return `${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`;
  }).split("::");
  const groups = (text = "") => text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const zeros = new Array<number>(8 - first.length - last.length).fill(0);
  return [...first, ...zeros, ...last].flatMap(word);
}

function word(value: number): readonly [number, number] {
  return [value >> 8, value & 0xff];
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
