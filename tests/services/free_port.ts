/**
 * Ports for programs that have to be told theirs before they start.
 *
 * @module
 */

/** Below what hosts choose for outgoing connections, so that none of these takes it meanwhile. */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;

/** A port of 127.0.0.1 that nobody listens on now. */
export function freePort(): number {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
