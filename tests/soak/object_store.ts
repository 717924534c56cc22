/**
 * Cuts uploads to an object store, and plays its faults, and prints what has come of it.
 *
 * ```sh
 * deno run -P=test tests/soak/object_store.ts                               # 200 uploads, 1,000 faults
 * deno run -P=test tests/soak/object_store.ts --uploads=2000 --faults=10000 --seed=7
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { print, printRow } from "./figures.ts";
import { cutUploads } from "./object_store/cut_uploads.ts";
import { playFaults } from "./object_store/store_faults.ts";

if (import.meta.main) {
  const options = parseArgs(Deno.args, {
    string: ["uploads", "faults", "seed"],
    default: { uploads: "200", faults: "1000", seed: "15" },
  });
  const seed = Number(options.seed);
  let wrong = 0;
  const cut = await cutUploads({ uploads: Number(options.uploads), seed });
  print(`${cut.uploads} uploads of ${cut.bytes} bytes in all, cut ${cut.cuts} times; begun anew: ${cut.begunAnew}`);
  print(`bytes sent again: ${cut.bytesSentAgain}, of which had come: ${cut.bytesReceivedAgain}`);
  print(`orphans: ${cut.orphans}, wrong: ${cut.wrong.length}`);
  wrong += cut.wrong.length + cut.orphans;
  const { outcomes, ...faults } = await playFaults({ faults: Number(options.faults), seed });
  print(`${faults.faults} faults in ${faults.operations} operations`);
  printRow(["fault", "replies of the operations that met it"]);
  printRow(["---", "---"]);
  for (const [name, codes] of Object.entries(outcomes).sort()) {
    printRow([name, Object.entries(codes).map(([code, times]) => `${code}: ${times}`).join(", ")]);
  }
  for (const what of ["falseSuccesses", "lostObjects", "orphans"] as const) {
    print(`${what}: ${faults[what].length}${faults[what].map((text) => `\n  ${text}`).join("")}`);
    wrong += faults[what].length;
  }
  for (const text of cut.wrong) print(`  ${text}`);
  if (wrong > 0) Deno.exit(1);
}
