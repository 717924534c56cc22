import { assertEquals, assertGreaterOrEqual, assertRejects } from "@std/assert";
import { delay, Watchdog } from "../lib/deadline.ts";

/** Waits for the watchdog to expire, with the actions done meanwhile; tells after how many milliseconds it did. */
async function expiry(timeoutMs: number, act: (watchdog: Watchdog) => Promise<void> | void): Promise<number> {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  using watchdog = new Watchdog(timeoutMs, resolve);
  await act(watchdog);
  await promise;
  return performance.now() - startedAt;
}

function wait(ms: number): Promise<void> {
  return delay(ms, new AbortController().signal);
}

Deno.test("Watchdog expires once after its time, also after a fraction of a millisecond", async () => {
  assertGreaterOrEqual(await expiry(20, () => {}), 19);
  assertGreaterOrEqual(await expiry(0.5, () => {}), 0.5);
});

Deno.test("Watchdog expires its whole time after the last touch", async () => {
  const elapsedMs = await expiry(40, async (watchdog) => {
    await wait(25);
    watchdog.touch();
  });
  assertGreaterOrEqual(elapsedMs, 64);
});

Deno.test("Watchdog does not expire while it is paused, and then starts from the beginning", async () => {
  const elapsedMs = await expiry(20, async (watchdog) => {
    watchdog.pause();
    await wait(70);
    watchdog.resume();
  });
  assertGreaterOrEqual(elapsedMs, 89);
});

Deno.test("Watchdog of 0 and a disposed one never expire", async () => {
  let expired = 0;
  {
    using _never = new Watchdog(0, () => expired++);
    using _disposed = new Watchdog(10, () => expired++);
  }
  const disposedTwice = new Watchdog(10, () => expired++);
  disposedTwice[Symbol.dispose]();
  disposedTwice[Symbol.dispose]();
  disposedTwice.touch();
  disposedTwice.resume();
  await wait(30);
  assertEquals(expired, 0);
});

Deno.test("Watchdog calls back once, however often it is touched afterwards", async () => {
  let expired = 0;
  using watchdog = new Watchdog(5, () => expired++);
  await wait(15);
  watchdog.touch();
  watchdog.resume();
  await wait(15);
  assertEquals(expired, 1);
});

Deno.test("delay() resolves after its time", async () => {
  const startedAt = performance.now();
  await wait(20);
  assertGreaterOrEqual(performance.now() - startedAt, 19);
});

Deno.test("delay() rejects with the reason as soon as the signal aborts, before or meanwhile", async () => {
  const reason = new Error("stop");
  const controller = new AbortController();
  const pending = delay(60_000, controller.signal);
  controller.abort(reason);
  assertEquals(await assertRejects(() => pending), reason);
  assertEquals(await assertRejects(() => delay(60_000, controller.signal)), reason);
});
