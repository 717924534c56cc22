/**
 * What the main event loop and its workers say to each other.
 *
 * The main one owns what is counted: a worker asks it, and tells when a place or a claim is free again.
 *
 * @module
 */

import type { AccountLimits } from "../accounts/authorizer.ts";
import type { Configuration } from "../config/configuration.ts";
import type { ConfigurationFiles } from "../config/server_options.ts";
import type { FailureCount, SharedRate } from "../state/state.ts";
import type { ServerEvent } from "../events.ts";
import type { SessionInfo } from "../session/session.ts";

/** What a server is made of, in a form that can be sent. */
export interface ServerPlan {
  readonly configuration: Configuration;
  readonly files: ConfigurationFiles;
}

/** A certificate and its key, PEM. */
export type CertificatePair = NonNullable<ConfigurationFiles["certificate"]>;

/** Another plan, or only another certificate. */
export type ServerChange = { readonly plan: ServerPlan } | { readonly pair: CertificatePair };

/** What a worker asks; `hold` names what it will give back. */
export type Question =
  | { readonly ask: "acquireConnection"; readonly host: string; readonly hold: number }
  | { readonly ask: "beginAttempt"; readonly host: string; readonly hold: number }
  | { readonly ask: "failAttempt"; readonly hold: number }
  | { readonly ask: "acquireAccount"; readonly username: string; readonly limits: AccountLimits; readonly hold: number }
  | { readonly ask: "claimFile"; readonly file: string; readonly hold: number }
  | { readonly ask: "takeWorkPlace"; readonly owner: string | undefined; readonly hold: number };

/** What is answered. */
export interface Answers {
  /** Why there is no place; `undefined` when there is one. */
  readonly acquireConnection: string | undefined;
  /** Whether it may begin; not for an address that is banned. */
  readonly beginAttempt: boolean;
  readonly failAttempt: FailureCount;
  /** The rates that hold; `undefined` when there is no place. */
  readonly acquireAccount:
    | { readonly send: SharedRate | undefined; readonly receive: SharedRate | undefined }
    | undefined;
  /** Whether the file is free. */
  readonly claimFile: boolean;
  /** Why there is no place for a password to be checked; `undefined` when there is one. */
  readonly takeWorkPlace: string | undefined;
}

/** From the main event loop to a worker. */
export type ToWorker =
  | {
    readonly kind: "start";
    readonly plan: ServerPlan;
    /** Beginning of the ids of the worker's sessions. */
    readonly idPrefix: string;
    readonly dialogue: boolean;
  }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "prepare"; readonly id: number; readonly change: ServerChange }
  | { readonly kind: "commit"; readonly id: number }
  | { readonly kind: "tellSessions" }
  | { readonly kind: "shutdown"; readonly graceMs: number };

/** From a worker to the main event loop. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "started" }
  | { readonly kind: "failed"; readonly reason: string }
  /** Whether a change can be made, nothing of which holds yet, or that it holds. */
  | { readonly kind: "changed"; readonly id: number; readonly problem: string | undefined }
  | { readonly kind: "question"; readonly id: number; readonly question: Question }
  | { readonly kind: "loggedIn"; readonly hold: number }
  | { readonly kind: "giveBack"; readonly hold: number }
  | { readonly kind: "release"; readonly hold: number }
  | { readonly kind: "sessions"; readonly sessions: readonly SessionInfo[] }
  | { readonly kind: "event"; readonly event: ServerEvent }
  | { readonly kind: "finished" };
