/**
 * Where a served configuration remembers what is kept beyond a session.
 *
 * @module
 */

import { shellWord, StartError } from "../check/exit_error.ts";
import type { Configuration } from "../settings/table.ts";
import type { PostgresEngine, PostgresEngineOptions } from "../state/postgres/postgres_engine.ts";
import { MemoryRecords } from "../state/memory_records.ts";
import type { OffenderStore } from "../state/offenders.ts";
import type { QuotaCounts, QuotaStore } from "../state/quotas.ts";
import type { StateRecords } from "../state/records.ts";
import { createTableMemory, SharedTable } from "../state/shared_table.ts";
import { TableQuotaCounts } from "../state/table_quotas.ts";
import { createNodeQuotas } from "./node_claims.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** What is remembered. Owned by the main event loop, whoever of the others uses it. */
export interface StateEngine extends Disposable {
  readonly records: StateRecords;
  /** Whether they outlive the process. */
  readonly keepsRecords: boolean;
  /** Where quotas are counted, unless all nodes have them together. */
  readonly quotaTable: SharedTable;
  /** Counts, for the main event loop. */
  readonly quotas: QuotaCounts;
  /** Keeps counts beyond the process; absent: nobody does. */
  readonly quotaStore?: QuotaStore;
  /** The same of failed logins. */
  readonly offenders?: OffenderStore;
  /** What several nodes have together, which is closed apart; absent: this server is alone. */
  readonly cluster?: PostgresEngine;
}

/** Most accounts and groups that are counted; each takes some 70 bytes once it is. */
const MAX_QUOTAS = 1 << 17;

/**
 * Opens what the settings name.
 *
 * @throws {StartError} When it cannot be used.
 */
export async function openStateEngine({ type, file }: Configuration["state"]): Promise<StateEngine> {
  const quotaTable = new SharedTable(createTableMemory(MAX_QUOTAS));
  if (type !== "sqlite" || file === undefined) return inMemory(quotaTable);
  // Loaded when needed: the others need no database.
  const { SqliteState } = await import("../state/sqlite/sqlite_state.ts");
  const { StateFileError } = await import("../state/sqlite/sqlite_database.ts");
  const looker = new TableQuotaCounts(quotaTable);
  try {
    const state = new SqliteState(file, {
      stored: (name) => looker.stored(name),
      onRecount: (name) => looker.recount(name),
    });
    const { records, offenders, quotas: quotaStore } = state;
    const quotas = new TableQuotaCounts(quotaTable, quotaStore);
    return {
      records,
      keepsRecords: true,
      offenders,
      quotaStore,
      quotas,
      quotaTable,
      [Symbol.dispose]: () => state[Symbol.dispose](),
    };
  } catch (cause) {
    if (!(cause instanceof StateFileError)) throw cause;
    const hint = cause.isInUse ? "each server needs a file of its own" : `ls -l ${shellWord(file)}`;
    throw new StartError(`cannot use ${file} as the state: ${cause.message} (state.file)`, hint, { cause });
  }
}

/**
 * Joins the nodes that share a database.
 *
 * @param listeners Told of what nodes tell each other.
 * @param onFailure Told when the database is out of reach, once until it is back.
 * @throws {StartError} When it cannot be used.
 */
export async function joinCluster(
  { configuration, files: { database } }: ServerPlan,
  onFailure: (cause: unknown) => void,
  listeners: Pick<PostgresEngineOptions, "onEvent" | "onReconnected"> = {},
): Promise<PostgresEngine | undefined> {
  const { type, node: name, leaseSeconds } = configuration.state;
  if (type !== "postgres") return undefined;
  if (database === undefined) throw new StartError("cannot read state.urlFile", "ftpsd check --config FILE");
  // Loaded when needed, with what speaks to the database.
  const { PostgresEngine } = await import("../state/postgres/postgres_engine.ts");
  const { SchemaError } = await import("../state/postgres/schema.ts");
  const { limits, ban } = configuration;
  const { address, ...rest } = database;
  const options = { ...rest, name, leaseMs: leaseSeconds * 1000, limits, ban, onFailure, ...listeners };
  try {
    return await PostgresEngine.open(address, options);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    const command = cause instanceof SchemaError ? cause.command : "status";
    const hint = command === undefined ? "use the newer ftpsd" : `ftpsd state ${command} --config FILE`;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`cannot use the database of the state: ${reason} (state.urlFile)`, hint, { cause });
  }
}

/** What a node of several remembers: together with the others, but for what is of no use to them. */
export function withCluster(own: StateEngine, cluster: PostgresEngine): StateEngine {
  const quotas = createNodeQuotas(cluster.quotas, cluster.termCell);
  return { ...own, cluster, records: cluster.records, keepsRecords: true, quotas };
}

/** What ends with the process. */
export function inMemory(quotaTable: SharedTable = new SharedTable(createTableMemory(MAX_QUOTAS))): StateEngine {
  const quotas = new TableQuotaCounts(quotaTable);
  return { records: new MemoryRecords(), keepsRecords: false, quotas, quotaTable, [Symbol.dispose]: () => {} };
}
