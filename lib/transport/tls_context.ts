/**
 * The server's certificate and key, and the TLS versions it speaks.
 *
 * @module
 */

import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import tls from "node:tls";

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
  /** End of its validity. */
  readonly validTo: Date;
}

/** Options of {@linkcode TlsContext}. */
export interface TlsContextOptions extends CertificatePair {
  /** @default {"TLSv1.2"} */
  readonly minVersion?: TlsVersion;
  /** @default {"TLSv1.3"} */
  readonly maxVersion?: TlsVersion;
}

/**
 * What TLS handshakes of one server share. Control and data connections use the same context, so that a session of the
 * control connection can be resumed on a data connection; tickets are good in this process only.
 */
export class TlsContext {
  readonly #versions: { readonly minVersion: TlsVersion; readonly maxVersion: TlsVersion };
  #secureContext: tls.SecureContext;
  #leaf: X509Certificate;

  /** @throws {TypeError} When a PEM text cannot be read, or the key is not that of the certificate. */
  constructor(options: TlsContextOptions) {
    const { minVersion = "TLSv1.2", maxVersion = "TLSv1.3" } = options;
    if (minVersion > maxVersion) {
      throw new TypeError(`Cannot use TLS versions "${minVersion}" to "${maxVersion}": the range is empty`);
    }
    this.#versions = { minVersion, maxVersion };
    this.#leaf = checkPair(options);
    this.#secureContext = this.#createSecureContext(options);
  }

  /** Context for the next handshake. */
  get secureContext(): tls.SecureContext {
    return this.#secureContext;
  }

  /** What clients can be told about the leaf certificate. */
  get info(): CertificateInfo {
    return {
      fingerprint: this.#leaf.fingerprint256,
      sha1Fingerprint: this.#leaf.fingerprint,
      publicKeyPin: createHash("sha256").update(publicKeyOf(this.#leaf)).digest("base64"),
      validTo: new Date(this.#leaf.validTo),
    };
  }

  /**
   * Uses another certificate from the next handshake on. Connections go on, and their sessions can still be resumed.
   *
   * @throws {TypeError} As the constructor; the old pair stays then.
   */
  replace(pair: CertificatePair): void {
    const leaf = checkPair(pair);
    this.#secureContext = this.#createSecureContext(pair);
    this.#leaf = leaf;
  }

  #createSecureContext(pair: CertificatePair): tls.SecureContext {
    return tls.createSecureContext({ cert: pair.certificate, key: pair.key, ...this.#versions });
  }
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
