/**
 * Lets many log in at once over three nodes, and prints whether the limits held.
 *
 * ```sh
 * deno run -P=test tests/soak/cluster_limits.ts                             # 20 runs of 500 logins
 * deno run -P=test tests/soak/cluster_limits.ts --runs=100 --logins=1000 --lease=3000
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { TestDatabase } from "../helpers/postgres/test_database.ts";
import { faultsOf, proveLimits } from "./cluster/prove_limits.ts";
import { print } from "./figures.ts";

if (import.meta.main) {
  const options = parseArgs(Deno.args, {
    string: ["runs", "logins", "lease"],
    default: { runs: "20", logins: "500", lease: "6000" },
  });
  const trial = { runs: Number(options.runs), logins: Number(options.logins), leaseMs: Number(options.lease) };
  await using database = await TestDatabase.open();
  const report = await proveLimits(database, trial);
  const { maxHeld, maxStored, loginMs } = report;
  const quantile = (share: number) => Math.round(loginMs[Math.floor(loginMs.length * share)] ?? 0);
  print(
    `${trial.runs} runs of ${trial.logins} logins at once over three nodes; the longest took ${
      Math.round(report.maxRunMs)
    } ms`,
  );
  print(`got in: ${report.loggedIn}, refused: ${report.refused}, failed: ${report.failed}`);
  print(`at most at once: ${maxHeld.account} sessions of an account, ${maxHeld.address} connections of an address`);
  print(`in the database: ${maxStored.account} and ${maxStored.address}`);
  print(`a login of these waits ${quantile(0.5)} ms (median), ${quantile(0.99)} ms (p99)`);
  print(
    `places of a killed node were free after ${Math.round(report.freeAfterMs)} ms, the lease is ${trial.leaseMs} ms`,
  );
  print(
    `what it had stored and reserved counted ${report.storedAfterKill.join(" bytes, and once it was counted ")} bytes`,
  );
  print(`${report.failures} failures over three nodes banned on all within ${Math.round(report.banMs)} ms`);
  print(`an unban held on all within ${Math.round(report.unbanMs)} ms`);
  const faults = faultsOf(report, trial);
  for (const fault of faults) print(`WRONG: ${fault}`);
  if (faults.length > 0) Deno.exitCode = 1;
}
