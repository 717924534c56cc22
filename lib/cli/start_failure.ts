/**
 * What can go wrong when the server starts to listen, in the words of the command line.
 *
 * @module
 */

import type { Configuration } from "../settings/table.ts";
import { ConnectionError } from "../transport/connection.ts";
import { StartError, UsageError } from "../check/exit_error.ts";

/** The error to tell in place of one of the library or the runtime; the same one where there are no better words. */
export function explainStartFailure(error: unknown, { listen, tls }: Configuration): unknown {
  const all = listen.map(({ host, port }) => `${host} port ${port}`).join(", ");
  const where = refusedAddress(error) ?? all;
  if (error instanceof ConnectionError && error.kind === "addressInUse") {
    return new StartError(`the port is in use (${where})`, "--port 0 for any; ss -ltnp tells who has it", {
      cause: error,
    });
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES") {
    return new StartError(`not allowed to listen on ${where}`, "--port 2121, or another above 1023", { cause: error });
  }
  if (code === "EADDRNOTAVAIL" || code === "EINVAL") {
    return new StartError(
      `cannot listen on ${where}: no address of this host (--interface)`,
      "--interface 0.0.0.0 for all of IPv4",
      { cause: error },
    );
  }
  if (error instanceof TypeError && tls.certificate !== undefined) {
    const { certificate, key } = tls;
    return new UsageError(
      `${error.message} (--certfile ${certificate} --keyfile ${key})`,
      "leave out both for a certificate made in memory",
      { cause: error },
    );
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    return new UsageError(error.message, undefined, { cause: error });
  }
  return error;
}

/** The one of several addresses that `node:net` names in its error. */
function refusedAddress(error: unknown): string | undefined {
  const cause = error instanceof ConnectionError ? error.cause : error;
  if (!(cause instanceof Error && "address" in cause && "port" in cause)) return undefined;
  return `${cause.address} port ${cause.port}`;
}
