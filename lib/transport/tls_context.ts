/**
 * The server's certificate and key, and the TLS versions it speaks.
 *
 * @module
 */

import { createHash } from "node:crypto";
import tls from "node:tls";
import { alternativeNames } from "../protocol/certificate_name.ts";
import { type CertificatePair, type ReadPair, readPair } from "./certificate_pair.ts";
import { type ClientCertificatePolicy, ClientCertificates } from "./client_certificates.ts";

/** TLS versions this server can speak. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** A certificate as clients name it. */
export interface CertificateInfo {
  /** SHA-256 of the certificate, `"AB:CD:…"`. */
  readonly fingerprint: string;
  /** SHA-1 of the certificate, in the same form: lftp asks for it. */
  readonly sha1Fingerprint: string;
  /** SHA-256 of the public key in base64: curl's `--pinnedpubkey` (RFC 7469 §2.4). */
  readonly publicKeyPin: string;
  /** Begin of its validity. */
  readonly validFrom: Date;
  /** End of its validity. */
  readonly validTo: Date;
  /** DNS names and IP addresses that it is good for, in its own spelling; `*.example.org` stands for one label. */
  readonly names: readonly string[];
  /** Whether it names itself as its issuer, so that clients trust it only by configuration. */
  readonly selfSigned: boolean;
  /** Whether the chain has the certificate of its issuer, which clients need unless they trust that one itself. */
  readonly hasIssuer: boolean;
}

/** Options of {@linkcode TlsContext}. */
export interface TlsContextOptions extends CertificatePair {
  /** @default {"TLSv1.2"} */
  readonly minVersion?: TlsVersion;
  /** @default {"TLSv1.3"} */
  readonly maxVersion?: TlsVersion;
  /** Absent: clients are not asked for a certificate. */
  readonly clientCertificates?: ClientCertificatePolicy;
}

/** What of a {@linkcode TlsContext} can become another. */
export interface TlsReplacement {
  /** Absent: the one in use stays. */
  readonly pair?: CertificatePair | undefined;
  /** Absent: clients are asked for no certificate any more. */
  readonly clientCertificates: ClientCertificatePolicy | undefined;
}

/** What one handshake goes by, whatever is replaced while it runs. */
export interface HandshakeSettings {
  readonly secureContext: tls.SecureContext;
  /** Judges the client at the end of the handshake; absent: it is not asked for a certificate. */
  readonly clientCertificates: ClientCertificates | undefined;
}

/**
 * What TLS handshakes of one server share. Control and data connections use the same context, so that a session of the
 * control connection can be resumed on a data connection; tickets are good in this process only.
 */
export class TlsContext {
  readonly #versions: { readonly minVersion: TlsVersion; readonly maxVersion: TlsVersion };
  #pair: ReadPair;
  #handshake: HandshakeSettings;

  /** @throws {TypeError} When a PEM text cannot be read, or the key is not that of the certificate. */
  constructor(options: TlsContextOptions) {
    const { minVersion = "TLSv1.2", maxVersion = "TLSv1.3", clientCertificates } = options;
    if (minVersion > maxVersion) {
      throw new TypeError(`Cannot use TLS versions "${minVersion}" to "${maxVersion}": the range is empty`);
    }
    this.#versions = { minVersion, maxVersion };
    this.#pair = readPair(options);
    this.#handshake = this.#createHandshake(
      this.#pair,
      clientCertificates && new ClientCertificates(clientCertificates),
    );
  }

  /** Settings for the next handshake. */
  get handshake(): HandshakeSettings {
    return this.#handshake;
  }

  /** What clients can know of the leaf certificate. */
  get info(): CertificateInfo {
    return describe(this.#pair);
  }

  /**
   * Makes what another certificate of the server, and other ones of clients, need. Nothing changes until the function that
   * comes back is called, which cannot fail: then they hold from the next handshake on. Connections go on, and their sessions
   * can still be resumed, but with another CA or mode not by a client that shows a certificate.
   *
   * @throws {TypeError} As the constructor.
   */
  prepare({ pair, clientCertificates }: TlsReplacement): () => void {
    const read = pair === undefined ? this.#pair : readPair(pair);
    const { clientCertificates: current } = this.#handshake;
    const next = clientCertificates && new ClientCertificates(clientCertificates, current);
    const isSame = next?.mode === current?.mode && next?.ca === current?.ca && next?.crl === current?.crl;
    const handshake = this.#createHandshake(read, isSame ? current : next);
    return () => {
      this.#handshake = handshake;
      this.#pair = read;
    };
  }

  #createHandshake(
    { certificate, key }: CertificatePair,
    clientCertificates: ClientCertificates | undefined,
  ): HandshakeSettings {
    const ca = clientCertificates === undefined ? {} : { ca: clientCertificates.ca };
    return { secureContext: createContext({ cert: certificate, key, ...ca, ...this.#versions }), clientCertificates };
  }
}

/** @throws {TypeError} Whatever the engine has against it. */
function createContext(options: tls.SecureContextOptions): tls.SecureContext {
  try {
    return tls.createSecureContext(options);
  } catch (cause) {
    // No message of the engine's: it might quote the key.
    throw new TypeError("Cannot use the certificate: the TLS engine refuses it or its key", { cause });
  }
}

/**
 * Reads what there is to know about a pair's leaf certificate.
 *
 * @throws {TypeError} When the pair cannot be used.
 */
export function describeCertificate(pair: CertificatePair): CertificateInfo {
  return describe(readPair(pair));
}

function describe({ chain: [leaf, ...others], publicKey }: ReadPair): CertificateInfo {
  return {
    fingerprint: leaf.fingerprint256,
    sha1Fingerprint: leaf.fingerprint,
    publicKeyPin: createHash("sha256").update(publicKey).digest("base64"),
    validFrom: new Date(leaf.validFrom),
    validTo: new Date(leaf.validTo),
    names: alternativeNames(leaf.subjectAltName ?? ""),
    // By names only: the runtime cannot verify with every key that it can use.
    selfSigned: leaf.issuer === leaf.subject,
    hasIssuer: others.some(({ subject }) => subject === leaf.issuer),
  };
}
