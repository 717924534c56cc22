/**
 * A self-signed certificate that lives as long as the process.
 *
 * @module
 */

import { hostBytes } from "../protocol/host_port.ts";
import {
  DER_TRUE,
  derBitString,
  derContextTag,
  derObjectIdentifier,
  derText,
  derTime,
  derUnsigned,
  derValue,
} from "./der.ts";
import type { CertificatePair } from "./tls_context.ts";

const IS_EXTRACTABLE = true;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** X.509 v3, which is written as 2 (RFC 5280 §4.1.2.1). */
const VERSION_3 = 2;
const CONSTRUCTED = { isConstructed: true } as const;
const CRITICAL = [DER_TRUE] as const;
/** The first of the bits of a key usage, and how many of the byte are not used (RFC 5280 §4.2.1.3). */
const DIGITAL_SIGNATURE = [Uint8Array.of(0x80), 7] as const;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Object identifiers (RFC 5280 §4.2.1, RFC 5758 §3.2). */
const OIDS = {
  commonName: "2.5.4.3",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
} as const;

// For clients whose clock is behind.
const BACKDATE_MS = 60 * 60 * 1000;

/**
 * Makes an ECDSA P-256 pair in memory. The certificate is no CA: it is trusted by naming it as trust anchor (curl's
 * `--cacert`), or by its fingerprint, and can then vouch for nothing but itself (RFC 5280 §4.2.1.9).
 *
 * @param options.names DNS names and IP addresses of the server; the first is the subject's common name.
 * @param options.validForDays Whole days, at least 1. Default 30.
 * @param options.now Begin of the validity, less one hour. Default: now.
 * @throws {TypeError} When there is no name.
 */
export async function createEphemeralCertificate(
  options: { readonly names: readonly string[]; readonly validForDays?: number; readonly now?: Date },
): Promise<CertificatePair> {
  const { names, validForDays = 30, now = new Date() } = options;
  const [subject] = names;
  if (subject === undefined) throw new TypeError("Cannot create a certificate: no names are given");
  const { publicKey, privateKey } = await crypto.subtle.generateKey(ALGORITHM, IS_EXTRACTABLE, ["sign", "verify"]);
  const signatureAlgorithm = derValue("sequence", derObjectIdentifier(OIDS.ecdsaWithSha256));
  const name = distinguishedName(subject);
  const toBeSigned = derValue(
    "sequence",
    derValue(derContextTag(0, CONSTRUCTED), derUnsigned(Uint8Array.of(VERSION_3))),
    derUnsigned(serialNumber()),
    signatureAlgorithm,
    name,
    derValue(
      "sequence",
      derTime(new Date(now.getTime() - BACKDATE_MS)),
      derTime(new Date(now.getTime() + validForDays * DAY_MS)),
    ),
    name,
    new Uint8Array(await crypto.subtle.exportKey("spki", publicKey)),
    derValue(derContextTag(3, CONSTRUCTED), derValue("sequence", ...extensions(names))),
  );
  const signature = new Uint8Array(await crypto.subtle.sign(ALGORITHM, privateKey, new Uint8Array(toBeSigned)));
  const certificate = derValue("sequence", toBeSigned, signatureAlgorithm, derBitString(ecdsaSignature(signature)));
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return { certificate: pem("CERTIFICATE", certificate), key: pem("PRIVATE KEY", key) };
}

function distinguishedName(commonName: string): Uint8Array {
  const attribute = derValue("sequence", derObjectIdentifier(OIDS.commonName), derText(commonName));
  return derValue("sequence", derValue("set", attribute));
}

/** What the key is for, and whose it is (RFC 5280 §4.2.1). */
function extensions(names: readonly string[]): Uint8Array[] {
  return [
    extension(OIDS.basicConstraints, CRITICAL, derValue("sequence")),
    extension(OIDS.keyUsage, CRITICAL, derBitString(...DIGITAL_SIGNATURE)),
    extension(OIDS.extendedKeyUsage, [], derValue("sequence", derObjectIdentifier(OIDS.serverAuth))),
    extension(OIDS.subjectAltName, [], derValue("sequence", ...names.map(generalName))),
  ];
}

function extension(id: string, critical: readonly Uint8Array[], value: Uint8Array): Uint8Array {
  return derValue("sequence", derObjectIdentifier(id), ...critical, derValue("octetString", value));
}

/** A DNS name or an IP address (RFC 5280 §4.2.1.6). */
function generalName(name: string): Uint8Array {
  const address = hostBytes(name);
  if (address !== undefined) return derValue(derContextTag(7), address);
  return derValue(derContextTag(2), new TextEncoder().encode(name));
}

/** The two numbers that WebCrypto puts behind each other, as certificates have them (RFC 3279 §2.2.3). */
function ecdsaSignature(bytes: Uint8Array): Uint8Array {
  const half = bytes.length / 2;
  return derValue("sequence", derUnsigned(bytes.subarray(0, half)), derUnsigned(bytes.subarray(half)));
}

/** The textual form (RFC 7468 §3). */
function pem(label: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/**
 * Names by which clients may reach listeners on the given addresses: `localhost`, the addresses, and where the process may
 * ask for them (`--allow-sys`) the host's own name and, for a listener on all addresses, those of its interfaces.
 */
export async function certificateNames(hosts: readonly string[]): Promise<string[]> {
  const isAll = (host: string) => host === "0.0.0.0" || host === "::";
  const names = ["localhost", "127.0.0.1", "::1", ...hosts.filter((host) => !isAll(host))];
  if (await isPermitted("hostname")) names.push(Deno.hostname());
  if (hosts.some(isAll) && await isPermitted("networkInterfaces")) {
    names.push(...Deno.networkInterfaces().map(({ address }) => address));
  }
  return [...new Set(names)];
}

async function isPermitted(kind: "hostname" | "networkInterfaces"): Promise<boolean> {
  return (await Deno.permissions.query({ name: "sys", kind })).state === "granted";
}

// Positive, unpredictable, and never empty after leading zeros (RFC 5280 §4.1.2.2).
function serialNumber(): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = 0x40 | (bytes[0] ?? 0) & 0x3f;
  return bytes;
}
