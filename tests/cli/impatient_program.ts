/**
 * `ftpsd serve` that looks at the certificate many times a second, for tests that wait for it.
 *
 * @module
 */

import { parseArguments } from "../../lib/cli/option_table.ts";
import { serve } from "../../lib/cli/serve.ts";
import { ProcessSignals } from "../../lib/cli/signals.ts";

const OFTEN_MS = 50;

await serve(
  parseArguments(Deno.args),
  { write: (line) => void Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`)), isColored: false },
  { signals: ProcessSignals.listen(), watchIntervalMs: OFTEN_MS, noticeIntervalMs: OFTEN_MS },
);

Deno.exit(0);
