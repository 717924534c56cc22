/**
 * Lists of certificates that a CA has revoked (RFC 5280 §5).
 *
 * The runtime takes such lists and does nothing with them. So they are read here, verified once by the key of their CA when they
 * are loaded, and asked after each handshake.
 *
 * @module
 */

import { verify, X509Certificate } from "node:crypto";
import {
  DER_TAG,
  derContent,
  DerError,
  derIdentifier,
  derParts,
  derTime,
  type DerValue,
  readDer,
} from "../protocol/der.ts";
import { type CertificateIdentity, formatDistinguishedName, readIdentity } from "../protocol/certificate_identity.ts";
import { readPemBlocks } from "./certificate_pair.ts";

/** A list that its CA has signed. */
interface RevocationList {
  /** Its CA, on one line. */
  readonly issuer: string;
  /** When the next list is due; this one counts no more then. `undefined` where it does not say. */
  readonly nextUpdate: Date | undefined;
  /** Numbers of the revoked certificates. */
  readonly revoked: ReadonlySet<string>;
}

/** A list as it is told about. */
export interface RevocationListInfo extends Pick<RevocationList, "issuer" | "nextUpdate"> {
  /** How many certificates it revokes. */
  readonly count: number;
}

/** How signatures are verified, by their algorithm: a digest, or `null` where that is part of the algorithm. */
const DIGESTS: Readonly<Record<string, string | null>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
  "1.3.101.112": null,
};
/** Key identifier of the CA, and number of the list: what they say changes nothing here. */
const KNOWN_EXTENSIONS: readonly string[] = ["2.5.29.35", "2.5.29.20"];
/** Longest way from a certificate to its root; nobody's is so long. */
const MAX_DEPTH = 10;
const LABEL = "X509 CRL";
const CRITICAL = 0xff;
const BOOLEAN_TAG = 0x01;
const EXTENSIONS_TAG = 0xa0;

/** By what lists name a certificate. */
export type IssuedCertificate = Pick<CertificateIdentity, "issuer" | "serial">;

/** What some lists say about certificates. */
export class RevocationLists {
  /** By the name of the CA, in hexadecimal digits of its DER. */
  readonly #lists: ReadonlyMap<string, RevocationList>;
  readonly #authorities: readonly CertificateIdentity[];

  /**
   * @param pem Lists in PEM, one at least. Of two of one CA the later one counts.
   * @param ca Those who may have signed them, in PEM.
   * @throws {TypeError} When one cannot be read, was not signed by one of `ca`, or is of a kind that is not known here: one for a
   * part of the certificates only, one that changes another, or one of other CAs' certificates.
   */
  constructor(pem: string, ca: string) {
    const blocks = readPemBlocks(pem).filter(({ label }) => label === LABEL);
    if (blocks.length === 0) {
      throw new TypeError("Cannot read the revocation list: there is no X509 CRL block in PEM, nor a list in DER");
    }
    const authorities = readPemBlocks(ca).flatMap(({ label, text }) =>
      label === "CERTIFICATE" && text !== undefined ? [new X509Certificate(text)] : []
    );
    this.#authorities = authorities.map(({ raw }) => readIdentity(raw));
    const lists = new Map<string, RevocationList & { readonly thisUpdate: Date }>();
    for (const [index, { text, line }] of blocks.entries()) {
      const name = `block ${index + 1} of ${blocks.length} (line ${line})`;
      const { key, list } = readList(text, authorities, `Cannot use the revocation list: ${name}`);
      if (list.thisUpdate >= (lists.get(key)?.thisUpdate ?? new Date(0))) lists.set(key, list);
    }
    this.#lists = lists;
  }

  /** The lists that count. */
  get info(): readonly RevocationListInfo[] {
    return [...this.#lists.values()].map(({ issuer, nextUpdate, revoked }) => ({
      issuer,
      nextUpdate,
      count: revoked.size,
    }));
  }

  /**
   * Returns why a certificate is not to be accepted; `undefined` when its CA has a list that is not overdue, on which it is not.
   * Who cannot be looked up is refused: an old list says nothing about those that were revoked since.
   */
  findReason(certificate: IssuedCertificate, now: Date): string | undefined {
    const list = this.#listFor(certificate);
    if (list === undefined) return "there is no revocation list of its CA";
    const revoked = this.findRevoked(certificate);
    if (revoked !== undefined || list.nextUpdate === undefined || now <= list.nextUpdate) return revoked;
    return `the revocation list of its CA should have been renewed by ${list.nextUpdate.toISOString()}`;
  }

  /** Returns what is on a list, be that overdue or not: the certificate or a CA above it; `undefined` for nothing. */
  findRevoked(certificate: IssuedCertificate): string | undefined {
    return this.#findRevoked(certificate, MAX_DEPTH);
  }

  #findRevoked(certificate: IssuedCertificate, depth: number): string | undefined {
    if (this.#listFor(certificate)?.revoked.has(certificate.serial.toHex())) return "it was revoked";
    const issuers = this.#authorities.filter(({ subjectBytes }) => isSame(subjectBytes, certificate.issuer));
    if (issuers.length === 0 || isSame(issuers[0]?.issuer, certificate.issuer) || depth === 0) return undefined;
    // A CA may have more than one certificate; it is gone when all of them are.
    const areRevoked = issuers.every((issuer) => this.#findRevoked(issuer, depth - 1) !== undefined);
    return areRevoked ? `its CA "${issuers[0]?.subject}" was revoked` : undefined;
  }

  #listFor({ issuer }: IssuedCertificate): RevocationList | undefined {
    return this.#lists.get(issuer.toHex());
  }
}

function readList(
  text: string | undefined,
  authorities: readonly X509Certificate[],
  what: string,
): { readonly key: string; readonly list: RevocationList & { readonly thisUpdate: Date } } {
  if (text === undefined) throw new TypeError(`${what} is damaged or cut off`);
  try {
    const [body, algorithm, signature] = derParts(readDer(fromPem(text)));
    if (body === undefined) throw new DerError("Expected what was signed");
    const read = readBody(body);
    const { issuer, extensions } = read;
    const reason = findUnusable(extensions) ??
      findSignatureFlaw({ body, algorithm, signature, issuer }, authorities);
    if (reason !== undefined) throw new TypeError(`${what}, of ${JSON.stringify(read.list.issuer)}, ${reason}`);
    return { key: issuer.toHex(), list: read.list };
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new TypeError(`${what} is damaged: ${cause.message}`, { cause });
  }
}

/**
 * What a file of revocation lists holds, as PEM: a file in DER begins like no text.
 *
 * @returns Text that is not PEM as it is; whoever uses it finds that.
 */
export function revocationListsAsPem(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  if (bytes[0] !== DER_TAG.sequence || bytes[1] === undefined || bytes[1] < 0x80) return text;
  try {
    const lines = readDer(bytes).bytes.toBase64().replaceAll(/.{64}(?=.)/g, "$&\n");
    return `-----BEGIN ${LABEL}-----\n${lines}\n-----END ${LABEL}-----\n`;
  } catch {
    return text;
  }
}

/** A text of PEM's base64 in bytes. */
function fromPem(text: string): Uint8Array {
  return Uint8Array.fromBase64(text.replaceAll(/-----[^-]+-----|\s/g, ""));
}

interface ReadBody {
  /** Its name in bytes of DER. */
  readonly issuer: Uint8Array;
  /** Those of the list and of all entries. */
  readonly extensions: readonly DerValue[];
  readonly list: RevocationList & { readonly thisUpdate: Date };
}

/** The parts of what was signed (RFC 5280 §5.1.2). */
function readBody(body: DerValue): ReadBody {
  const parts = derParts(body);
  const [version] = parts;
  const fields = version?.tag === DER_TAG.integer ? parts.slice(1) : parts;
  const [_algorithm, issuer, thisUpdate, ...others] = fields;
  if (issuer === undefined) throw new DerError("Expected an issuer");
  const nextUpdate = others.find(({ tag }) => tag === DER_TAG.utcTime || tag === DER_TAG.generalizedTime);
  const entries = others.find(({ tag }) => tag === DER_TAG.sequence);
  const explicit = others.find(({ tag }) => tag === EXTENSIONS_TAG);
  const [listed] = explicit === undefined ? [] : derParts(explicit, EXTENSIONS_TAG);
  const revoked = entries === undefined ? [] : derParts(entries).map((entry) => derParts(entry));
  return {
    issuer: issuer.bytes,
    extensions: [
      ...listed === undefined ? [] : derParts(listed),
      ...revoked.flatMap(([, , own]) => own === undefined ? [] : derParts(own)),
    ],
    list: {
      issuer: formatDistinguishedName(issuer),
      thisUpdate: derTime(thisUpdate),
      nextUpdate: nextUpdate && derTime(nextUpdate),
      revoked: new Set(revoked.map(([serial]) => derContent(serial, DER_TAG.integer).toHex())),
    },
  };
}

/** What is critical and not understood must not be passed over (RFC 5280 §5.2). */
function findUnusable(extensions: readonly DerValue[]): string | undefined {
  for (const extension of extensions) {
    const [id, critical] = derParts(extension);
    const isCritical = critical?.tag === BOOLEAN_TAG && critical.content[0] === CRITICAL;
    const identifier = derIdentifier(id);
    if (isCritical && !KNOWN_EXTENSIONS.includes(identifier)) return `is of a kind that is not known (${identifier})`;
  }
  return undefined;
}

/** Returns what speaks against the signature of a list; `undefined` when one of the CAs, of its name, has made it. */
function findSignatureFlaw(
  { issuer, body, algorithm, signature }: {
    readonly issuer: Uint8Array;
    readonly body: DerValue;
    readonly algorithm: DerValue | undefined;
    readonly signature: DerValue | undefined;
  },
  authorities: readonly X509Certificate[],
): string | undefined {
  const identifier = derIdentifier(derParts(algorithm)[0]);
  const digest = DIGESTS[identifier];
  if (digest === undefined) return `is signed in a way that is not known (${identifier})`;
  // The first byte says how many bits at the end mean nothing, of which there are none in signatures.
  const signed = derContent(signature, DER_TAG.bitString).subarray(1);
  const isSigned = authorities.some((certificate) =>
    isSame(readIdentity(certificate.raw).subjectBytes, issuer) &&
    fits(digest, body.bytes, certificate, signed)
  );
  return isSigned ? undefined : "was not signed by one of ca";
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.toHex() === other.toHex();
}

function fits(
  digest: string | null,
  bytes: Uint8Array,
  { publicKey }: X509Certificate,
  signature: Uint8Array,
): boolean {
  try {
    return verify(digest, bytes, publicKey, signature);
  } catch {
    return false; // a kind of key that the runtime does not know
  }
}
