import { assert, assertEquals, assertRejects } from "@std/assert";
import type { BanOptions } from "../../lib/settings/options.ts";
import type { Settings } from "../../lib/settings/settings.ts";
import { resolveSettings } from "../../lib/settings/validate.ts";
import { AddressCounts } from "../../lib/state/address_counts.ts";
import { type LoginAttempt, LoginThrottle } from "../../lib/state/login_throttle.ts";
import { SharedTable } from "../../lib/state/shared_table.ts";

const SIGNAL = new AbortController().signal;

function ban(options: BanOptions): Settings["ban"] {
  return resolveSettings({ ban: options }).ban;
}

/** A throttle with a clock of its own, in seconds. */
function makeThrottle(options: BanOptions = {}) {
  const clock = { seconds: 1000 };
  return { throttle: new LoginThrottle(ban(options), { now: () => clock.seconds * 1000 }), clock };
}

/** Tries a wrong password; the length of the ban that it has brought. */
async function fail(throttle: LoginThrottle, host: string): Promise<number | undefined> {
  return (await throttle.beginAttempt(host, SIGNAL))?.fail();
}

async function failOften(throttle: LoginThrottle, host: string, count: number): Promise<(number | undefined)[]> {
  const bans: (number | undefined)[] = [];
  while (bans.length < count) bans.push(await fail(throttle, host));
  return bans;
}

Deno.test("LoginThrottle bans an address with the failure that is one too many", async () => {
  const { throttle } = makeThrottle({ failures: 3, duration: 60 });
  assertEquals(await failOften(throttle, "192.0.2.1", 2), [undefined, undefined]);
  assert(!throttle.isBanned("192.0.2.1"));
  assertEquals(await fail(throttle, "192.0.2.1"), 60);
  assert(throttle.isBanned("192.0.2.1"));
  assert(!throttle.isBanned("192.0.2.2"));
});

Deno.test("LoginThrottle bans after 10 failures within 10 minutes for 15 minutes by default", async () => {
  const { throttle, clock } = makeThrottle();
  assertEquals((await failOften(throttle, "192.0.2.1", 10)).at(-1), 900);
  clock.seconds += 899.9;
  assert(throttle.isBanned("192.0.2.1"));
  clock.seconds += 0.1;
  assert(!throttle.isBanned("192.0.2.1"));
  await failOften(throttle, "192.0.2.1", 9);
  clock.seconds += 600;
  assertEquals(await fail(throttle, "192.0.2.1"), undefined);
});

Deno.test("LoginThrottle begins anew after a ban", async () => {
  const { throttle, clock } = makeThrottle({ failures: 3, window: 600, duration: 60 });
  await failOften(throttle, "192.0.2.1", 3);
  // Nobody looks at a password meanwhile.
  assertEquals(await failOften(throttle, "192.0.2.1", 5), Array.from({ length: 5 }, () => undefined));
  clock.seconds += 60;
  assert(!throttle.isBanned("192.0.2.1"));
  assertEquals(await failOften(throttle, "192.0.2.1", 3), [undefined, undefined, 60]);
});

Deno.test("LoginThrottle counts each failure for as long as the window", async () => {
  const { throttle, clock } = makeThrottle({ failures: 3, window: 10 });
  const outcomes: boolean[] = [];
  for (const wait of [0, 6, 6, 3, 1]) {
    clock.seconds += wait;
    outcomes.push(await fail(throttle, "192.0.2.1") !== undefined);
  }
  // At 0, 6, 12, 15 and 16: the last is the first one with two others less than 10 seconds before it.
  assertEquals(outcomes, [false, false, false, true, false]);
});

Deno.test("LoginThrottle bans an IPv6 address with its /64, and a mapped IPv4 address as itself", async () => {
  const { throttle } = makeThrottle({ failures: 2 });
  await fail(throttle, "2001:db8:0:1::1");
  await fail(throttle, "2001:DB8:0:1:ffff::2");
  assert(throttle.isBanned("2001:db8:0:1:abcd::"));
  assert(!throttle.isBanned("2001:db8:0:2::1"));
  await fail(throttle, "::ffff:192.0.2.1");
  await fail(throttle, "192.0.2.1");
  assert(throttle.isBanned("::ffff:192.0.2.1"));
  assert(!throttle.isBanned("::ffff:192.0.2.2"));
});

Deno.test("LoginThrottle never bans exempt addresses, of IPv6 with their /64", async () => {
  const { throttle } = makeThrottle({ failures: 1, never: ["192.0.2.1", "2001:db8::1"] });
  for (const host of ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8::2"]) {
    assertEquals(await fail(throttle, host), undefined, host);
    assert(!throttle.isBanned(host), host);
  }
  assertEquals(await fail(throttle, "192.0.2.2"), 900);
});

Deno.test("LoginThrottle bans nobody with 0 failures", async () => {
  const { throttle } = makeThrottle({ failures: 0 });
  await failOften(throttle, "192.0.2.1", 50);
  assert(!throttle.isBanned("192.0.2.1"));
});

Deno.test("LoginThrottle.configure() holds from then on, and lets bans go on", async () => {
  const { throttle, clock } = makeThrottle({ failures: 2, duration: 60 });
  await failOften(throttle, "192.0.2.1", 2);
  await failOften(throttle, "192.0.2.2", 2);
  await fail(throttle, "192.0.2.3");
  throttle.configure(ban({ failures: 3, duration: 5, never: ["192.0.2.2"] }));
  assert(throttle.isBanned("192.0.2.1"));
  assert(!throttle.isBanned("192.0.2.2"));
  assertEquals(await failOften(throttle, "192.0.2.3", 2), [undefined, 5]);
  clock.seconds += 30;
  assertEquals([throttle.isBanned("192.0.2.1"), throttle.isBanned("192.0.2.3")], [true, false]);
});

/** Begins attempts at once; the list grows as they are let begin. */
function ask(throttle: LoginThrottle, host: string, count: number): (LoginAttempt | undefined)[] {
  const begun: (LoginAttempt | undefined)[] = [];
  for (let asked = 0; asked < count; asked++) {
    throttle.beginAttempt(host, SIGNAL).then((attempt) => begun.push(attempt));
  }
  return begun;
}

/** Lets everybody go on who can. */
function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("LoginThrottle.beginAttempt() lets as many be checked at once as may fail, of each address", async () => {
  const { throttle } = makeThrottle({ failures: 3 });
  await fail(throttle, "192.0.2.2");
  const begun = [ask(throttle, "192.0.2.1", 5), ask(throttle, "192.0.2.2", 5)];
  await yieldToEventLoop();
  assertEquals(begun.map(({ length }) => length), [3, 2]);
});

Deno.test("LoginThrottle.beginAttempt() lets the next one begin when one is given back", async () => {
  const { throttle } = makeThrottle({ failures: 2 });
  const begun = ask(throttle, "192.0.2.1", 5);
  await yieldToEventLoop();
  begun[0]?.giveBack();
  await yieldToEventLoop();
  assertEquals(begun.length, 3);
});

Deno.test("LoginThrottle.beginAttempt() lets nobody begin who waited for a failure that banned", async () => {
  const { throttle } = makeThrottle({ failures: 2 });
  const begun = ask(throttle, "192.0.2.1", 4);
  await yieldToEventLoop();
  assertEquals([begun[0]?.fail(), begun[1]?.fail()], [undefined, 900]);
  await yieldToEventLoop();
  assertEquals(begun.slice(2), [undefined, undefined]);
  assertEquals(await throttle.beginAttempt("192.0.2.1", SIGNAL), undefined);
});

Deno.test("LoginThrottle.beginAttempt() gives up when its signal aborts, and counts nothing", async () => {
  const { throttle } = makeThrottle({ failures: 1 });
  const first = await throttle.beginAttempt("192.0.2.1", SIGNAL);
  const controller = new AbortController();
  const given = throttle.beginAttempt("192.0.2.1", controller.signal);
  const next = throttle.beginAttempt("192.0.2.1", SIGNAL);
  controller.abort(new Error("left"));
  await assertRejects(() => given, Error, "left");
  await assertRejects(() => throttle.beginAttempt("192.0.2.1", controller.signal), Error, "left");
  first?.giveBack();
  assert(await next !== undefined);
});

Deno.test("LoginThrottle takes an attempt for a failure that ends without a word", async () => {
  const { throttle } = makeThrottle({ failures: 3 });
  for (let attempts = 0; attempts < 3; attempts++) {
    assert(!throttle.isBanned("192.0.2.1"));
    using _attempt = await throttle.beginAttempt("192.0.2.1", SIGNAL);
  }
  assert(throttle.isBanned("192.0.2.1"));
});

Deno.test("LoginThrottle counts an attempt once, by how it ended first", async () => {
  const { throttle } = makeThrottle({ failures: 2 });
  const right = await throttle.beginAttempt("192.0.2.1", SIGNAL);
  right?.giveBack();
  assertEquals(right?.fail(), undefined);
  right?.[Symbol.dispose]();
  const wrong = await throttle.beginAttempt("192.0.2.1", SIGNAL);
  for (const end of [() => wrong?.fail(), () => wrong?.giveBack(), () => wrong?.[Symbol.dispose]()]) end();
  assert(!throttle.isBanned("192.0.2.1"));
  assertEquals(await fail(throttle, "192.0.2.1"), 900);
});

Deno.test("LoginThrottle.beginAttempt() lets one go on where fewer may fail now than have failed", async () => {
  const { throttle } = makeThrottle({ failures: 9 });
  await failOften(throttle, "192.0.2.1", 5);
  throttle.configure(ban({ failures: 3 }));
  const places = ask(throttle, "192.0.2.1", 2);
  await yieldToEventLoop();
  assertEquals(places.length, 1);
});

Deno.test("LoginThrottle.beginAttempt() lets nobody wait who is never banned", async () => {
  for (const options of [{ failures: 0 }, { failures: 1, never: ["192.0.2.1"] }]) {
    const places = ask(makeThrottle(options).throttle, "192.0.2.1", 50);
    await yieldToEventLoop();
    assertEquals(places.length, 50);
  }
});

Deno.test("LoginThrottle keeps 10,000 addresses in mind, and forgets the one quiet longest", async () => {
  const { throttle } = makeThrottle({ failures: 3 });
  const hosts = Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  for (const host of hosts) await failOften(throttle, host, 2);
  throttle.configure(ban({ failures: 4 }));
  await fail(throttle, "10.0.0.0");
  await fail(throttle, "192.0.2.1"); // In place of 10.0.0.1.
  assertEquals(await fail(throttle, "10.0.0.0"), 900);
  assertEquals((await failOften(throttle, "10.0.0.2", 2)).at(-1), 900);
  assertEquals((await failOften(throttle, "10.0.0.1", 3)).at(-1), undefined);
});

Deno.test("LoginThrottle forgets a banned address last", async () => {
  const { throttle, clock } = makeThrottle({ failures: 1, duration: 60 });
  const hostOf = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  await fail(throttle, "192.0.2.1");
  throttle.configure(ban({ failures: 2, duration: 60 }));
  for (let index = 0; index < 20_000; index++) await fail(throttle, hostOf(index));
  assert(throttle.isBanned("192.0.2.1"));
  throttle.configure(ban({ failures: 1, duration: 60 }));
  for (let index = 0; index < 10_000; index++) await fail(throttle, hostOf(index));
  assert(!throttle.isBanned("192.0.2.1"));
  assert(throttle.isBanned(hostOf(9_999)));
  clock.seconds += 60;
  assert(!throttle.isBanned(hostOf(9_999)));
});

Deno.test("LoginThrottle lets an address that it has forgotten begin as others, in all event loops", async () => {
  const counts = new AddressCounts(new SharedTable());
  const throttle = new LoginThrottle(ban({ failures: 2 }), { counts });
  await fail(throttle, "192.0.2.1");
  const key = counts.keyOf("192.0.2.1");
  assertEquals([counts.beginAttempt(key), counts.beginAttempt(key)], [true, false]);
  for (let index = 0; index < 10_000; index++) await fail(throttle, `198.18.${index >> 8}.${index & 255}`);
  assert(counts.beginAttempt(key));
});

Deno.test("An operator's ban holds for its time, is listed, and can be lifted, which forgets the failures", async () => {
  let now = 0;
  const throttle = new LoginThrottle({ failures: 2, window: 60, duration: 60, never: ["192.0.2.9"] }, {
    now: () => now,
  });
  throttle.ban("2001:db8::1", 10);
  throttle.ban("192.0.2.9", 10);
  assertEquals(throttle.list(), [{ address: "2001:db8:0:0::/64", seconds: 10 }]);
  assert(throttle.isBanned("2001:db8::2"));
  now = 10_001;
  assertEquals([throttle.isBanned("2001:db8::2"), throttle.list(), throttle.lift("2001:db8::2")], [false, [], false]);

  const signal = new AbortController().signal;
  for (let times = 0; times < 2; times++) (await throttle.beginAttempt("192.0.2.1", signal))?.fail();
  assertEquals([throttle.isBanned("192.0.2.1"), throttle.lift("192.0.2.1")], [true, true]);
  (await throttle.beginAttempt("192.0.2.1", signal))?.fail();
  assert(!throttle.isBanned("192.0.2.1"));
});
