/**
 * A certificate chain and its key, read block by block of their PEM texts (RFC 7468).
 *
 * @module
 */

import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";

/** One block. */
export interface PemBlock {
  /** What it says it is, such as `CERTIFICATE`. */
  readonly label: string;
  /** Line of its BEGIN, counted from 1. */
  readonly line: number;
  /** Whether its label or its own header says that it is encrypted (RFC 1421 §4.6.1.1, RFC 5958 §3). */
  readonly isEncrypted: boolean;
  /** What it holds, as one block and nothing else; `undefined` when it is cut off or no base64. */
  readonly text: string | undefined;
}

const BLOCK = /^[ \t]*-----BEGIN ([A-Z0-9 ]+)-----[ \t]*$/;
const HEADER = /^[A-Za-z0-9-]+:/;

/** Reads all blocks of a text, in its order; whatever is between them is explanatory text and skipped (RFC 7468 §2). */
export function readPemBlocks(text: string): PemBlock[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  const blocks: PemBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, label] = BLOCK.exec(lines[index] ?? "") ?? [];
    if (label === undefined) continue;
    const body = bodyOf(lines, index + 1, label);
    blocks.push(parseBlock(label, { line: index + 1, ...body }));
    index += body.lines.length;
  }
  return blocks;
}

/** The lines up to a block's END; up to the next block or the end of the text where that is missing. */
function bodyOf(lines: readonly string[], from: number, label: string): { lines: readonly string[]; isWhole: boolean } {
  for (let index = from; index < lines.length; index++) {
    const line = (lines[index] ?? "").trim();
    if (line === `-----END ${label}-----`) return { lines: lines.slice(from, index), isWhole: true };
    if (line.startsWith("-----")) return { lines: lines.slice(from, index), isWhole: false };
  }
  return { lines: lines.slice(from), isWhole: false };
}

function parseBlock(
  label: string,
  { line, lines, isWhole }: { readonly line: number; readonly lines: readonly string[]; readonly isWhole: boolean },
): PemBlock {
  // Headers end at an empty line (RFC 1421 §4.4).
  const headers = HEADER.test(lines[0] ?? "") ? lines.slice(0, lines.findIndex((it) => it.trim() === "")) : [];
  const base64 = lines.slice(headers.length).join("").replace(/\s/g, "");
  const isEncrypted = label.startsWith("ENCRYPTED ") || headers.some((it) => /^Proc-Type:.*ENCRYPTED/.test(it));
  const text = isWhole && isBase64(base64) ? formatBlock(label, base64) : undefined;
  return { label, line, isEncrypted, text };
}

function isBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

function formatBlock(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64.replace(/.{64}(?=.)/g, "$&\n")}\n-----END ${label}-----\n`;
}

/** A certificate chain and its private key, both in PEM. One text may hold both. */
export interface CertificatePair {
  /** Leaf certificate first, then the intermediate ones. Other blocks are skipped. */
  readonly certificate: string;
  /** PKCS#8, SEC1 or PKCS#1, not encrypted. Other blocks are skipped. */
  readonly key: string;
}

/** A pair whose every block was read. */
export interface ReadPair extends CertificatePair {
  /** The chain, leaf first. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** Public key of the leaf, as a SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7). */
  readonly publicKey: Uint8Array;
}

/** Bits of an RSA key: the TLS engine refuses less, and clients refuse more. */
const RSA_BITS = { min: 2048, max: 8192 } as const;
/** Curves by their names in OpenSSL, and as people know them (RFC 8422 §5.1.1). */
const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
const USABLE_KEYS = `RSA of ${RSA_BITS.min} to ${RSA_BITS.max} bits, ECDSA on P-256, P-384 or P-521, and Ed25519 can`;

/**
 * Reads a pair, and returns it as the certificates and the key alone.
 *
 * @throws {TypeError} When a block cannot be read, when TLS has no use for such a key, or when the key is not that of the
 * certificate. The message names the block and its line, and never quotes the key.
 */
export function readPair(pair: CertificatePair): ReadPair {
  const certificates = readPemBlocks(pair.certificate).filter(({ label }) => label === "CERTIFICATE");
  const chain = readChain(certificates, "the certificate");
  const keyBlock = findKey(pair.key);
  const key = readKey(keyBlock);
  requireUsableKey(key, keyBlock);
  requireMatch(chain, key);
  return {
    chain,
    certificate: certificates.map(({ text }) => text).join(""),
    key: keyBlock.text ?? "",
    // From the key: the runtime cannot read it from every certificate whose key it can use.
    publicKey: new Uint8Array(createPublicKey(key).export({ type: "spki", format: "der" })),
  };
}

/**
 * Reads every certificate of a text.
 *
 * @param what What the text is for, in errors: `the certificate`.
 * @throws {TypeError} When there is none, or one is damaged.
 */
export function readChain(
  blocks: readonly PemBlock[],
  what: string,
): readonly [X509Certificate, ...X509Certificate[]] {
  const [leaf, ...others] = blocks.map((block, index) => {
    const name = `CERTIFICATE block ${index + 1} of ${blocks.length} (line ${block.line})`;
    if (block.text === undefined) throw new TypeError(`Cannot read ${what}: ${name} is damaged or cut off`);
    return readCertificate(block.text, `Cannot read ${what}: ${name} is damaged`);
  });
  if (leaf === undefined) throw new TypeError(`Cannot read ${what}: the text has no CERTIFICATE block in PEM`);
  return [leaf, ...others];
}

function readCertificate(pem: string, message: string): X509Certificate {
  try {
    const certificate = new X509Certificate(pem);
    // The parser takes what it needs and leaves the rest; the TLS engine does not.
    if (certificate.raw.length !== derLength(certificate.raw)) throw new TypeError(message);
    return certificate;
  } catch (cause) {
    throw new TypeError(message, { cause });
  }
}

/** Bytes of the first DER value, header included (X.690 §8.1.3). */
function derLength(der: Uint8Array): number {
  const [, length = 0] = der;
  const header = derHeaderLength(der);
  return header + (length < 0x80 ? length : der.subarray(2, header).reduce((sum, byte) => 256 * sum + byte, 0));
}

/** Bytes of tag and length of a DER value (X.690 §8.1.3). */
export function derHeaderLength([, length = 0]: Uint8Array): number {
  return length < 0x80 ? 2 : 2 + (length & 0x7f);
}

function findKey(text: string): PemBlock {
  const keys = readPemBlocks(text).filter(({ label }) => /^(?:[A-Z]+ )?PRIVATE KEY$/.test(label));
  const [key, ...others] = keys;
  if (key === undefined) throw new TypeError("Cannot read the key: the text has no PRIVATE KEY block in PEM");
  const [second] = others;
  if (second !== undefined) {
    throw new TypeError(
      `Cannot read the key: there are ${keys.length} PRIVATE KEY blocks (lines ${
        keys.map(({ line }) => line).join(", ")
      }); leave the one of the certificate`,
    );
  }
  return key;
}

// No `cause`: an error of the parser might quote the key.
function readKey({ label, line, text, isEncrypted }: PemBlock): KeyObject {
  const name = `the ${label} block (line ${line})`;
  if (isEncrypted) throw new TypeError(`Cannot read the key: ${name} is encrypted; store it without a passphrase`);
  if (text === undefined) throw new TypeError(`Cannot read the key: ${name} is damaged or cut off`);
  try {
    return createPrivateKey(text);
  } catch {
    throw new TypeError(`Cannot read the key: ${name} is damaged or of an unknown kind`);
  }
}

function requireUsableKey(key: KeyObject, { line }: PemBlock): void {
  const flaw = findKeyFlaw(key);
  if (flaw === undefined) return;
  throw new TypeError(`Cannot use the key (line ${line}): ${flaw} cannot be used for TLS here; ${USABLE_KEYS}`);
}

function findKeyFlaw({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  const { namedCurve, modulusLength } = details ?? {};
  switch (type) {
    case "ed25519":
      return undefined;
    case "ec":
      return namedCurve !== undefined && namedCurve in CURVES ? undefined : `ECDSA on ${namedCurve ?? "its curve"}`;
    case "rsa":
      return modulusLength !== undefined && modulusLength >= RSA_BITS.min && modulusLength <= RSA_BITS.max
        ? undefined
        : `RSA of ${modulusLength} bits`;
    default:
      return `a key of type ${type}`;
  }
}

function requireMatch([leaf, ...others]: ReadPair["chain"], key: KeyObject): void {
  if (belongs(leaf, key)) return;
  const index = others.findIndex((certificate) => belongs(certificate, key));
  const hint = index < 0 ? "" : `; it is that of CERTIFICATE block ${index + 2}, which has to come first`;
  throw new TypeError(`Cannot use the certificate: the key is not that of the certificate${hint}`);
}

function belongs(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    return false; // a certificate for a kind of key that the runtime does not know
  }
}
