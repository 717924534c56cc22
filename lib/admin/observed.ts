/**
 * What the admin part sees of a served configuration, and what it can do to it.
 *
 * @module
 */

import type { ListeningAddress } from "../server/acceptor.ts";
import type { SessionInfo } from "../session/session.ts";
import type { FtpServer } from "../server/ftp_server.ts";
import type { InstrumentReader } from "./instruments.ts";

/** Whether clients should be sent here. */
export interface Readiness {
  readonly isReady: boolean;
  /** Why not, in a few words without names; empty when it is. */
  readonly reason: string;
}

/** How a certificate is doing that is ordered from a CA. */
export interface CertificateOrdering {
  readonly isOrdering: boolean;
  readonly nextAttempt: Date;
  /** Attempts that have failed in a row. */
  readonly failures: number;
  /** Why the last one has, in one line; absent: it has not. */
  readonly lastFailure?: string | undefined;
}

/** What can be seen. */
export interface ObservedServer {
  readonly addresses: readonly ListeningAddress[];
  readonly certificate: FtpServer["certificate"];
  /** How many event loops serve. */
  readonly workers: number;
  /** When it has started. */
  readonly since: Date;
  readonly instruments: InstrumentReader;
  readonly readiness: Readiness;
  /** How the certificate is doing that is ordered from a CA; absent: none is. */
  readonly ordering?: CertificateOrdering | undefined;
  /** Events that wait for hooks; absent: there are no hooks. */
  readonly waitingForHooks?: number | undefined;
  /** Who is connected, in all event loops. */
  sessions(): Promise<readonly SessionInfo[]>;
}
