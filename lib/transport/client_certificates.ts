/**
 * Certificates of clients: asking for them, and who is let in (RFC 5246 §7.4.6, RFC 8446 §4.4.2).
 *
 * The runtime asks for a certificate and has the client prove that it holds the key, but it lets every certificate through
 * and keeps its verdict for whoever asks. It checks nothing at all when a session is resumed, neither a chain nor whether
 * the session began with one. So the verdict is asked for after each full handshake, and only certificates that passed one
 * may come back by a resumed session.
 *
 * The rule holds for control and for data connections alike: clients that have a certificate show it on both, and a data
 * connection that is nobody's is refused before a byte of a file is sent.
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";
import type tls from "node:tls";
import { derHeaderLength, readChain, readPemBlocks } from "./certificate_pair.ts";
import { ConnectionError, type PeerCertificate } from "./connection.ts";

/** Who has to show a certificate, and who signs them. */
export interface ClientCertificatePolicy {
  /** `request` lets clients in that show none; one that is not good is refused in both modes. */
  readonly mode: "request" | "require";
  /**
   * Certificates in PEM that clients' certificates have to lead up to. A client's own certificate may be among them: it is
   * let in then, and can vouch for nobody else unless it is a CA.
   */
  readonly ca: string;
}

// A session ticket of this process is good for 12 hours; so many clients can resume within them.
const MAX_ADMITTED = 10_000;

const VERSION_3 = [0xa0, 0x03, 0x02, 0x01, 0x02] as const;

/** Decides about the clients of one server under one set of CAs. */
export class ClientCertificates {
  /** See {@linkcode ClientCertificatePolicy}. */
  readonly mode: ClientCertificatePolicy["mode"];
  /** See {@linkcode ClientCertificatePolicy}. */
  readonly ca: string;
  readonly #admitted = new Set<string>();

  /** @throws {TypeError} When the PEM text holds no certificate, or a damaged one. */
  constructor({ mode, ca }: ClientCertificatePolicy) {
    this.mode = mode;
    this.ca = readAuthorities(ca);
  }

  /**
   * Judges the client of a handshake that has just been completed, before anything is read from it or sent to it.
   *
   * @returns What it has shown; `undefined` if nothing, which `request` allows.
   * @throws {ConnectionError} Kind `"handshake"` when the client is not to be let in.
   */
  admit(stream: tls.TLSSocket): PeerCertificate | undefined {
    const certificate = readPeerCertificate(stream);
    if (certificate === undefined) {
      if (this.mode === "request") return undefined;
      throw refusal("The client shows no certificate");
    }
    const subject = oneLine(certificate.subject);
    const { fingerprint256: fingerprint } = certificate;
    const reason = findFlaw(certificate, new Date()) ?? this.#verdict(stream, fingerprint);
    if (reason !== undefined) throw refusal(`The client's certificate "${subject}" is refused: ${reason}`);
    this.#remember(fingerprint);
    return { subject, fingerprint };
  }

  #verdict(stream: tls.TLSSocket, fingerprint: string): string | undefined {
    if (!stream.isSessionReused()) return readVerdict(stream);
    return this.#admitted.has(fingerprint) ? undefined : "it was not verified in the session that is resumed";
  }

  /** Those that have not come for longest are forgotten first; they need a full handshake then. */
  #remember(fingerprint: string): void {
    this.#admitted.delete(fingerprint);
    this.#admitted.add(fingerprint);
    const [oldest] = this.#admitted;
    if (this.#admitted.size > MAX_ADMITTED && oldest !== undefined) this.#admitted.delete(oldest);
  }
}

function readPeerCertificate(stream: tls.TLSSocket): X509Certificate | undefined {
  try {
    return stream.getPeerX509Certificate();
  } catch (cause) {
    throw refusal("The client's certificate cannot be read", { cause });
  }
}

/** Returns what is wrong with the certificate itself; `undefined` if nothing. */
function findFlaw(certificate: X509Certificate, now: Date): string | undefined {
  // Of other versions the runtime does not even check that the client holds the key.
  if (!isVersion3(certificate.raw)) return "it is not of X.509 version 3";
  // The runtime does not look at the dates of one that is among the CAs, nor on resumption.
  if (now < new Date(certificate.validFrom)) return "it is not yet valid";
  if (now > new Date(certificate.validTo)) return "it has expired";
  return undefined;
}

/** The runtime's verdict on the chain; `undefined` when it is good. Without any verdict nobody is let in. */
function readVerdict(stream: tls.TLSSocket): string | undefined {
  const { ssl } = stream as { readonly ssl?: { verifyError?(): unknown } | null };
  const verdict = ssl?.verifyError?.();
  if (verdict === "") return undefined;
  return typeof verdict === "string" ? verdict : "the runtime does not tell whether its chain is good";
}

/** Returns whether the version field of a certificate in DER says 3 (RFC 5280 §4.1). */
function isVersion3(der: Uint8Array): boolean {
  const certificate = der.subarray(derHeaderLength(der));
  const body = certificate.subarray(derHeaderLength(certificate));
  return VERSION_3.every((byte, index) => body[index] === byte);
}

/** The certificates of a text of CAs, as PEM and nothing else. */
export function readAuthorities(pem: string): string {
  const blocks = readPemBlocks(pem).filter(({ label }) => label === "CERTIFICATE");
  readChain(blocks, "the CA for client certificates");
  return blocks.map(({ text }) => text).join("");
}

/** A name as one line for logs; `node:crypto` has a line for each part. */
function oneLine(name: string): string {
  return name.replaceAll("\n", ", ").replaceAll(/\p{Cc}/gu, "?");
}

function refusal(message: string, options?: ErrorOptions): ConnectionError {
  return new ConnectionError("handshake", message, options);
}
