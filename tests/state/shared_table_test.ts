import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { SharedFileClaims } from "../../lib/state/shared_file_claims.ts";
import { AccountCounts } from "../../lib/state/account_counts.ts";
import { createTableMemory, SharedTable, SharedTableError } from "../../lib/state/shared_table.ts";
import { MemoryState } from "../../lib/state/memory_state.ts";
import { resolveSettings } from "../../lib/settings/validate.ts";
import type { ConnectionSlot } from "../../lib/state/state.ts";

const { ban } = resolveSettings({});
const limits = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };

/** A lock that another event loop had when it died. */
function createStuck(memory = createTableMemory(8)): { readonly table: SharedTable; free(): void } {
  const lock = new Int32Array(memory.buffer, 0, 1);
  lock[0] = 1;
  return { table: new SharedTable(memory, { maxWaits: 1 }), free: () => void (lock[0] = 0) };
}

function countOf(table: SharedTable): number {
  return table.locked((records) => records.count);
}

Deno.test("SharedTable.keyOf() tells kinds and names apart, and is another one in each process", () => {
  const memory = createTableMemory(8);
  const table = new SharedTable(memory);
  assertEquals(table.keyOf("file", "a"), new SharedTable(memory).keyOf("file", "a"));
  const others = [table.keyOf("file", "b"), table.keyOf("account", "a"), table.keyOf("fil", "ea")];
  for (const other of others) assertNotEquals(table.keyOf("file", "a"), other);
  assertNotEquals(table.keyOf("file", "a"), new SharedTable().keyOf("file", "a"));
});

Deno.test("SharedTable.locked() gives the lock back after a throw", () => {
  const table = new SharedTable(createTableMemory(8));
  assertThrows(() =>
    table.locked(() => {
      throw new RangeError("no");
    }), RangeError);
  assertEquals(countOf(table), 0);
});

Deno.test("SharedTable.locked() refuses when the lock is not given back, and waits for that once", () => {
  const { table, free } = createStuck();
  const start = performance.now();
  for (let times = 0; times < 20; times++) assertThrows(() => countOf(table), SharedTableError, "has stopped");
  assert(performance.now() - start < 1000);
  free();
  assertEquals(countOf(table), 0);
});

Deno.test("SharedTable.release() is made up for when the lock can be had again", () => {
  const memory = createTableMemory(8);
  const claim = new SharedFileClaims(new SharedTable(memory)).claim("file");
  claim[Symbol.dispose]();
  const { table, free } = createStuck(memory);
  free();
  const claims = new SharedFileClaims(table);
  const late = claims.claim("file");
  new Int32Array(memory.buffer)[0] = 1;
  late[Symbol.dispose]();
  assertThrows(() => claims.claim("file"), SharedTableError);
  free();
  claims.claim("file")[Symbol.dispose]();
  assertEquals(countOf(table), 0);
});

Deno.test("A full table refuses what is new, and counts on what is there", async () => {
  const table = new SharedTable(createTableMemory(3));
  const state = new MemoryState({ limits, ban }, { table });
  const first = state.acquireConnection("192.0.2.1") as ConnectionSlot;
  const second = state.acquireConnection("192.0.2.2") as ConnectionSlot;
  assertThrows(() => state.acquireConnection("192.0.2.3"), SharedTableError, "full");
  assertThrows(() => state.acquireAccount("user", {}), SharedTableError, "full");
  const third = state.acquireConnection("192.0.2.1") as ConnectionSlot;
  const { signal } = new AbortController();
  (await state.beginAttempt("192.0.2.1", signal))?.giveBack();
  first[Symbol.dispose]();
  third[Symbol.dispose]();
  using _other = state.acquireConnection("192.0.2.3") as ConnectionSlot;
  second[Symbol.dispose]();
  assertEquals(countOf(table), 2);
});

Deno.test("AccountCounts.acquire() counts nothing when the table has no room for the rates", () => {
  const table = new SharedTable(createTableMemory(4));
  const accounts = new AccountCounts(table);
  const bandwidth = { upload: 10, download: 10 };
  using _first = accounts.acquire("one", { bandwidth });
  assertThrows(() => accounts.acquire("two", { bandwidth }), SharedTableError, "full");
  assertEquals(countOf(table), 3);
});

Deno.test("SharedFileClaims.claim() refuses what a full table cannot have", () => {
  const claims = new SharedFileClaims(new SharedTable(createTableMemory(1)));
  const claim = claims.claim("one");
  assertThrows(() => claims.claim("two"), SharedTableError, "full");
  claim[Symbol.dispose]();
  claims.claim("two")[Symbol.dispose]();
});
