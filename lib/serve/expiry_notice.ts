/**
 * Telling in time that the certificate in use will expire.
 *
 * @module
 */

import { findCertificateProblems } from "../check/certificate_findings.ts";
import type { Finding } from "../settings/finding.ts";
import type { FtpServer } from "../server/ftp_server.ts";

/** Options of {@linkcode ExpiryNotice}. */
export interface ExpiryNoticeOptions {
  /** The certificate in use; `undefined` without TLS. */
  readonly current: () => FtpServer["certificate"];
  /** Called with what there is to say, from 14 days before the end on. */
  readonly onFinding: (finding: Finding) => void;
  /**
   * Milliseconds between two looks; the first one comes after that time.
   *
   * @default {86_400_000}
   */
  readonly intervalMs?: number;
}

/** Looks at the dates of the certificate each day until it is disposed of; it holds a timer until then. */
export class ExpiryNotice implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;

  constructor({ current, onFinding, intervalMs = 86_400_000 }: ExpiryNoticeOptions) {
    this.#timer = setInterval(() => {
      const info = current();
      if (info === undefined) return;
      for (const finding of findCertificateProblems(info, { now: new Date(), listenHosts: [] })) onFinding(finding);
    }, intervalMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
