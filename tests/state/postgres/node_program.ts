/**
 * A node that holds four places of an account and a file, and says over and over whether it may still write that.
 *
 * usage: node_program.ts ADDRESS AUTHORITY LEASE_MS; both as JSON
 *
 * @module
 */

import { isLost } from "../../../lib/shared_port.ts";
import { resolveSettings } from "../../../lib/settings/validate.ts";
import { PostgresEngine } from "../../../lib/state/postgres/postgres_engine.ts";

const [address = "", authority = "", leaseMs = ""] = Deno.args;
const limits = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };
const { ban } = resolveSettings({});
const { signal } = new AbortController();
const engine = await PostgresEngine.open(JSON.parse(address), {
  ...{ name: "program", limits, ban, authorities: JSON.parse(authority), leaseMs: Number(leaseMs) },
});
for (let count = 0; count < 4; count++) await engine.state.acquireAccount("alice", { connections: 4 }, signal);
const claim = await engine.claims.claim("store/file");
for (;;) {
  const now = Date.now(); // before, since it may be stopped behind each of these
  const isHeld = !isLost(claim);
  Deno.stdout.writeSync(new TextEncoder().encode(`${isHeld ? "held" : "lost"} ${now}\n`));
  await new Promise((resolve) => setTimeout(resolve, 2));
}
