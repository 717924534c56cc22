import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { type PartBuffer, PartBuffers } from "../../../lib/filesystem/object/part_buffers.ts";
import { Random } from "../../soak/random.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const BLOCK = 16;

/** Whether a promise has settled by the time that everything that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

function text(part: PartBuffer): string {
  return part.body().map((block) => new TextDecoder().decode(block)).join("");
}

Deno.test("PartBuffers gives a part a block at a time, and takes all back", async () => {
  const pool = new PartBuffers({ maxBytes: 10 * BLOCK, blockBytes: BLOCK });
  const part = await pool.acquire(3 * BLOCK, UNABORTED);
  assertEquals(pool.usedBytes, BLOCK);
  const bytes = new TextEncoder().encode("The quick brown fox jumps over the lazy dog, and over another.");
  assertEquals(await part.write(bytes.subarray(0, 20), UNABORTED), 20);
  assertEquals(pool.usedBytes, 2 * BLOCK);
  assertEquals(await part.write(bytes.subarray(20), UNABORTED), 3 * BLOCK - 20);
  assertEquals(await part.write(bytes, UNABORTED), 0);
  assertEquals(part.length, 3 * BLOCK);
  assertEquals(text(part), new TextDecoder().decode(bytes.subarray(0, 3 * BLOCK)));
  part[Symbol.dispose]();
  part[Symbol.dispose]();
  assertEquals(pool.usedBytes, 0);
  await assertRejects(() => part.write(bytes, UNABORTED), TypeError);
  assertEquals(pool.usedBytes, 0);
});

Deno.test("PartBuffers lets a thousand small parts be where whole ones would not fit", async () => {
  const pool = new PartBuffers({ maxBytes: 1100 * BLOCK, blockBytes: BLOCK });
  const parts: PartBuffer[] = [];
  for (let count = 0; count < 1000; count++) parts.push(await pool.acquire(100 * BLOCK, UNABORTED));
  assertEquals(pool.usedBytes, 1000 * BLOCK);
  // 100 blocks are left: enough for each to become full, after the other.
  const next = pool.acquire(100 * BLOCK, UNABORTED);
  assert(await isSettled(next));
  for (const part of [...parts, await next]) part[Symbol.dispose]();
  assertEquals(pool.usedBytes, 0);
});

Deno.test("PartBuffers keeps new parts out while those that were begun could not become full", async () => {
  const pool = new PartBuffers({ maxBytes: 4 * BLOCK, blockBytes: BLOCK });
  const first = await pool.acquire(4 * BLOCK, UNABORTED);
  const second = pool.acquire(4 * BLOCK, UNABORTED);
  const third = pool.acquire(1, UNABORTED);
  assertEquals([await isSettled(second), await isSettled(third)], [false, false]);
  await first.write(new Uint8Array(4 * BLOCK), UNABORTED);
  first[Symbol.dispose]();
  const [two, three] = [await second, third];
  assert(await isSettled(three)); // it fits beside the second
  two[Symbol.dispose]();
  (await three)[Symbol.dispose]();
});

Deno.test("PartBuffers lets no new part in before one that was begun and waits, so that it has its turn", async () => {
  const pool = new PartBuffers({ maxBytes: 8 * BLOCK, blockBytes: BLOCK });
  using large = await pool.acquire(8 * BLOCK, UNABORTED);
  const other = await pool.acquire(4 * BLOCK, UNABORTED);
  const writing = large.write(new Uint8Array(8 * BLOCK), UNABORTED);
  assert(!await isSettled(writing));
  assertEquals(large.length, 4 * BLOCK); // the rest is what the other one may need
  const controller = new AbortController();
  const impatient = pool.acquire(BLOCK, controller);
  const fresh = pool.acquire(BLOCK, UNABORTED);
  controller.abort(new Error("enough"));
  await assertRejects(() => impatient, Error, "enough");
  assert(!await isSettled(fresh));
  other[Symbol.dispose]();
  (await fresh)[Symbol.dispose]();
  assertEquals(await writing, 8 * BLOCK);
});

Deno.test("PartBuffers leaves a quarter to others, however many parts one owner begins and does not fill", async () => {
  const pool = new PartBuffers({ maxBytes: 40 * BLOCK, blockBytes: BLOCK });
  const stop = new AbortController();
  const stalled = Array.from({ length: 1000 }, () => pool.acquire(10 * BLOCK, { signal: stop.signal, owner: "one" }));
  const held = await Promise.all(stalled.map(async (part) => await isSettled(part) ? [await part] : []));
  assertEquals(pool.usedBytes, held.flat().length * BLOCK);
  assert(pool.usedBytes <= 30 * BLOCK);
  for (let times = 0; times < 3; times++) {
    using part = await pool.acquire(10 * BLOCK, { ...UNABORTED, owner: "other" });
    assertEquals(await part.write(new Uint8Array(10 * BLOCK), UNABORTED), 10 * BLOCK);
  }
  // The owner's own become full one after the other.
  for (const part of held.flat()) {
    await part.write(new Uint8Array(10 * BLOCK), UNABORTED);
    part[Symbol.dispose]();
    break;
  }
  stop.abort();
  for (const part of await Promise.allSettled(stalled)) if (part.status === "fulfilled") part.value[Symbol.dispose]();
  assertEquals(pool.usedBytes, 0);
});

Deno.test("PartBuffer.seal() lets others in that its rest would have kept out", async () => {
  const pool = new PartBuffers({ maxBytes: 4 * BLOCK, blockBytes: BLOCK });
  using first = await pool.acquire(4 * BLOCK, UNABORTED);
  const second = pool.acquire(4 * BLOCK, UNABORTED);
  assert(!await isSettled(second));
  first.seal();
  assert(await isSettled(second));
  (await second)[Symbol.dispose]();
});

Deno.test("PartBuffers.acquire() ends by its signal, and lets those behind it in", async () => {
  const pool = new PartBuffers({ maxBytes: 4 * BLOCK, blockBytes: BLOCK });
  const first = await pool.acquire(4 * BLOCK, UNABORTED);
  const controller = new AbortController();
  const large = pool.acquire(4 * BLOCK, controller);
  const small = pool.acquire(BLOCK, UNABORTED);
  assertEquals([await isSettled(large), await isSettled(small)], [false, false]);
  controller.abort(new Error("enough"));
  await assertRejects(() => large, Error, "enough");
  (await small)[Symbol.dispose]();
  first[Symbol.dispose]();
  await assertRejects(() => pool.acquire(1, { signal: AbortSignal.abort(new Error("late")) }), Error, "late");
  assertEquals(pool.usedBytes, 0);
});

Deno.test("PartBuffer.write() ends by its signal, keeps what it has, and can go on", async () => {
  const pool = new PartBuffers({ maxBytes: 4 * BLOCK, blockBytes: BLOCK });
  using first = await pool.acquire(3 * BLOCK, UNABORTED);
  const second = await pool.acquire(2 * BLOCK, UNABORTED);
  await first.write(new Uint8Array(2 * BLOCK), UNABORTED);
  await second.write(new Uint8Array(2 * BLOCK), UNABORTED);
  const controller = new AbortController();
  const writing = first.write(new Uint8Array(1), controller);
  assert(!await isSettled(writing));
  controller.abort(new Error("enough"));
  await assertRejects(() => writing, Error, "enough");
  assertEquals(first.length, 2 * BLOCK);
  second[Symbol.dispose]();
  assertEquals(await first.write(new Uint8Array(BLOCK), UNABORTED), BLOCK);
});

Deno.test("PartBuffers refuses what could never be", async () => {
  const pool = new PartBuffers({ maxBytes: 4 * BLOCK + 3, blockBytes: BLOCK });
  assertEquals(pool.maxBytes, 4 * BLOCK);
  for (const bytes of [0, -1, NaN, 4 * BLOCK + 1]) {
    await assertRejects(() => pool.acquire(bytes, UNABORTED), RangeError);
  }
  assertThrows(() => new PartBuffers({ maxBytes: 5, blockBytes: 6 }), RangeError);
  assertThrows(() => new PartBuffers({ blockBytes: 0.5 }), RangeError);
});

Deno.test("PartBuffers never stops, and never has more than its bound, whatever uploads do at once", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const pool = new PartBuffers({ maxBytes: 12 * BLOCK, blockBytes: BLOCK });
    let most = 0;
    const upload = async (_: unknown, index: number) => {
      const owner = [{ owner: "one" }, { owner: "two" }, {}][index % 3];
      for (let count = 0; count < 10; count++) {
        const largest = owner?.owner === undefined ? pool.maxBytes : pool.maxOwnerBytes;
        using part = await pool.acquire(1 + random.below(largest), { ...UNABORTED, ...owner });
        let left = random.below(12 * BLOCK);
        while (left > 0 && part.length < part.capacity) {
          left -= await part.write(new Uint8Array(Math.min(left, 1 + random.below(2 * BLOCK))), UNABORTED);
          most = Math.max(most, pool.usedBytes);
          if (random.oneIn(3)) await new Promise((resolve) => setImmediate(resolve));
        }
        if (random.oneIn(2)) part.seal();
        if (random.oneIn(2)) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all(Array.from({ length: 30 }, upload));
    assertEquals(pool.usedBytes, 0);
    assertLess(most, 12 * BLOCK + 1);
  }
});
