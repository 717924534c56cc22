/**
 * A ClientHello of our own: it asks for versions of TLS that the runtime's engine does not have, and nothing follows it.
 *
 * RFC 8446 §4.1.2 and §4.2, RFC 5246 §7.4.1.2.
 *
 * @module
 */

import { ipFamily } from "../protocol/host_port.ts";

/** Versions that are asked for. */
export const TLS_VERSIONS = ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"] as const;

/** Version of TLS. */
export type TlsVersionName = typeof TLS_VERSIONS[number];

/** How versions are written on the wire. */
export const VERSION_NUMBERS: Readonly<Record<TlsVersionName, number>> = {
  "TLS 1.0": 0x0301,
  "TLS 1.1": 0x0302,
  "TLS 1.2": 0x0303,
  "TLS 1.3": 0x0304,
};

/** Of TLS 1.3: AES and ChaCha20 (RFC 8446 §B.4). */
const NEW_SUITES = [0x1301, 0x1302, 0x1303];
/** Whatever a server may have: with ECDHE, DHE and RSA, GCM, ChaCha20, CBC and 3DES; the last is RFC 5746's signal. */
// deno-fmt-ignore
const OLD_SUITES = [
  0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xc023, 0xc027, 0xc009, 0xc013, 0xc00a, 0xc014,
  0x0033, 0x0039, 0x009c, 0x009d, 0x003c, 0x002f, 0x0035, 0xc008, 0xc012, 0x0016, 0x000a, 0x00ff,
];
/** X25519, P-256, P-384, P-521. */
const GROUPS = [0x001d, 0x0017, 0x0018, 0x0019];
/** ECDSA, PSS, PKCS #1, EdDSA; SHA-1 at the end. */
// deno-fmt-ignore
const SIGNATURES = [
  0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0807, 0x0201, 0x0203,
];

const RANDOM_BYTES = 32;

/**
 * Writes a record with a ClientHello that wants one version and no other.
 *
 * @param name Name of the server; an address is left out (RFC 6066 §3).
 */
export function writeClientHello(version: TlsVersionName, name: string): Uint8Array {
  const isNew = version === "TLS 1.3";
  const number = VERSION_NUMBERS[version];
  const hello = [
    ...uint16(isNew ? VERSION_NUMBERS["TLS 1.2"] : number),
    ...randomBytes(),
    ...vector8(isNew ? randomBytes() : []),
    ...vector16((isNew ? NEW_SUITES : OLD_SUITES).flatMap(uint16)),
    ...vector8([0]), // No compression
    ...vector16([
      ...ipFamily(name) === undefined ? extension(0x0000, vector16([0, ...vector16(asciiOf(name))])) : [],
      ...extension(0x000a, vector16(GROUPS.flatMap(uint16))),
      ...extension(0x000b, vector8([0])),
      ...number >= VERSION_NUMBERS["TLS 1.2"] ? extension(0x000d, vector16(SIGNATURES.flatMap(uint16))) : [],
      // Any 32 bytes are a key of X25519 (RFC 7748 §5).
      ...isNew ? extension(0x0033, vector16([...uint16(0x001d), ...vector16(randomBytes())])) : [],
      ...isNew ? extension(0x002b, vector8(uint16(number))) : [],
    ]),
  ];
  const handshake = [1, 0, ...vector16(hello)];
  return new Uint8Array([0x16, ...uint16(0x0301), ...vector16(handshake)]);
}

function extension(type: number, content: readonly number[]): number[] {
  return [...uint16(type), ...vector16(content)];
}

function vector8(content: readonly number[]): number[] {
  return [content.length, ...content];
}

function vector16(content: readonly number[]): number[] {
  return [...uint16(content.length), ...content];
}

function uint16(number: number): number[] {
  return [number >> 8 & 0xff, number & 0xff];
}

function asciiOf(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

function randomBytes(): number[] {
  return [...crypto.getRandomValues(new Uint8Array(RANDOM_BYTES))];
}
