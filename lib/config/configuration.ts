/**
 * A configuration as it was read and found sound: frozen, paths absolute.
 *
 * @module
 */

import type { PermissionOverride } from "../accounts/permission.ts";
import type { LogFormat, LogLevel } from "../logger.ts";
import type { FtpServerOptions } from "../server/options.ts";
import type { AcceptedRisk } from "../settings/risks.ts";

/** An account with a home on the host. */
export interface AccountConfiguration {
  /** Absolute path of the host. */
  readonly home: string;
  readonly permissions: string;
  readonly overrides: readonly PermissionOverride[];
  readonly loginMessage?: string;
  readonly quitMessage?: string;
}

/** Limits of one user; absent or 0: none. */
export interface UserLimits {
  /** Sessions at once. */
  readonly connections?: number;
  /** Bytes a second. */
  readonly bandwidth?: { readonly upload?: number; readonly download?: number };
}

/** A user with a password. */
export interface UserConfiguration extends AccountConfiguration {
  readonly name: string;
  /** Hash, or clear text where the risk `plaintext-password` is accepted. */
  readonly password: string;
  /** Limits of this user over all sessions. */
  readonly limits: UserLimits;
}

/** The anonymous account. */
export interface AnonymousConfiguration extends AccountConfiguration {
  readonly forceWrite: boolean;
}

/** Files of a certificate, absolute paths. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Everything that `ftpsd serve` needs. */
export interface Configuration {
  /** What `FtpServer` takes as it is. */
  readonly server:
    & Omit<
      FtpServerOptions,
      "authorizer" | "commands" | "dialogue" | "on" | "onEvent" | "refuseConnection" | "signal"
    >
    & {
      /** Commands that nobody may use. */
      readonly commands?: { readonly disabled?: readonly string[] };
    };
  /** Absent: made in memory. */
  readonly certificateFiles: CertificateFiles | undefined;
  readonly clientCertificates: {
    readonly mode: "none" | "request" | "require";
    /** Who signs them: absolute path. */
    readonly caFile: string | undefined;
  };
  readonly users: readonly UserConfiguration[];
  readonly anonymous: AnonymousConfiguration | undefined;
  /** File that the password of the one user was read from; the command line can name one. */
  readonly passwordFile?: string;
  readonly acceptRisks: readonly AcceptedRisk[];
  /** Event loops; `"auto"`: as many as there are processors. */
  readonly workers: number | "auto";
  readonly log: {
    readonly format: LogFormat;
    readonly level: LogLevel;
    /** File for a line about each transfer: absolute path. */
    readonly transfers: string | undefined;
  };
}
