import { assert, assertEquals } from "@std/assert";
import { afterFailure, firstAttempt, renewalTime, RETRY_TIMES } from "../../lib/acme/renewal_times.ts";
import type { Attempts } from "../../lib/acme/certificate_store.ts";

const DAY = 86_400_000;
const FAILURE = { kind: "unreachable", message: "away", retryAfterMs: undefined } as const;

Deno.test("renewalTime() is when a third of the life is left, or up to a fiftieth of it sooner", () => {
  const validFrom = new Date(0);
  const validTo = new Date(90 * DAY);
  const at = (fingerprint: string) => renewalTime({ validFrom, validTo, fingerprint }) / DAY;
  assertEquals(at("00:00:00:00:AA"), 60);
  assert(at("FF:FF:FF:FF:AA") > 58.1 && at("FF:FF:FF:FF:AA") < 58.21);
  assertEquals(at("80:00:00:00"), at("80000000"));
  assertEquals(at("nothing"), 60);
});

Deno.test("afterFailure() waits four times as long each time, to a cap", () => {
  let before: Attempts | undefined;
  const waits: number[] = [];
  for (let times = 0; times < 8; times++) {
    before = afterFailure(FAILURE, { before, now: 1000, random: 0 });
    waits.push((before.notBefore - 1000) / 60_000);
  }
  assertEquals(waits, [1, 4, 16, 64, 256, 360, 360, 360]);
  assertEquals(before?.failures, 8);
  assertEquals(afterFailure(FAILURE, { before: undefined, now: 0, random: 0.5 }).notBefore, 67_500);
});

Deno.test("afterFailure() obeys the CA, and waits an hour where a limit is reached", () => {
  const limited = { ...FAILURE, kind: "rateLimited" } as const;
  const options = { before: undefined, now: 0, random: 0 };
  assertEquals(afterFailure(limited, options).notBefore, RETRY_TIMES.limitedMs);
  const week = 7 * DAY;
  const asked = afterFailure({ ...limited, retryAfterMs: week }, options);
  assertEquals([asked.notBefore, asked.isAsked], [week, true]);
  assertEquals(afterFailure({ ...FAILURE, retryAfterMs: 1000 }, options).notBefore, RETRY_TIMES.firstMs);
});

Deno.test("firstAttempt() is at once behind a restart, but not against the CA, and not again and again", () => {
  const attempts = { failures: 1, failedAt: 0, notBefore: 500_000, isAsked: false, reason: "" };
  assertEquals(firstAttempt(undefined, 1000), 1000);
  assertEquals(firstAttempt(attempts, 1000), 1000);
  assertEquals(firstAttempt({ ...attempts, isAsked: true }, 1000), 500_000);
  assertEquals(firstAttempt({ ...attempts, failures: 4 }, 1000), 500_000);
  assertEquals(firstAttempt({ ...attempts, failures: 4 }, 3_700_000), 3_700_000);
});
