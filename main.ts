/**
 * The command line program `ftpsd`.
 *
 * @module
 */

import { isShortCommand } from "./lib/cli/command_names.ts";
import { ProcessSignals, surviveFileSizeLimit } from "./lib/cli/signals.ts";

if (import.meta.main) {
  // Before the rest is loaded, which takes some tenths of a second.
  const signals = isShortCommand(Deno.args) ? undefined : ProcessSignals.listen();
  surviveFileSizeLimit();
  const { run } = await import("./lib/cli/run.ts");
  Deno.exit(await run(Deno.args, signals));
}
