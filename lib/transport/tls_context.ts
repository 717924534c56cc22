/**
 * The server's certificate and key, and the TLS versions it speaks.
 *
 * @module
 */

import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import tls from "node:tls";
import { type ClientCertificateOptions, ClientCertificates } from "./client_certificates.ts";

/** TLS versions this server can speak. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** A certificate chain and its private key, both in PEM. */
export interface CertificatePair {
  /** Leaf certificate first, then the intermediate ones. */
  readonly certificate: string;
  /** PKCS#8, SEC1 or PKCS#1, not encrypted. */
  readonly key: string;
}

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
  /** Whether it names itself as its issuer, so that clients have to be told to trust it. */
  readonly selfSigned: boolean;
}

/** Options of {@linkcode TlsContext}. */
export interface TlsContextOptions extends CertificatePair {
  /** @default {"TLSv1.2"} */
  readonly minVersion?: TlsVersion;
  /** @default {"TLSv1.3"} */
  readonly maxVersion?: TlsVersion;
  /** Absent: clients are not asked for a certificate. */
  readonly clientCertificates?: ClientCertificateOptions;
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
  #pair: CertificatePair;
  #leaf: X509Certificate;
  #handshake: HandshakeSettings;

  /** @throws {TypeError} When a PEM text cannot be read, or the key is not that of the certificate. */
  constructor(options: TlsContextOptions) {
    const { minVersion = "TLSv1.2", maxVersion = "TLSv1.3", clientCertificates } = options;
    if (minVersion > maxVersion) {
      throw new TypeError(`Cannot use TLS versions "${minVersion}" to "${maxVersion}": the range is empty`);
    }
    this.#versions = { minVersion, maxVersion };
    this.#pair = options;
    this.#leaf = checkPair(options);
    this.#handshake = this.#createHandshake(options, clientCertificates && new ClientCertificates(clientCertificates));
  }

  /** Settings for the next handshake. */
  get handshake(): HandshakeSettings {
    return this.#handshake;
  }

  /** What clients can be told about the leaf certificate. */
  get info(): CertificateInfo {
    return describe(this.#leaf);
  }

  /**
   * Uses another certificate from the next handshake on. Connections go on, and their sessions can still be resumed.
   *
   * @throws {TypeError} As the constructor; the old pair stays then.
   */
  replace(pair: CertificatePair): void {
    const leaf = checkPair(pair);
    this.#handshake = this.#createHandshake(pair, this.#handshake.clientCertificates);
    this.#pair = pair;
    this.#leaf = leaf;
  }

  /**
   * Asks clients for other certificates, or for none, from the next handshake on. Connections go on. With another CA or mode
   * no earlier session can be resumed by a client that shows a certificate.
   *
   * @throws {TypeError} As the constructor; nothing changes then.
   */
  replaceClientCertificates(options: ClientCertificateOptions | undefined): void {
    const { clientCertificates: current } = this.#handshake;
    if (options?.mode === current?.mode && options?.ca === current?.ca) return;
    this.#handshake = this.#createHandshake(this.#pair, options && new ClientCertificates(options));
  }

  #createHandshake(
    { certificate, key }: CertificatePair,
    clientCertificates: ClientCertificates | undefined,
  ): HandshakeSettings {
    const ca = clientCertificates === undefined ? {} : { ca: clientCertificates.ca };
    return {
      secureContext: tls.createSecureContext({ cert: certificate, key, ...ca, ...this.#versions }),
      clientCertificates,
    };
  }
}

/**
 * Reads what there is to know about a pair's leaf certificate.
 *
 * @throws {TypeError} When a PEM text cannot be read, or the key is not that of the certificate.
 */
export function describeCertificate(pair: CertificatePair): CertificateInfo {
  return describe(checkPair(pair));
}

function describe(leaf: X509Certificate): CertificateInfo {
  return {
    fingerprint: leaf.fingerprint256,
    sha1Fingerprint: leaf.fingerprint,
    publicKeyPin: createHash("sha256").update(publicKeyOf(leaf)).digest("base64"),
    validFrom: new Date(leaf.validFrom),
    validTo: new Date(leaf.validTo),
    names: alternativeNames(leaf),
    // Not verified: the runtime cannot do so for every key that it can use.
    selfSigned: leaf.issuer === leaf.subject,
  };
}

function alternativeNames({ subjectAltName = "" }: X509Certificate): string[] {
  return subjectAltName.split(", ").flatMap((name) => {
    const [, value] = /^(?:DNS|IP Address):(.+)$/.exec(name) ?? [];
    return value === undefined ? [] : [value];
  });
}

function checkPair(pair: CertificatePair): X509Certificate {
  const leaf = readCertificate(pair.certificate);
  const key = readKey(pair.key);
  if (!leaf.checkPrivateKey(key)) {
    throw new TypeError("Cannot use the certificate: the key is not that of the certificate");
  }
  return leaf;
}

function publicKeyOf(certificate: X509Certificate): Uint8Array {
  return new Uint8Array(certificate.publicKey.export({ type: "spki", format: "der" }));
}

function readCertificate(pem: string): X509Certificate {
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new TypeError("Cannot read the certificate: the text has no CERTIFICATE block in PEM");
  }
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new TypeError("Cannot read the certificate: the first CERTIFICATE block is damaged", { cause });
  }
}

// No `cause`: an error of the parser might quote the key.
function readKey(pem: string): KeyObject {
  if (pem.includes("ENCRYPTED")) {
    throw new TypeError("Cannot read the key: it is encrypted; store it without a passphrase");
  }
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(pem)) {
    throw new TypeError("Cannot read the key: the text has no PRIVATE KEY block in PEM");
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TypeError("Cannot read the key: the PRIVATE KEY block is damaged or of an unknown kind");
  }
}
