import { assert, assertEquals } from "@std/assert";
import { AccountUsage } from "../../lib/server/account_usage.ts";

Deno.test("AccountUsage.enter() shares the rates among the sessions of an account", () => {
  const usage = new AccountUsage();
  using first = usage.enter("user", { bandwidth: { upload: 10 } });
  using second = usage.enter("user", { bandwidth: { upload: 10 } });
  using other = usage.enter("other", { bandwidth: { upload: 10 } });
  assertEquals([first?.receive?.bytesPerSecond, first?.send], [10, undefined]);
  assert(first?.receive === second?.receive);
  assert(first?.receive !== other?.receive);
});

Deno.test("AccountUsage.enter() gives newcomers other rates once the limits have changed", () => {
  const usage = new AccountUsage();
  using first = usage.enter("user", {});
  using second = usage.enter("user", { bandwidth: { upload: 10 } });
  using third = usage.enter("user", { bandwidth: { upload: 10, download: 20 } });
  assertEquals(first?.receive, undefined);
  assertEquals(third?.send?.bytesPerSecond, 20);
  assert(second?.receive === third?.receive);
});

Deno.test("AccountUsage.enter() counts a place that is disposed of twice once", () => {
  const usage = new AccountUsage();
  const limits = { connections: 2 };
  const first = usage.enter("user", limits);
  using _second = usage.enter("user", limits);
  assertEquals(usage.enter("user", limits), undefined);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  using third = usage.enter("user", limits);
  assert(third !== undefined);
  assertEquals(usage.enter("user", limits), undefined);
});
