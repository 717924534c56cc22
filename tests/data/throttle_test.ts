import { assert, assertEquals, assertLess } from "@std/assert";
import type { Account, AccountLimits } from "../../lib/auth/authorizer.ts";
import { AccountUsage, createThrottles } from "../../lib/control/account_usage.ts";
import { Throttle } from "../../lib/data/throttle.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory_filesystem.ts";

/** By how much a rest may differ because time goes on, in milliseconds. */
const TOLERANCE_MS = 50;

function assertNear(restMs: number, expectedMs: number): void {
  assertLess(Math.abs(restMs - expectedMs), TOLERANCE_MS, `${restMs} ms, not ${expectedMs} ms`);
}

Deno.test("Throttle.count() lets a burst of a tenth of a second through", () => {
  assertEquals(new Throttle(1000).count(90), 0);
});

Deno.test("Throttle.count() tells how long a piece takes at the rate, less the burst", () => {
  for (const [rate, bytes, restMs] of [[1000, 1000, 900], [1000, 5000, 4900], [2 ** 20, 2 ** 21, 1900]] as const) {
    assertNear(new Throttle(rate).count(bytes), restMs);
  }
});

Deno.test("Throttle.count() adds up what comes before the rest is over, of all who share it", () => {
  const throttle = new Throttle(1000);
  const rests = [1, 2, 3].map(() => throttle.count(1000));
  for (const [index, restMs] of rests.entries()) assertNear(restMs, 900 + 1000 * index);
});

Deno.test("createThrottles() makes none where there is no limit", () => {
  assertEquals(createThrottles(), { send: undefined, receive: undefined });
  assertEquals(createThrottles({ upload: 0, download: 0 }), { send: undefined, receive: undefined });
  const { send, receive } = createThrottles({ download: 1 });
  assert(send !== undefined && receive === undefined);
});

function account(limits: AccountLimits): Account {
  return {
    username: "user",
    fileSystem: new MemoryFileSystem(),
    permissions: "",
    loginMessage: "",
    quitMessage: "",
    limits,
    hasPermission: () => false,
  };
}

Deno.test("AccountUsage.enter() shares the throttles among the sessions of an account", () => {
  const usage = new AccountUsage();
  using first = usage.enter(account({ bandwidth: { upload: 10 } }));
  using second = usage.enter(account({ bandwidth: { upload: 10 } }));
  assert(first?.throttles.receive !== undefined);
  assert(first.throttles === second?.throttles);
});

Deno.test("AccountUsage.enter() gives newcomers other throttles once the limits have changed", () => {
  const usage = new AccountUsage();
  using first = usage.enter(account({}));
  using second = usage.enter(account({ bandwidth: { upload: 10 } }));
  using third = usage.enter(account({ bandwidth: { upload: 10 } }));
  assert(first?.throttles.receive === undefined);
  assert(second?.throttles.receive !== undefined);
  assert(second.throttles === third?.throttles);
});

Deno.test("AccountUsage.enter() counts a share that is disposed of twice once", () => {
  const usage = new AccountUsage();
  const limited = account({ connections: 2 });
  const first = usage.enter(limited);
  using _second = usage.enter(limited);
  assertEquals(usage.enter(limited), undefined);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  using third = usage.enter(limited);
  assert(third !== undefined);
  assertEquals(usage.enter(limited), undefined);
});
