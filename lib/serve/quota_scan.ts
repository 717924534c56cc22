/**
 * Counting anew what accounts and groups have stored.
 *
 * @module
 */

import { shellWord, StartError } from "../check/exit_error.ts";
import { countFiles } from "../filesystem/quota/quota_ledger.ts";
import { allQuotas, type ConfiguredQuota, distinctHomes } from "../server/account_quotas.ts";
import { createHomes, type DatabaseLocation } from "../server/configured_options.ts";
import type { Configuration } from "../settings/table.ts";
import type { QuotaAmount } from "../state/quotas.ts";

/** A quota that was counted; without a count it will be before its next upload. */
export interface ScannedQuota {
  readonly name: string;
  readonly stored: QuotaAmount | undefined;
}

/**
 * Counts quotas, in the state's file. While a server has that, and where files are in a store, the server is to count before the
 * next upload; what is counted meanwhile would be wrong by what it takes.
 *
 * @throws {StartError} When the file cannot be used.
 */
export async function scanQuotas(
  configuration: Configuration,
  quotas: readonly ConfiguredQuota[],
  file: string,
): Promise<ScannedQuota[]> {
  const [{ SqliteDatabase, StateFileError }, { SqliteQuotas }] = await Promise.all([
    import("../state/sqlite/sqlite_database.ts"),
    import("../state/sqlite/sqlite_quotas.ts"),
  ]);
  try {
    using database = SqliteDatabase.open(file, { mayShare: true });
    const store = new SqliteQuotas(database.db, () => undefined);
    const scanned: ScannedQuota[] = [];
    for (const quota of quotas) {
      const stored = database.isAlone ? await count(configuration, quota) : undefined;
      if (stored === undefined) store.requestCounts([quota.name]);
      else store.set(quota.name, stored);
      scanned.push({ name: quota.name, stored });
    }
    if (database.isAlone) void store.takeRequests(); // the next server finds no count, and makes one
    return scanned;
  } catch (cause) {
    if (!(cause instanceof StateFileError)) throw cause;
    const message = `cannot use ${file} as the state: ${cause.message} (state.file)`;
    throw new StartError(message, `ls -l ${shellWord(file)}`, { cause });
  }
}

/**
 * Asks the nodes that share a database to count quotas: the one with the next upload does, once nothing is under way.
 *
 * @throws {StartError} When the database cannot be used.
 */
export async function requestNodeCounts(
  quotas: readonly ConfiguredQuota[],
  database: DatabaseLocation,
): Promise<ScannedQuota[]> {
  // Loaded when needed, with what speaks to the database.
  const { requestCounts } = await import("./maintain_schema.ts");
  try {
    await requestCounts(quotas.map(({ name }) => name), database);
    return quotas.map(({ name }) => ({ name, stored: undefined }));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot use the database of the state: ${reason} (state.urlFile)`;
    throw new StartError(message, "ftpsd state status --config FILE", { cause });
  }
}

/** Counts what is on the host; `undefined` where there is more. */
async function count(configuration: Configuration, { members }: ConfiguredQuota): Promise<QuotaAmount | undefined> {
  const openHome = createHomes();
  const homes = distinctHomes(configuration, members);
  if (homes.some(({ home }) => typeof home !== "string")) return undefined;
  const files = homes.map(({ home, ...counted }) => ({ ...counted, fileSystem: openHome(home, "") }));
  return await countFiles(files, { signal: new AbortController().signal });
}

/** The quotas of a configuration that have names, or all; `undefined` in the place of a name that has none. */
export function findQuotas(
  configuration: Configuration,
  names: readonly string[],
): readonly (ConfiguredQuota | undefined)[] {
  const all = allQuotas(configuration);
  if (names.length === 0) return all;
  return names.map((name) => all.find((quota) => quota.name === name || quota.name === `user ${name}`));
}
