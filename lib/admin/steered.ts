/**
 * What the admin part can do to a served configuration.
 *
 * @module
 */

import type { Bans } from "../state/bans.ts";
import type { QuotaAmount } from "../state/quotas.ts";
import type { SessionSelector } from "../state/session_selector.ts";
import type { ObservedServer } from "./observed.ts";

/** What is stored under a quota. */
export interface QuotaReport {
  /** Whose, such as `user alice` or `group partners`. */
  readonly name: string;
  /** 0: no limit. */
  readonly limits: QuotaAmount;
  /** What is stored and reserved; `undefined` as long as nobody has counted what there is. */
  readonly used: QuotaAmount | undefined;
}

/** A node of several that share a state. */
export interface NodeReport {
  readonly name: string;
  /** Whether it is the one that answers. */
  readonly isThis: boolean;
  readonly sessions: number;
  /** Seconds until its lease ends, if it is not heard before. */
  readonly leaseSeconds: number;
}

/** A risk that the configuration accepts. */
export interface AcceptedRiskReport {
  readonly risk: string;
  readonly reason: string;
  /** Last day, `YYYY-MM-DD`; absent: for ever. */
  readonly until?: string | undefined;
}

/** A served configuration, as an operator steers it. What a method throws says that it cannot be done now. */
export interface SteeredServer extends ObservedServer {
  readonly version: string;
  readonly bans: Bans;
  /** How long a ban lasts by the configuration. */
  readonly banSeconds: number;
  readonly acceptedRisks: readonly AcceptedRiskReport[];
  /** What is stored under each quota of the configuration. */
  quotas(): Promise<readonly QuotaReport[]>;
  /** All nodes; empty where the server is alone. */
  nodes(): Promise<readonly NodeReport[]>;
  /** Ends sessions, on all nodes; returns how many where the server is alone, and nodes do not count them. */
  disconnect(selector: SessionSelector): Promise<number | undefined>;
  /**
   * Reads the configuration again.
   *
   * @returns Accepted risks, warnings, and what waits for a restart: a line for each.
   * @throws {UnusableConfigurationError} When it cannot be used; nothing has changed then.
   */
  reload(): Promise<readonly string[]>;
  /** Begins to stop, in the times of the configuration. */
  drain(): void;
}
