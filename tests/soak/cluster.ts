/**
 * Three nodes behind HAProxy under load, and everything that they need fails, one after the other.
 *
 * ```sh
 * deno run -P=test tests/soak/cluster.ts                                  # all faults, 50 sessions, some ten minutes
 * deno run -P=test tests/soak/cluster.ts --fault="node killed" --sessions=100 --seed=7
 * ```
 *
 * With `FTPSD_TEST_S3` and `--real-store` the files are in the store of `deno task services:start`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { realStoreEndpoint } from "../helpers/object_store/real_store.ts";
import { FAULTS } from "./cluster/faults.ts";
import type { Tally } from "./cluster/load.ts";
import { playFaults } from "./cluster/play_faults.ts";
import { print, printRow } from "./figures.ts";

/** A client waits longer than any fault lasts. */
const DEADLINE_MS = 100_000;

function describe({ whole, told, cut }: Tally): string[] {
  const parts = (counts: Readonly<Record<string, number>>) => {
    const sum = Object.values(counts).reduce((one, other) => one + other, 0);
    return sum === 0
      ? "0"
      : `${sum} (${Object.entries(counts).map(([what, times]) => `${what}: ${times}`).join(", ")})`;
  };
  return [String(whole), parts(told), parts(cut)];
}

if (import.meta.main) {
  const options = parseArgs(Deno.args, {
    string: ["fault", "sessions", "seed", "seconds"],
    boolean: ["real-store"],
    default: { sessions: "50", seed: "16" },
  });
  const faults = FAULTS.filter(({ name }) => options.fault === undefined || name === options.fault);
  if (faults.length === 0) throw new TypeError(`There is no fault "${options.fault}"`);
  printRow(["fault", "whole", "told", "cut", "logins: whole", "told", "cut", "normal after"]);
  printRow(Array.from({ length: 8 }, () => "---"));
  const { faults: reports, acknowledged, wrong } = await playFaults({
    faults,
    sessions: Number(options.sessions),
    seed: Number(options.seed),
    deadlineMs: DEADLINE_MS,
    lastsMs: ({ seconds }) => Number(options.seconds ?? seconds) * 1000,
    normalWithinMs: 2 * DEADLINE_MS,
    cluster: { storeEndpoint: options["real-store"] ? realStoreEndpoint() : undefined },
    onPlayed: ({ name, transfers, logins, normalAfterMs }) =>
      printRow([name, ...describe(transfers), ...describe(logins), `${(normalAfterMs / 1000).toFixed(1)} s`]),
  });
  print(`${acknowledged} uploads were acknowledged; wrong or missing: ${wrong.length}`);
  for (const line of wrong) print(`  ${line}`);
  for (const { name, errors } of reports) {
    for (const [message, times] of Object.entries(errors)) print(`${name}: ${times} times "${message}"`);
  }
  if (wrong.length > 0) Deno.exit(1);
}
