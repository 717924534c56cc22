import { assert, assertEquals } from "@std/assert";
import type { PostgresEngine } from "../../../lib/state/postgres/postgres_engine.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../../helpers/postgres/test_database.ts";
import { IS_POOLER_ABSENT, PgBouncer } from "../../helpers/postgres/pg_bouncer.ts";

const { signal: SIGNAL } = new AbortController();
const HOST = "192.0.2.1";
const ignore = IS_POSTGRES_ABSENT || IS_POOLER_ABSENT;

async function heardWithin(node: PostgresEngine, withinMs: number): Promise<void> {
  const start = performance.now();
  while (typeof await node.state.acquireConnection(HOST, SIGNAL) !== "string") {
    assert(performance.now() - start < withinMs, `It was not heard within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test({
  name:
    "PostgresEngine works through a pooler in transaction mode, and hears of bans there with its beats, or at once beside it",
  ignore,
  fn: async () => {
    await using database = await TestDatabase.open();
    await using pooler = await PgBouncer.start(database);
    const timeoutMs = 20_000;
    const polling = await database.join({ name: "polling", timeoutMs }, pooler.address);
    const hearing = await database.join(
      { name: "hearing", timeoutMs, directAddress: database.address },
      pooler.address,
    );
    const nodes = [polling, hearing];
    for (let run = 0; run < 5; run++) {
      const slots = await Promise.all(
        Array.from(
          { length: 100 },
          (_, index) => nodes[index % 2]?.state.acquireAccount("alice", { connections: 4 }, SIGNAL),
        ),
      );
      assertEquals(
        slots.filter((slot) => slot !== undefined).length,
        4,
      );
      for (const slot of slots) slot?.[Symbol.dispose]();
      await Promise.all(nodes.map((node) => node.query("SELECT 1")));
      const held = async () =>
        (await database.query("SELECT count(*) AS n FROM ftpsd.hold WHERE kind = 'account'"))[0]?.n;
      while (await held() !== "0");
    }
    await polling.bans.ban(HOST, 60);
    await heardWithin(hearing, 1_000);
    await heardWithin(polling, 4_000);
  },
});
