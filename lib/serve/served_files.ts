/**
 * The files of an event loop: homes on the disk and in stores, and who writes what.
 *
 * @module
 */

import type { FileClaims } from "../filesystem/file_claims.ts";
import { QuotaLedger } from "../filesystem/quota/quota_ledger.ts";
import type { ObjectSweeper } from "../filesystem/object/object_sweep.ts";
import type { HomeOpener } from "../server/account_home.ts";
import { createHomes } from "../server/configured_options.ts";
import type { AccountServices } from "../server/account_quotas.ts";
import type { Trace } from "../tracing.ts";
import type { Meter } from "../meter.ts";
import { StoreHomes } from "../server/store_homes.ts";
import type { Duties } from "../state/duties.ts";
import { GuardedFileClaims, reportSparingly } from "../state/guarded_state.ts";
import type { QuotaCounts } from "../state/quotas.ts";
import type { StateRecords } from "../state/records.ts";
import { describeThrown } from "../thrown.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** What an event loop shares with the others. */
export interface ServedFilesOptions {
  readonly claims: FileClaims;
  readonly records: StateRecords;
  readonly quotas: QuotaCounts;
  /** What one of several nodes does; absent: this server is alone. */
  readonly duties?: Duties | undefined;
  readonly eventLoops: number;
  /** Takes measurements; absent: nobody does. */
  readonly meter?: Meter | undefined;
  /** Does requests to stores in spans; absent: nobody follows them. */
  readonly trace?: Trace | undefined;
  /** Told of what goes wrong and refuses nothing. Must not throw. */
  readonly onProblem: (message: string, cause: unknown) => void;
}

/** Opens homes as configurations name them, one after the other. It owns what they need, until it is disposed of. */
export class ServedFiles implements AsyncDisposable {
  /** Opens homes of the plan that {@linkcode ServedFiles.prepare} was given last. */
  readonly openHome: HomeOpener;
  readonly services: AccountServices;
  readonly #options: ServedFilesOptions;
  readonly #stores: StoreHomes;
  #sweepers: readonly ObjectSweeper[] = [];
  #isClosed = false;

  constructor(options: ServedFilesOptions) {
    const { records, quotas, eventLoops, onProblem, meter, trace } = options;
    this.#options = options;
    const claims = new GuardedFileClaims(options.claims, reportSparingly(onProblem));
    this.services = { claims, records, quotas: new QuotaLedger(quotas) };
    const report = (cause: unknown) => onProblem(describeThrown(cause), cause);
    this.#stores = new StoreHomes({ claims, records, eventLoops, report, meter, trace });
    this.openHome = createHomes(claims, this.#stores.open);
  }

  /**
   * Loads what a plan needs.
   *
   * @throws {TypeError} When the address of a store cannot be used.
   */
  async prepare({ configuration, files }: ServerPlan): Promise<void> {
    await this.#stores.prepare(configuration, files);
  }

  /** Sweeps the stores of the plan from now on, and no others. One event loop of one node does it for all. */
  async sweep(): Promise<void> {
    const former = this.#sweepers;
    this.#sweepers = [];
    await Promise.all(former.map((sweeper) => sweeper[Symbol.asyncDispose]()));
    if (this.#stores.stores.length === 0) return;
    const { ObjectSweeper } = await import("../filesystem/object/object_sweep.ts");
    if (this.#isClosed) return; // meanwhile: nobody would stop them
    const { claims, records } = this.services;
    const { onProblem, duties } = this.#options;
    this.#sweepers = this.#stores.stores.map(({ store, settings }) =>
      new ObjectSweeper(store, {
        claims,
        records,
        ...duties && { duties },
        keepPartsForSeconds: settings.keepPartsFor,
        maxRenamedObjects: settings.renameLimit,
        onError: (cause) => onProblem(`Cannot sweep the store ${store.name}: ${describeThrown(cause)}`, cause),
      })
    );
  }

  /** Waits for a sweep that is under way, and closes all connections to stores. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#sweepers.map((sweeper) => sweeper[Symbol.asyncDispose]()));
    await this.services.quotas[Symbol.asyncDispose]();
    await this.#stores[Symbol.asyncDispose]();
  }
}
