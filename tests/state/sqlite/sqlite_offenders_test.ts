import { assert, assertEquals } from "@std/assert";
import { resolveSettings } from "../../../lib/settings/validate.ts";
import { LoginThrottle } from "../../../lib/state/login_throttle.ts";
import type { OffenderStore } from "../../../lib/state/offenders.ts";
import { SqliteDatabase } from "../../../lib/state/sqlite/sqlite_database.ts";
import { SqliteOffenders } from "../../../lib/state/sqlite/sqlite_offenders.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const { ban: BAN } = resolveSettings({ ban: { failures: 3, window: 600, duration: 900 } });

/** A throttle of a process that has begun at some time: its clock is not that of another. */
function start(store: OffenderStore, startedAt: number) {
  return new LoginThrottle(BAN, { store, now: () => performance.now() + startedAt });
}

async function fail(throttle: LoginThrottle, host: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) (await throttle.beginAttempt(host, UNABORTED.signal))?.fail();
}

Deno.test("SqliteOffenders let bans and failures outlive the process", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/state.db`;
  {
    using database = SqliteDatabase.open(path);
    const throttle = start(new SqliteOffenders(database.db), 5_000_000);
    await fail(throttle, "192.0.2.1", 3);
    await fail(throttle, "192.0.2.2", 2);
    await fail(throttle, "2001:db8::1", 3);
  }
  using database = SqliteDatabase.open(path);
  const store = new SqliteOffenders(database.db);
  const throttle = start(store, 0);
  assert(throttle.isBanned("192.0.2.1"));
  assert(throttle.isBanned("2001:db8::2"));
  assert(!throttle.isBanned("192.0.2.2"));
  await fail(throttle, "192.0.2.2", 1);
  assert(throttle.isBanned("192.0.2.2"));
  assertEquals(store.load().map(({ address }) => address).sort(), [
    "192.0.2.1",
    "192.0.2.2",
    "2001:db8:0:0::/64",
  ]);
});

Deno.test("LoginThrottle lets no ban of an earlier run last longer than one, and forgets what is over", async () => {
  await using folder = await TemporaryFolder.create();
  using database = SqliteDatabase.open(`${folder.path}/state.db`);
  const store = new SqliteOffenders(database.db);
  const now = Date.now();
  store.save({ address: "192.0.2.1", failures: [], bannedUntil: now + 10 * 365 * 86_400_000 });
  store.save({ address: "192.0.2.2", failures: [], bannedUntil: now - 1000 });
  store.save({ address: "192.0.2.3", failures: [now - 601_000, now - 1000], bannedUntil: 0 });
  const clock = { ms: 1_000_000 };
  const throttle = new LoginThrottle(BAN, { store, now: () => clock.ms });
  assertEquals(store.load().map(({ address }) => address), ["192.0.2.1", "192.0.2.3"]);
  assert(throttle.isBanned("192.0.2.1"));
  await fail(throttle, "192.0.2.3", 1);
  assert(!throttle.isBanned("192.0.2.3"));
  await fail(throttle, "192.0.2.3", 1);
  assert(throttle.isBanned("192.0.2.3"));
  clock.ms += 900_000;
  assert(!throttle.isBanned("192.0.2.1"));
});

Deno.test("LoginThrottle bans without its store, too, and tells of it", async () => {
  const failures: unknown[] = [];
  const broken = () => {
    throw new Error("disk full");
  };
  const store: OffenderStore = { load: broken, save: broken, forget: broken };
  const throttle = new LoginThrottle(BAN, { store, onStoreFailure: (cause) => failures.push(cause) });
  await fail(throttle, "192.0.2.1", 3);
  assert(throttle.isBanned("192.0.2.1"));
  assertEquals(failures.length, 4);
});
