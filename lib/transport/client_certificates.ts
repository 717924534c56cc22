/**
 * Certificates of clients: asking for them, and who is let in (RFC 5246 §7.4.6, RFC 8446 §4.4.2).
 *
 * The runtime asks for a certificate and has the client prove that it holds the key, but it lets every certificate through
 * and keeps its verdict for whoever asks. It checks nothing at all when a session is resumed, neither a chain nor whether
 * the session began with one. So the verdict is asked for after each full handshake, and only certificates that passed one
 * may come back by a resumed session.
 *
 * Names are read from the certificate's own bytes (see `certificate_identity.ts`), and revocation lists are ours to look at, too: the
 * runtime takes some and lets the revoked in.
 *
 * The rule holds for control and for data connections alike: clients that have a certificate show it on both, and a data
 * connection that is nobody's is refused before a byte of a file is sent.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import type tls from "node:tls";
import { type CertificateIdentity, readIdentity } from "../protocol/certificate_identity.ts";
import { derHeaderLength, readChain, readPemBlocks } from "./certificate_pair.ts";
import { CertificateRefusedError, type PeerCertificate } from "./connection.ts";
import { RevocationLists } from "./revocation_list.ts";

/** Who has to show a certificate, and who signs them. */
export interface ClientCertificatePolicy {
  /** `request` lets clients in that show none; one that is not good is refused in both modes. */
  readonly mode: "request" | "require";
  /**
   * Certificates in PEM that clients' certificates have to lead up to. A client's own certificate may be among them: it is
   * let in then, and can vouch for nobody else unless it is a CA.
   */
  readonly ca: string;
  /**
   * Revocation lists in PEM, each signed by one of `ca`. A certificate is let in only where its CA has a list that is not overdue;
   * absent: nobody looks.
   */
  readonly crl?: string | undefined;
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
  /** See {@linkcode ClientCertificatePolicy}. */
  readonly crl: string | undefined;
  readonly #authorities: ReadonlySet<string>;
  readonly #revoked: RevocationLists | undefined;
  /** Fingerprints of those that passed a full handshake. */
  readonly #admitted: Set<string>;
  /** What lists name those by who are there, and some who were. */
  readonly #identities: WeakMap<PeerCertificate, CertificateIdentity>;

  /**
   * @param former What held before: who was verified then under the same CAs can resume sessions.
   * @throws {TypeError} When the PEM texts hold no certificate or list, or a damaged one.
   */
  constructor({ mode, ca, crl }: ClientCertificatePolicy, former?: ClientCertificates) {
    this.mode = mode;
    this.ca = readAuthorities(ca);
    this.crl = crl;
    this.#authorities = new Set(readPemBlocks(this.ca).map(({ text }) => fingerprintOf(text ?? "")));
    this.#revoked = crl === undefined ? undefined : new RevocationLists(crl, this.ca);
    this.#admitted = former?.mode === mode && former.ca === this.ca ? former.#admitted : new Set();
    this.#identities = former === undefined ? new WeakMap() : former.#identities;
  }

  /** Returns whether a certificate that was let in, by this or what held before, has been revoked since. */
  isRevoked(certificate: PeerCertificate): boolean {
    const identity = this.#identities.get(certificate);
    return identity !== undefined && this.#revoked?.findRevoked(identity) !== undefined;
  }

  /**
   * Judges the client of a handshake that has just been completed, before anything is read from it or sent to it.
   *
   * @returns What it has shown; `undefined` if nothing, which `request` allows.
   * @throws {CertificateRefusedError} When the client is not to be let in.
   */
  admit(stream: tls.TLSSocket): PeerCertificate | undefined {
    const certificate = readPeerCertificate(stream);
    if (certificate === undefined) {
      if (this.mode === "request") return undefined;
      throw refusal("The client shows no certificate");
    }
    const { fingerprint256: fingerprint } = certificate;
    const identity = readNames(certificate);
    const { subject, alternativeNames } = identity;
    const reason = findFlaw(certificate, new Date()) ?? this.#verdict(stream, fingerprint) ??
      this.#findRevocation(identity, fingerprint);
    if (reason !== undefined) throw refusal(`The client's certificate "${subject}" is refused: ${reason}`);
    this.#remember(fingerprint);
    const peer = { subject, fingerprint, alternativeNames };
    this.#identities.set(peer, identity);
    return peer;
  }

  #verdict(stream: tls.TLSSocket, fingerprint: string): string | undefined {
    if (!stream.isSessionReused()) return readVerdict(stream);
    return this.#admitted.has(fingerprint) ? undefined : "it was not verified in the session that is resumed";
  }

  /** One that is itself among the CAs needs no list: it is taken back by leaving it out there. */
  #findRevocation(identity: CertificateIdentity, fingerprint: string): string | undefined {
    const isListed = !this.#authorities.has(fingerprint);
    return isListed ? this.#revoked?.findReason(identity, new Date()) : this.#revoked?.findRevoked(identity);
  }

  /** Those that have not come for longest are forgotten first; they need a full handshake then. */
  #remember(fingerprint: string): void {
    this.#admitted.delete(fingerprint);
    this.#admitted.add(fingerprint);
    const [oldest] = this.#admitted;
    if (this.#admitted.size > MAX_ADMITTED && oldest !== undefined) this.#admitted.delete(oldest);
  }
}

function readNames({ raw }: { readonly raw: Uint8Array }): CertificateIdentity {
  try {
    return readIdentity(raw);
  } catch (cause) {
    throw refusal("The names in the client's certificate cannot be read", { cause });
  }
}

function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
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

function refusal(message: string, options?: ErrorOptions): CertificateRefusedError {
  return new CertificateRefusedError(message, options);
}
