import { assert, assertEquals, assertGreater, assertMatch, assertNotEquals } from "@std/assert";
import { CLUSTER_USER, FtpCluster, IS_CLUSTER_ABSENT } from "../helpers/cluster/ftp_cluster.ts";
import { poll } from "../helpers/cluster/haproxy.ts";
import type { NodeProcess } from "../helpers/cluster/node_process.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import type { RawDataConnection } from "../helpers/raw_data_connection.ts";
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

/** A session at a node. */
async function loginAt(node: NodeProcess): Promise<RawClient> {
  const client = await node.connect({ deadlineMs: 30_000 });
  await client.readReply();
  await client.startTls();
  await client.login(CLUSTER_USER.name, CLUSTER_USER.password);
  await client.expect(200, "TYPE I");
  return client;
}

/** Begins an upload; the reply is the last one there was. */
async function begin(
  client: RawClient,
  node: NodeProcess,
  name: string,
): Promise<{ readonly code: number; readonly data: RawDataConnection }> {
  await using opened = new AsyncDisposableStack();
  const data = opened.use(await client.passive({ via: node.localPort }));
  const { code } = await client.command(`STOR ${name}`);
  if (code === 150) await data.secure();
  opened.move();
  return { code, data };
}

Deno.test({
  name: "A node that was stopped, and comes back, sends no 226 for what another one has written meanwhile",
  ignore: IS_CLUSTER_ABSENT,
  fn: async () => {
    await using cluster = await FtpCluster.start({ nodes: 2, state: { leaseSeconds: LEASE_S } });
    const [stopped, other] = cluster.nodes as [NodeProcess, NodeProcess];
    const [old, whole] = [new Uint8Array(200_000).fill(65), new Uint8Array(100_000).fill(66)];
    // Of one it has all bytes already, and has only to end it; the other one goes on later.
    await using open = new AsyncDisposableStack();
    const uploads = [];
    for (const name of ["ended", "open"]) {
      const client = open.use(await loginAt(stopped));
      const { code, data } = await begin(client, stopped, name);
      assertEquals(code, 150);
      await open.use(data).write(old);
      uploads.push({ name, client, data });
    }
    await using writer = await loginAt(other);
    const attempt = await begin(writer, other, "open");
    await attempt.data[Symbol.asyncDispose]();
    assertEquals(attempt.code, 450); // as long as the first one has it
    stopped.signal("SIGSTOP");
    const ended = uploads[0]?.data.finish();
    for (const { name } of uploads) {
      await poll(`${name} to be free`, async () => {
        const { code, data } = await begin(writer, other, name);
        await using _data = data;
        if (code !== 150) return false;
        await data.write(whole);
        await data.finish();
        assertEquals((await writer.readReply(name)).code, 226);
        return true;
      });
    }
    stopped.signal("SIGCONT");
    await Promise.all([ended?.catch(() => {}), uploads[1]?.data.finish().catch(() => {})]);
    for (const { name, client } of uploads) {
      const reply = await client.readReply(name);
      assertNotEquals(reply.code, 226);
      assertMatch(reply.text, /^4/);
      assertEquals(await cluster.store.read(`ftp/${name}`), whole);
    }
  },
});
