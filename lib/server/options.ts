/**
 * Options of a server.
 *
 * @module
 */

import type { Authorizer } from "../accounts/authorizer.ts";
import type { CommandChanges } from "../commands/command_changes.ts";
import type { EventHandlers, EventListener } from "../events.ts";
import type { GivenSettings } from "../settings/options.ts";
import type { RiskId } from "../settings/risks.ts";
import type { RefuseConnection } from "./acceptor.ts";

/** Options of `FtpServer`: its settings, and what only a program can give. */
export interface FtpServerOptions extends GivenSettings {
  /** Decides about logins. */
  readonly authorizer: Authorizer;
  /**
   * Ids of the risks that are accepted, such as `"clear-text-control"`; see `RISKS`. What is risky and not accepted makes
   * the constructor throw.
   *
   * @default {[]}
   */
  readonly acceptRisks?: readonly RiskId[];
  /** Commands that are left out, added, or watched. */
  readonly commands?: CommandChanges;
  /**
   * Asked about each client before it is greeted. A text refuses it: with 421, or where TLS is implicit without a word. An
   * answer that takes longer than the login may, or a throw, refuses it, too.
   */
  readonly refuseConnection?: RefuseConnection;
  /** Told of each event. Must not throw. */
  readonly onEvent?: EventListener;
  /** Told of the events that they are named after. */
  readonly on?: EventHandlers;
  /**
   * Whether `dialogue` events are made: one for each line of the protocol dialogue, secrets masked.
   *
   * @default {false}
   */
  readonly dialogue?: boolean;
  /** Aborting it shuts the server down at once. */
  readonly signal?: AbortSignal;
}
