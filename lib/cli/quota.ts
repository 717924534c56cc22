/**
 * `ftpsd quota scan`: counts anew what accounts and groups have stored.
 *
 * @module
 */

import { UsageError } from "../check/exit_error.ts";
import { findQuotas, requestNodeCounts, type ScannedQuota, scanQuotas } from "../serve/quota_scan.ts";
import { loadConfiguration } from "./load_configuration.ts";
import { parseArguments, SERVE_OPTIONS } from "./option_table.ts";
import { databaseOf } from "./state.ts";

const HINT = "ftpsd quota --help";

/** Counts, and makes the text to print. */
export async function quotaCommand(args: readonly string[]): Promise<string> {
  const { operands, ...parsed } = parseArguments(args, SERVE_OPTIONS, HINT);
  const [action, ...names] = operands;
  if (action !== "scan") throw new UsageError(`what to do is missing, or unknown (quota)`, "ftpsd quota scan -c FILE");
  const { configuration } = await loadConfiguration({ ...parsed, operands: [] });
  const { type, file } = configuration.state;
  if (type === "memory") {
    throw new UsageError(
      "the state is in memory, so that each start counts anew by itself (state.type)",
      "state: { type: sqlite, file: state.db } keeps counts",
    );
  }
  const found = findQuotas(configuration, names);
  const missing = names[found.indexOf(undefined)];
  if (found.includes(undefined)) {
    throw new UsageError(`"${missing}" has no quota (quota scan)`, 'a user, "anonymous", or "group NAME"');
  }
  const quotas = found.filter((quota) => quota !== undefined);
  if (quotas.length === 0) throw new UsageError("nobody has a quota (quota scan)", "quota: { bytes: 10GiB }");
  const scanned = type === "sqlite" && file !== undefined
    ? await scanQuotas(configuration, quotas, file)
    : await requestNodeCounts(quotas, await databaseOf(configuration));
  return scanned.map(describe).join("\n");
}

function describe({ name, stored }: ScannedQuota): string {
  return stored === undefined
    ? `${name}: the server counts before the next upload`
    : `${name}: ${stored.bytes} bytes in ${stored.files} files`;
}
