/**
 * The key of a certificate, and the request for it (RFC 2986).
 *
 * @module
 */

import { toBase64Url } from "./jws.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const IS_EXTRACTABLE = true;

/** Makes a key of ECDSA on P-256, PKCS #8 in PEM. */
export async function createCertificateKey(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey(ALGORITHM, IS_EXTRACTABLE, ["sign", "verify"]);
  const base64 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)).toBase64();
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/.{64}(?=.)/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
}

/** Writes a request for the names, signed by a key that {@linkcode createCertificateKey} has made: DER in base64url. */
export async function createRequest(key: string, names: readonly string[]): Promise<string> {
  // Loaded when needed, as for a certificate that is made in memory
  const x509 = await import("@peculiar/x509");
  const bytes = Uint8Array.fromBase64(key.replace(/-----[^-]+-----|\s/g, ""));
  const privateKey = await crypto.subtle.importKey("pkcs8", bytes, ALGORITHM, IS_EXTRACTABLE, ["sign"]);
  const { d: _, key_ops: __, ...jwk } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await crypto.subtle.importKey("jwk", jwk, ALGORITHM, IS_EXTRACTABLE, ["verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    signingAlgorithm: ALGORITHM,
    keys: { privateKey, publicKey },
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value })))],
  });
  return toBase64Url(new Uint8Array(request.rawData));
}
