import { assert, assertEquals } from "@std/assert";
import { BanList } from "../../../lib/state/postgres/ban_list.ts";
import type { NodeEvent } from "../../../lib/state/postgres/event_feed.ts";
import { shareDatabase } from "../../helpers/postgres/shared_database.ts";
import { IS_POSTGRES_ABSENT } from "../../helpers/postgres/test_database.ts";

const openEmpty = shareDatabase(["failure", "ban", "event", "record"]);
const { signal: SIGNAL } = new AbortController();

function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_POSTGRES_ABSENT, fn: run });
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; !await isTrue();) {
    assert(performance.now() < end, "It did not become true");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("EventFeed looks at everything anew where more has happened than it takes, and takes nothing twice", async () => {
  await using database = await openEmpty();
  const events: NodeEvent[] = [];
  let looks = 0;
  const { state } = await database.join({
    leaseMs: 1500,
    onEvent: (event) => void events.push(event),
    onReconnected: () => void looks++,
  });
  await database.query("SELECT ftpsd.ban_set('192.0.2.1', 900)");
  await until(async () => typeof await state.acquireConnection("192.0.2.1", SIGNAL) === "string");
  assertEquals(looks, 0);
  // Unheard, since they are not notified. The ban goes first: once there is much to look at, it is looked for at once.
  await database.query("DELETE FROM ftpsd.ban");
  await database.query(
    "INSERT INTO ftpsd.event (kind, subject) SELECT 'account', 'user' || n FROM generate_series(1, 12000) n",
  );
  await until(() => looks > 0);
  await until(async () => typeof await state.acquireConnection("192.0.2.1", SIGNAL) !== "string");
  const after = events.length;
  const before = looks;
  await database.query("SELECT ftpsd.emit('kick', 'last')");
  await until(() => events.at(-1)?.subject === "last");
  await new Promise((resolve) => setTimeout(resolve, 1200)); // two beats
  assertEquals([events.length - after, looks - before], [1, 0]);
});

test("EventFeed finds what is too long for a notification", async () => {
  await using database = await openEmpty();
  const events: NodeEvent[] = [];
  await database.join({ leaseMs: 1500, onEvent: (event) => void events.push(event) });
  const subject = "x".repeat(10_000);
  await database.query("SELECT ftpsd.emit('account', $1)", [subject]);
  await until(() => events.some((event) => event.subject === subject));
});

test("ClusterNode tidies much in parts, and little at once", async () => {
  await using database = await openEmpty();
  await database.query(
    `INSERT INTO ftpsd.failure (block, node, id, at)
      SELECT '192.0.2.1', gen_random_uuid(), n, clock_timestamp() - interval '1 h' FROM generate_series(1, 15000) n`,
  );
  await database.query("INSERT INTO ftpsd.ban VALUES ('192.0.2.1', clock_timestamp() - interval '1 s')");
  await database.query("INSERT INTO ftpsd.failure (block, node, id) VALUES ('192.0.2.2', gen_random_uuid(), 0)");
  const tidy = async () => (await database.query("SELECT ftpsd.tidy(600) AS more"))[0]?.more;
  assertEquals([await tidy(), await tidy()], ["t", "f"]);
  assertEquals(await database.query("SELECT block FROM ftpsd.failure"), [{ block: "192.0.2.2" }]);
  assertEquals(await database.query("SELECT block FROM ftpsd.ban"), []);
});

test("ClusterNode lives on where only what comes with a beat fails", async () => {
  await using database = await openEmpty();
  const failures: unknown[] = [];
  const engine = await database.join({ leaseMs: 1500, onFailure: (cause) => void failures.push(cause) });
  using _limited = await engine.state.acquireAccount("alice", { bandwidth: { upload: 10 } }, SIGNAL);
  const term = engine.termCell[0];
  await database.query("ALTER FUNCTION ftpsd.hold_nodes RENAME TO gone");
  try {
    await until(() => failures.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 1200)); // more beats
    assertEquals([failures.length, engine.termCell[0]], [1, term]);
  } finally {
    await database.query("ALTER FUNCTION ftpsd.gone RENAME TO hold_nodes");
  }
});

Deno.test("BanList keeps those that it has heard of last, and forgets those that are over first", () => {
  const bans = new BanList();
  bans.add("first", 900);
  for (let index = 0; index < 50_000; index++) bans.add(`over${index}`, -1);
  for (let index = 0; index < 99_999; index++) bans.add(`other${index}`, 900);
  assert(bans.has("first"));
  bans.add("last", 900);
  assertEquals([bans.has("first"), bans.has("other0"), bans.has("last")], [false, true, true]);
});
