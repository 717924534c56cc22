import { assert, assertEquals } from "@std/assert";
import { batchesOf, EntryBatches } from "../../lib/filesystem/entry_batches.ts";

/** Yields batches, and notes that it was ended. */
async function* batchesWithEnd(onEnd: () => void): AsyncGenerator<readonly string[], void, undefined> {
  try {
    yield ["a", "b"];
    yield ["c"];
  } finally {
    onEnd();
  }
}

Deno.test("EntryBatches are gone through one by one, or in batches", async () => {
  assertEquals(await Array.fromAsync(new EntryBatches(batchesWithEnd(() => {}))), ["a", "b", "c"]);
  const batches = batchesOf(new EntryBatches(batchesWithEnd(() => {})));
  assertEquals(await Array.fromAsync(batches), [["a", "b"], ["c"]]);
});

Deno.test("batchesOf() takes what has no batches", async () => {
  async function* singles(): AsyncGenerator<string> {
    yield* ["a", "b"];
  }
  assertEquals(await Array.fromAsync(batchesOf(singles())), [["a"], ["b"]]);
  assertEquals(await Array.fromAsync(batchesOf(new Set(["a", "b"]))), [["a", "b"]]);
});

Deno.test("EntryBatches end the listing when the loop over them ends early", async () => {
  for (const through of [(all: EntryBatches<string>) => all, (all: EntryBatches<string>) => batchesOf(all)]) {
    let isEnded = false;
    for await (const _ of through(new EntryBatches(batchesWithEnd(() => isEnded = true)))) break;
    assert(isEnded);
  }
});
