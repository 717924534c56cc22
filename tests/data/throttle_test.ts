import { assert, assertEquals, assertLess } from "@std/assert";
import { Throttle } from "../../lib/data/pacing.ts";
import { createRate, type SharedRate } from "../../lib/state/state.ts";

/** By how much a rest may differ because time goes on, in milliseconds. */
const TOLERANCE_MS = 50;

function assertNear(restMs: number, expectedMs: number): void {
  assertLess(Math.abs(restMs - expectedMs), TOLERANCE_MS, `${restMs} ms, not ${expectedMs} ms`);
}

function rateOf(bytesPerSecond: number): SharedRate {
  const rate = createRate(bytesPerSecond);
  assert(rate !== undefined);
  return rate;
}

Deno.test("Throttle.count() lets a burst of a tenth of a second through", () => {
  assertEquals(new Throttle(rateOf(1000)).count(90), 0);
});

Deno.test("Throttle.count() says how long a piece takes at the rate, less the burst", () => {
  for (const [rate, bytes, restMs] of [[1000, 1000, 900], [1000, 5000, 4900], [2 ** 20, 2 ** 21, 1900]] as const) {
    assertNear(new Throttle(rateOf(rate)).count(bytes), restMs);
  }
});

Deno.test("Throttle.count() adds up what comes before the rest is over, of all who share it", () => {
  const throttle = new Throttle(rateOf(1000));
  const rests = [1, 2, 3].map(() => throttle.count(1000));
  for (const [index, restMs] of rests.entries()) assertNear(restMs, 900 + 1000 * index);
});

Deno.test("Throttle.count() adds up over all throttles of one rate, also where it was sent to another event loop", () => {
  const rate = rateOf(1000);
  const rests = [rate, rate, structuredClone(rate)].map((rate) => new Throttle(rate).count(1000));
  for (const [index, restMs] of rests.entries()) assertNear(restMs, 900 + 1000 * index);
});

Deno.test("createRate() makes none for no limit", () => {
  assertEquals(createRate(0), undefined);
});
