/**
 * A self-signed certificate that lives as long as the process.
 *
 * @module
 */

import type { JsonGeneralName } from "@peculiar/x509";
import type { CertificatePair } from "./certificate_pair.ts";

const IS_EXTRACTABLE = true;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 24 * 60 * 60 * 1000;

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
  // Loaded when needed: it takes a tenth of a second, which servers with a certificate of their own should not pay.
  const x509 = await import("@peculiar/x509");
  const keys = await crypto.subtle.generateKey(ALGORITHM, IS_EXTRACTABLE, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [subject] }],
    notBefore: new Date(now.getTime() - BACKDATE_MS),
    notAfter: new Date(now.getTime() + validForDays * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map(generalName)),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { certificate: certificate.toString("pem"), key: x509.PemConverter.encode(key, "PRIVATE KEY") };
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

function generalName(name: string): JsonGeneralName {
  const isAddress = name.includes(":") || /^\d+(?:\.\d+){3}$/.test(name);
  return { type: isAddress ? "ip" : "dns", value: name };
}

// Positive, unpredictable, and never empty after leading zeros (RFC 5280 §4.1.2.2).
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = 0x40 | (bytes[0] ?? 0) & 0x3f;
  return bytes.toHex();
}
