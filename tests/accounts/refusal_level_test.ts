import { assert, assertEquals, assertRejects } from "@std/assert";
import { RefusalLevel } from "../../lib/accounts/refusal_level.ts";

const { signal } = new AbortController();

/** How long a refusal takes in all that took so long until then. */
async function reach(level: RefusalLevel, takenMs: number): Promise<number> {
  const since = performance.now() - takenMs;
  await level.reach(since, signal);
  return performance.now() - since;
}

/** Whether a time is a step, give or take what a timer does on a busy machine. */
function isStep(ms: number, stepMs: number): boolean {
  return ms >= stepMs - 2 && ms < stepMs + 90;
}

Deno.test("RefusalLevel.reach() lets all refusals take the same time, and longer when several have taken longer", async () => {
  const level = new RefusalLevel();
  for (const taken of [0, 10, 65]) assert(isStep(await reach(level, taken), 100));
  for (const taken of [1_000, 1_000]) await reach(level, taken); // two may have waited for a connection
  assert(isStep(await reach(level, 0), 100));
  for (const taken of [150, 150]) await reach(level, taken);
  assert(isStep(await reach(level, 0), 400));
});

Deno.test("RefusalLevel.reach() knows no end of a level, but one to how far it goes", async () => {
  const level = new RefusalLevel();
  const start = performance.now();
  for (let times = 0; times < 5; times++) await reach(level, 60_000);
  assert(performance.now() - start < 1_000);
});

Deno.test("RefusalLevel.reach() ends to wait when its signal aborts", async () => {
  const left = new AbortController();
  const waiting = new RefusalLevel().reach(performance.now(), left.signal);
  left.abort(new Error("left"));
  const error = await assertRejects(() => waiting, Error);
  assertEquals(error.message, "left");
});
