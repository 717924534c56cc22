/**
 * The program `ftpsd` in a runtime that fails in the first TLS handshake, where nobody can catch it.
 *
 * @module
 */

import tls from "node:tls";
import { run } from "../../lib/cli/run.ts";

const prototype = tls.TLSSocket.prototype as unknown as { _start(): void };
const start = prototype._start;
prototype._start = () => {
  prototype._start = start;
  throw new Error("planted");
};

Deno.exit(await run(Deno.args));
