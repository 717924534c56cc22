import { assert, assertEquals, assertGreater } from "@std/assert";
import { IS_CLUSTER_ABSENT } from "../helpers/cluster/ftp_cluster.ts";
import { FAULTS } from "./cluster/faults.ts";
import { playFaults } from "./cluster/play_faults.ts";

/** With the shortest lease, so that each fault outlasts it. */
const LEASE_S = 3;
const MAX_FAULT_MS = 3_000;

// A short form: `deno run -P=test tests/soak/cluster.ts` has 50 sessions, and faults of up to a minute.

Deno.test({
  name: "Three nodes under load lose no acknowledged upload to any fault of nodes, balancer, database or store",
  ignore: IS_CLUSTER_ABSENT,
  fn: async () => {
    const { faults, acknowledged, wrong } = await playFaults({
      sessions: 8,
      seed: 16,
      deadlineMs: 30_000,
      maxSlowBytes: 256 * 1024,
      lastsMs: ({ seconds }) => Math.min(seconds * 100, MAX_FAULT_MS),
      normalWithinMs: 30_000,
      cluster: { state: { leaseSeconds: LEASE_S } },
    });
    assertEquals(wrong, []);
    assertGreater(acknowledged, 50);
    assertEquals(faults.length, FAULTS.length);
    for (const { transfers } of faults) assert(transfers.whole > 0);
    const quiet = faults.filter(({ name }) => ["HAProxy reloaded", "nodes restarted one by one"].includes(name));
    for (const { transfers } of quiet) assertEquals(transfers.cut, {});
  },
});
