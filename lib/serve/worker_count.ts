/**
 * How many event loops serve.
 *
 * @module
 */

import type { Configuration } from "../settings/table.ts";

/** Most that are started without a number: what is gained by more is small, and each takes memory. */
const MAX_AUTOMATIC = 8;

/**
 * Returns the number of event loops.
 *
 * @param available.processors Processors of the host.
 * @param available.dealsConnections Whether the system deals connections to a shared port out evenly.
 * @param available.mayReadProgram Whether Deno permits to read the program, without which a worker cannot be loaded.
 */
export function countWorkers(
  { workers, tls }: Pick<Configuration, "workers" | "tls">,
  available: { readonly processors: number; readonly mayReadProgram: boolean; readonly dealsConnections: boolean },
): number {
  // A session can be resumed in its own event loop only, and the system deals a client's connections to any of them.
  if (tls.sessionReuse === "require") return 1;
  if (workers !== "auto") return workers;
  return available.mayReadProgram && available.dealsConnections ? Math.min(available.processors, MAX_AUTOMATIC) : 1;
}
