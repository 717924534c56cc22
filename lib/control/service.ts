/**
 * What all control connections of a server share.
 *
 * @module
 */

import type { Authorizer } from "../accounts/authorizer.ts";
import type { CommandTable } from "../commands/command_table.ts";
import type { PortPool } from "../data/port_pool.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import type { ServerEventName, ServerEvents } from "../events.ts";
import type { Digest, HashAlgorithm } from "../filesystem/digest.ts";
import type { Settings } from "../settings/settings.ts";
import type { DataTransport } from "../transport/connection.ts";
import type { SharedState } from "../state/state.ts";

/** Made by the server, once. */
export interface Service {
  /** Settings for sessions that begin now. */
  readonly settings: Settings;
  /** Commands for sessions that begin now. */
  readonly commands: CommandTable;
  /** Authorizer for logins that begin now. */
  readonly authorizer: Authorizer;
  readonly state: SharedState;
  /** Transports of data connections by protection level; without TLS there is no private one. */
  readonly dataTransports: { readonly C: DataTransport; readonly P: DataTransport | undefined };
  readonly ports: PortPool;
  /** Encoding of the dialogue, unless a client chooses UTF-8. */
  readonly encoding: TextEncoding;
  /** Makes a digest of no bytes yet. */
  readonly createDigest: (algorithm: HashAlgorithm) => Digest;
  /** Whether anybody wants `dialogue` events. */
  readonly wantsDialogue: boolean;
  /** Tells of an event; never throws. */
  emit<Name extends ServerEventName>(event: Name, fields: ServerEvents[Name]): void;
}
