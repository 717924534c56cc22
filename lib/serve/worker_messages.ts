/**
 * What the main event loop and its workers say to each other.
 *
 * The main one owns what is counted: a worker asks it, as `shared_ports.ts` says.
 *
 * @module
 */

import type { Configuration } from "../settings/table.ts";
import type { ConfigurationFiles } from "../server/configured_options.ts";
import type { ServerEvent } from "../events.ts";
import type { SessionInfo } from "../session/session.ts";
import type { PortAnswer, PortRequest } from "./shared_ports.ts";

/** What a server is made of, in a form that can be sent. */
export interface ServerPlan {
  readonly configuration: Configuration;
  readonly files: ConfigurationFiles;
}

/** A certificate and its key, PEM. */
export type CertificatePair = NonNullable<ConfigurationFiles["certificate"]>;

/** Another plan, or only another certificate. */
export type ServerChange = { readonly plan: ServerPlan } | { readonly pair: CertificatePair };

/** From the main event loop to a worker. */
export type ToWorker =
  | {
    readonly kind: "start";
    readonly plan: ServerPlan;
    /** Beginning of the ids of the worker's sessions. */
    readonly idPrefix: string;
    readonly dialogue: boolean;
  }
  | { readonly kind: "port"; readonly answer: PortAnswer }
  | { readonly kind: "prepare"; readonly id: number; readonly change: ServerChange }
  | { readonly kind: "commit"; readonly id: number }
  | { readonly kind: "tellSessions" }
  | { readonly kind: "shutdown"; readonly graceMs: number };

/** From a worker to the main event loop. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "started" }
  | { readonly kind: "failed"; readonly reason: string; readonly lacksDescriptors?: boolean }
  /** Whether a change can be made, nothing of which holds yet, or that it holds. */
  | { readonly kind: "changed"; readonly id: number; readonly problem: string | undefined }
  | { readonly kind: "port"; readonly request: PortRequest }
  | { readonly kind: "sessions"; readonly sessions: readonly SessionInfo[] }
  | { readonly kind: "event"; readonly event: ServerEvent }
  | { readonly kind: "finished" };
