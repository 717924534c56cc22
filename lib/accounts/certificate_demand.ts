/**
 * What an account has to do with certificates of clients: which are its own, and whether one takes the place of a password.
 *
 * Only a certificate counts that the client has shown in this session and that leads up to a trusted CA; who checks that is the TLS
 * layer. Names are compared as they are, in whole: no case, no wildcard, no part of one.
 *
 * @module
 */

import type { PeerCertificate } from "../transport/connection.ts";

/** A certificate that is meant; what is given has to fit all together, and something has to be. */
export interface CertificateMatch {
  /** Its SHA-256, `"AB:CD:…"`. */
  readonly fingerprint?: string | undefined;
  /** Its subject, in the form of {@linkcode PeerCertificate.subject}. */
  readonly subject?: string | undefined;
  /** One of its alternative names, in the form of {@linkcode PeerCertificate.alternativeNames}. */
  readonly san?: string | undefined;
}

/** Options of {@linkcode CertificateDemand}. */
export interface CertificateDemandOptions {
  /**
   * `alone`: who shows one of the certificates needs no password; others log in with theirs. `withPassword`: nobody logs in without
   * one of them, and the password is needed besides.
   */
  readonly login: "alone" | "withPassword";
  /** The certificates of the account; one of the entries has to fit. */
  readonly match: readonly CertificateMatch[];
}

/**
 * The certificates of one account.
 *
 * @example
 * ```ts
 * import { AccountRules, CertificateDemand, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const certificates = new CertificateDemand({ login: "alone", match: [{ san: "email:alice@example.org" }] });
 * const rules = new AccountRules({ certificates });
 * new VirtualAuthorizer().addUser("alice", "12345", "/srv/ftp/alice", { rules });
 * ```
 */
export class CertificateDemand {
  readonly #login: CertificateDemandOptions["login"];
  readonly #match: readonly CertificateMatch[];

  /**
   * Makes the demand.
   *
   * @throws {SyntaxError} When there is no entry, or nothing in one.
   */
  constructor({ login, match }: CertificateDemandOptions) {
    const isEmpty = (entry: CertificateMatch) => Object.values(entry).every((value) => value === undefined);
    if (match.length === 0 || match.some(isEmpty)) {
      throw new SyntaxError("Cannot use the certificates of an account: an entry names none");
    }
    this.#login = login;
    this.#match = match.map((entry) => ({ ...entry }));
  }

  /** Returns whether who has shown that certificate needs no password. */
  replacesPassword(shown: PeerCertificate | undefined): boolean {
    return this.#login === "alone" && this.#fits(shown);
  }

  /** Returns why a password does not do with what was shown; `undefined` where it does. */
  refusal(shown: PeerCertificate | undefined): string | undefined {
    if (this.#login === "alone" || this.#fits(shown)) return undefined;
    return shown === undefined
      ? "the client has shown no certificate, which the account needs"
      : `the certificate "${shown.subject}" (${shown.fingerprint}) is not one of the account`;
  }

  #fits(shown: PeerCertificate | undefined): boolean {
    if (shown === undefined) return false;
    return this.#match.some(({ fingerprint, subject, san }) =>
      (fingerprint === undefined || fingerprint === shown.fingerprint) &&
      (subject === undefined || subject === shown.subject) &&
      (san === undefined || shown.alternativeNames.includes(san))
    );
  }
}
