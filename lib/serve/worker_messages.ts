/**
 * What the main event loop and its workers say to each other.
 *
 * What is counted is in memory that they share. For the rest a worker asks the main one, as `shared_ports.ts` says.
 *
 * @module
 */

import type { InstrumentMemory } from "../admin/instruments.ts";
import type { Configuration } from "../settings/table.ts";
import type { ConfigurationFiles } from "../server/configured_options.ts";
import type { ServerEvent, ServerEventName } from "../events.ts";
import type { ShutdownOptions } from "../server/ftp_server.ts";
import type { SessionInfo } from "../session/session.ts";
import type { SessionSelector } from "../state/session_selector.ts";
import type { TermCell } from "../state/postgres/node_term.ts";
import type { TableMemory } from "../state/shared_table.ts";
import type { PortAnswer, PortRequest } from "./shared_ports.ts";

/** What a server is made of, in a form that can be sent. */
export interface ServerPlan {
  readonly configuration: Configuration;
  readonly files: ConfigurationFiles;
}

/** A certificate and its key, PEM. */
export type CertificatePair = NonNullable<ConfigurationFiles["certificate"]>;

/** Memory that all event loops have. */
export interface SharedMemory {
  /** Of the state; absent: it is not in memory, and is asked by messages. */
  readonly state?: TableMemory;
  /** Who writes which file. */
  readonly claims: TableMemory;
  /** Whether this node has its lease of the others; absent: it is alone. */
  readonly term?: TermCell;
  /** What is stored under quotas. */
  readonly quotas: TableMemory;
  /** Whether the main event loop keeps them beyond the process. */
  readonly keepsQuotas: boolean;
  /** Whether it keeps events for hooks. */
  readonly keepsEvents: boolean;
  /** Whether new passwords of users of the configuration are kept. */
  readonly keepsPasswordsOfFile: boolean;
}

/** Another plan, or only another certificate, or only other revocation lists. */
export type ServerChange = { readonly plan: ServerPlan } | PemChange;

/** What changes by itself of what PEM files hold. */
export type PemChange = { readonly pair: CertificatePair } | { readonly crl: string };

/** From the main event loop to a worker. */
export type ToWorker =
  | {
    readonly kind: "start";
    readonly plan: ServerPlan;
    /** Beginning of the ids of the worker's sessions. */
    readonly idPrefix: string;
    readonly dialogue: boolean;
    /** How many event loops there are. */
    readonly eventLoops: number;
    readonly memory: SharedMemory;
    /** Where the worker alone counts what it measures; absent: nobody wants to know. */
    readonly instruments?: InstrumentMemory | undefined;
    /** Whether spans are followed. */
    readonly traced: boolean;
    /** Events that somebody wants; of the others the worker keeps silent. Absent: all. */
    readonly events?: readonly ServerEventName[] | undefined;
  }
  | { readonly kind: "port"; readonly answer: PortAnswer }
  | { readonly kind: "prepare"; readonly id: number; readonly change: ServerChange }
  | { readonly kind: "commit"; readonly id: number }
  | { readonly kind: "tellSessions" }
  | { readonly kind: "disconnect"; readonly id: number; readonly selector: SessionSelector; readonly text: string }
  | { readonly kind: "shutdown"; readonly options: ShutdownOptions };

/** From a worker to the main event loop. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "started" }
  | { readonly kind: "failed"; readonly reason: string; readonly lacksDescriptors?: boolean }
  /** Whether a change can be made, nothing of which holds yet, or that it holds. */
  | { readonly kind: "changed"; readonly id: number; readonly problem: string | undefined }
  | { readonly kind: "port"; readonly request: PortRequest }
  | { readonly kind: "sessions"; readonly sessions: readonly SessionInfo[] }
  /** How many sessions were ended. */
  | { readonly kind: "disconnected"; readonly id: number; readonly count: number }
  /** What has happened since the last such message, in order. All of it comes before the end. */
  | { readonly kind: "events"; readonly events: readonly ServerEvent[] }
  | { readonly kind: "finished" };
