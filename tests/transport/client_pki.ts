/**
 * Certificate authorities and certificates of clients, good and bad, for tests.
 *
 * @module
 */

import * as x509 from "@peculiar/x509";
import type { CertificatePair } from "../../lib/transport/certificate_pair.ts";

/** A certificate of a test, with what is needed to sign others by it. */
export interface Issued extends CertificatePair {
  readonly subject: string;
  readonly keys: CryptoKeyPair;
  /** The certificate and those above it, in PEM. */
  readonly chain: string;
}

/** How a certificate differs from the good one of a client. */
export interface IssueOptions {
  /** Who signs it; absent: it signs itself. */
  readonly issuer?: Issued;
  readonly isAuthority?: boolean;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** What its key may be used for; absent: to be a TLS client. */
  readonly usage?: x509.ExtendedKeyUsage;
  /** Alternative names. */
  readonly alternativeNames?: x509.JsonGeneralNames;
  /** Its subject, where that is more than a common name. */
  readonly subject?: x509.JsonName;
  /** X.509 version. */
  readonly version?: 1 | 3;
}

const DAY_MS = 24 * 60 * 60 * 1000;
// Signatures of this algorithm are the same in WebCrypto and in certificates.
const ALGORITHM = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;
const IS_EXTRACTABLE = true;

/** Makes a certificate. */
export async function issue(name: string, options: IssueOptions = {}): Promise<Issued> {
  const { issuer, isAuthority = false, usage = x509.ExtendedKeyUsage.clientAuth, version = 3 } = options;
  const { notBefore = new Date(Date.now() - DAY_MS), notAfter = new Date(Date.now() + DAY_MS) } = options;
  const keys = await crypto.subtle.generateKey(ALGORITHM, IS_EXTRACTABLE, ["sign", "verify"]);
  const subject = `CN=${name}`;
  const signingKey = issuer?.keys.privateKey ?? keys.privateKey;
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: crypto.getRandomValues(new Uint8Array(8)).with(0, 0x42).toHex(),
    subject: options.subject ?? subject,
    issuer: issuer?.subject ?? subject,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      ...isAuthority
        ? [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)]
        : [new x509.ExtendedKeyUsageExtension([usage])],
      ...options.alternativeNames ? [new x509.SubjectAlternativeNameExtension(options.alternativeNames)] : [],
    ],
  });
  const der = version === 3 ? new Uint8Array(made.rawData) : await toVersion1(new Uint8Array(made.rawData), signingKey);
  const certificate = x509.PemConverter.encode(der, "CERTIFICATE");
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { subject, keys, certificate, key, chain: `${certificate}\n${issuer?.chain ?? ""}` };
}

/** How a revocation list differs from a good one. */
export interface RevokeOptions {
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  /** Extensions of the list. */
  readonly extensions?: x509.Extension[];
  /** Who signs it in place of the CA. */
  readonly signer?: Issued;
}

/** Makes a list of revoked certificates of a CA, in DER. */
export async function revoke(
  authority: Issued,
  revoked: readonly Issued[],
  options: RevokeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { thisUpdate = new Date(Date.now() - DAY_MS), nextUpdate = new Date(Date.now() + DAY_MS) } = options;
  const list = await x509.X509CrlGenerator.create({
    issuer: authority.subject,
    thisUpdate,
    nextUpdate,
    entries: revoked.map(({ certificate }) => ({
      serialNumber: new x509.X509Certificate(certificate).serialNumber,
      revocationDate: thisUpdate,
    })),
    ...options.extensions && { extensions: options.extensions },
    signingKey: (options.signer ?? authority).keys.privateKey,
    signingAlgorithm: ALGORITHM,
  });
  return new Uint8Array(list.rawData);
}

/** The same in PEM. */
export function toPemList(der: Uint8Array<ArrayBuffer>): string {
  return `${x509.PemConverter.encode(der, "X509 CRL")}\n`;
}

/** Takes version and extensions out of a certificate in DER, and signs it anew (RFC 5280 §4.1). */
async function toVersion1(der: Uint8Array, signingKey: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
  const [body = new Uint8Array(), algorithm = new Uint8Array()] = elements(der);
  const signed = sequence(elements(body).filter(([tag]) => tag !== 0xa0 && tag !== 0xa3));
  const signature = new Uint8Array(await crypto.subtle.sign(ALGORITHM, signingKey, signed));
  return sequence([signed, algorithm, encode(0x03, [new Uint8Array([0]), signature])]);
}

/** The elements of a constructed DER value, each with its header. */
function elements(der: Uint8Array): Uint8Array[] {
  const content = der.subarray(measure(der).header);
  const found: Uint8Array[] = [];
  for (let rest = content; rest.length > 0;) {
    const { header, length } = measure(rest);
    found.push(rest.subarray(0, header + length));
    rest = rest.subarray(header + length);
  }
  return found;
}

function measure([, first = 0, ...rest]: Uint8Array): { readonly header: number; readonly length: number } {
  if (first < 0x80) return { header: 2, length: first };
  const count = first & 0x7f;
  return { header: 2 + count, length: rest.slice(0, count).reduce((sum, byte) => sum * 256 + byte, 0) };
}

function sequence(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return encode(0x30, parts);
}

function encode(tag: number, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = parts.flatMap((part) => [...part]);
  const { length } = content;
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return new Uint8Array([tag, ...size, ...content]);
}
