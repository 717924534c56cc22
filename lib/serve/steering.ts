/**
 * A served configuration as the admin part sees and steers it.
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import type { InstrumentReader } from "../admin/instruments.ts";
import type { AcceptedRiskReport, NodeReport, QuotaReport, SteeredServer } from "../admin/steered.ts";
import { allQuotas } from "../server/account_quotas.ts";
import type { Bans } from "../state/bans.ts";
import type { QuotaUse } from "../state/quotas.ts";
import type { SessionSelector } from "../state/session_selector.ts";
import type { ConfiguredServer } from "./configured_server.ts";

/** What it works with. */
export interface SteeringOptions {
  readonly server: ConfiguredServer;
  readonly instruments: InstrumentReader;
  /** How many events wait for hooks; `undefined` where there are none. */
  readonly waitingForHooks: () => number | undefined;
  /** How the certificate is doing that is ordered; `undefined` where none is. */
  readonly ordering: () => SteeredServer["ordering"];
  /** See {@linkcode SteeredServer.reload}. */
  readonly reload: () => Promise<readonly string[]>;
  /** Begins to stop. Must not throw. */
  readonly drain: () => void;
}

/** Steers a server. */
export class Steering implements SteeredServer {
  readonly version: string = project.version;
  readonly since: Date = new Date();
  readonly instruments: InstrumentReader;
  readonly reload: () => Promise<readonly string[]>;
  readonly drain: () => void;
  readonly #server: ConfiguredServer;
  readonly #waitingForHooks: () => number | undefined;
  readonly #ordering: SteeringOptions["ordering"];

  constructor({ server, instruments, waitingForHooks, ordering, reload, drain }: SteeringOptions) {
    this.#waitingForHooks = waitingForHooks;
    this.#ordering = ordering;
    this.#server = server;
    this.instruments = instruments;
    this.reload = reload;
    this.drain = drain;
  }

  get addresses(): SteeredServer["addresses"] {
    return this.#server.addresses;
  }

  get certificate(): SteeredServer["certificate"] {
    return this.#server.certificate;
  }

  get workers(): number {
    return this.#server.workers;
  }

  get readiness(): SteeredServer["readiness"] {
    return this.#server.readiness;
  }

  get waitingForHooks(): number | undefined {
    return this.#waitingForHooks();
  }

  get ordering(): SteeredServer["ordering"] {
    return this.#ordering();
  }

  get bans(): Bans {
    return this.#server.bans;
  }

  get banSeconds(): number {
    return this.#server.plan.configuration.ban.duration;
  }

  get acceptedRisks(): readonly AcceptedRiskReport[] {
    return this.#server.plan.configuration.acceptRisks.map(({ risk, reason, until }) => ({
      risk,
      reason,
      ...until && { until: until.toISOString().slice(0, 10) },
    }));
  }

  sessions(): ReturnType<SteeredServer["sessions"]> {
    return this.#server.sessions();
  }

  async quotas(): Promise<readonly QuotaReport[]> {
    const { quotas, plan } = this.#server;
    return await Promise.all(
      allQuotas(plan.configuration).map(async ({ name, limits }) => ({
        name,
        limits,
        used: sumOf(await quotas.use(name)),
      })),
    );
  }

  async nodes(): Promise<readonly NodeReport[]> {
    const nodes = await this.#server.cluster?.nodes() ?? [];
    return nodes.map(({ name, sessions, leaseSeconds, isThis }) => ({ name, isThis, sessions, leaseSeconds }));
  }

  async disconnect(selector: SessionSelector): Promise<number | undefined> {
    const { cluster } = this.#server;
    const isOfThisNode = "session" in selector;
    if (cluster === undefined || isOfThisNode) return await this.#server.disconnect(selector);
    await cluster.kick(selector);
    return undefined;
  }
}

function sumOf(use: QuotaUse | undefined): QuotaReport["used"] {
  if (use === undefined) return undefined;
  const { stored, reserved } = use;
  return { bytes: stored.bytes + reserved.bytes, files: stored.files + reserved.files };
}
