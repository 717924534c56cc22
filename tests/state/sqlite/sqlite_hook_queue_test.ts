import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { StateFileError } from "../../../lib/state/sqlite/sqlite_database.ts";
import { SqliteHookQueue } from "../../../lib/state/sqlite/sqlite_hook_queue.ts";
import { SqliteState } from "../../../lib/state/sqlite/sqlite_state.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";

function message(id: string, lane = "/a", hook = "fileReceived") {
  return { id, hook, lane, body: `{"id":"${id}"}` };
}

function idsDue(queue: SqliteHookQueue, hook = "fileReceived"): string[] {
  return queue.due(hook, performance.now(), 100).map(({ id }) => id);
}

Deno.test("SqliteHookQueue gives the first message of each lane, and the next when that is gone", async () => {
  await using folder = await TemporaryFolder.create();
  using queue = new SqliteHookQueue(`${folder.path}/hooks.db`);
  for (const [id, lane] of [["1", "/a"], ["2", "/a"], ["3", "/b"], ["4", "/a"]] as const) queue.add(message(id, lane));
  queue.add(message("5", "/a", "fileSent"));
  assertEquals([idsDue(queue), idsDue(queue, "fileSent"), queue.waiting], [["1", "3"], ["5"], 5]);
  assertEquals(["fileReceived", "fileSent", "banned"].map((hook) => queue.waitingFor(hook)), [4, 1, 0]);
  const [first, other] = queue.due("fileReceived", performance.now(), 2);
  if (first === undefined || other === undefined) throw new Error("Nothing is due");
  queue.postpone(first, performance.now() + 60_000);
  assertEquals(idsDue(queue), ["3"]);
  assertGreater(queue.nextDue("fileReceived", performance.now()), performance.now() + 50_000);
  queue.remove(other);
  assertEquals([idsDue(queue), queue.waiting], [[], 4]);
  queue.remove(first);
  assertEquals([idsDue(queue), queue.waiting], [["2"], 3]);
});

Deno.test("SqliteHookQueue has after a kill what was added, due at once, with attempts and in order", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/hooks.db`;
  {
    using queue = new SqliteHookQueue(path);
    queue.setSynced("full");
    queue.add(message("1"));
    queue.add(message("2"));
    const [first] = queue.due("fileReceived", performance.now(), 1);
    if (first !== undefined) queue.postpone(first, performance.now() + 1e9);
    // As a kill leaves them: the files as they are now, which the end of the process would tidy.
    for (const end of ["", "-wal"]) await Deno.copyFile(`${path}${end}`, `${folder.path}/killed.db${end}`);
  }
  await Deno.chmod(`${folder.path}/killed.db`, 0o600);
  using queue = new SqliteHookQueue(`${folder.path}/killed.db`);
  const [first] = queue.due("fileReceived", performance.now(), 10);
  assertEquals([first?.id, first?.attempts, queue.waiting], ["1", 1, 2]);
});

Deno.test("SqliteHookQueue forgets messages of hooks that are no more, and leaves the lanes of others whole", async () => {
  await using folder = await TemporaryFolder.create();
  using queue = new SqliteHookQueue(`${folder.path}/hooks.db`);
  queue.add(message("1", "/a", "fileSent"));
  queue.add(message("2"));
  assertEquals([queue.orphans(["fileReceived"]), queue.orphans(["fileReceived", "fileSent"])], [1, 0]);
  assertEquals(queue.removeOrphans(["fileReceived"], Date.now() - 60_000), 0);
  assertEquals(queue.removeOrphans(["fileReceived"], Date.now() + 60_000), 1);
  assertEquals([queue.waiting, queue.waitingFor("fileSent"), idsDue(queue)], [1, 0, ["2"]]);
});

Deno.test({
  name: "SqliteHookQueue keeps its file from others, and takes no state for a queue",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const path = `${folder.path}/hooks.db`;
    using queue = new SqliteHookQueue(path);
    queue.add(message("1"));
    for (const end of ["", "-wal", "-shm"]) {
      assertEquals(((await Deno.stat(`${path}${end}`)).mode ?? 0) & 0o777, 0o600, end);
    }
    assertThrows(() => new SqliteHookQueue(path), StateFileError, "another server uses it");
    using _state = new SqliteState(`${folder.path}/state.db`, { stored: () => undefined, onRecount: () => {} });
    _state[Symbol.dispose]();
    assertThrows(() => new SqliteHookQueue(`${folder.path}/state.db`), StateFileError, "no queue of hooks of ftpsd");
  },
});
