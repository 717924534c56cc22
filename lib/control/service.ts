/**
 * What all control connections of a server share.
 *
 * @module
 */

import type { Authorizer } from "../auth/authorizer.ts";
import type { PortPool } from "../data/port_pool.ts";
import type { ServerEventName, ServerEvents } from "../events.ts";
import type { Settings } from "../session/settings.ts";
import type { DataTransport } from "../transport/connection.ts";

/** Made by the server, once. */
export interface Service {
  readonly settings: Settings;
  readonly authorizer: Authorizer;
  /** Transports of data connections by protection level; without TLS there is no private one. */
  readonly dataTransports: { readonly C: DataTransport; readonly P: DataTransport | undefined };
  readonly ports: PortPool;
  /** Whether anybody wants `dialogue` events. */
  readonly wantsDialogue: boolean;
  /** Tells of an event; never throws. */
  emit<Name extends ServerEventName>(event: Name, fields: ServerEvents[Name]): void;
}
