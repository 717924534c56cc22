import { assert, assertEquals, assertThrows } from "@std/assert";
import { type BanOptions, LoginThrottle } from "../../lib/auth/login_throttle.ts";

/** A throttle with a clock of its own, in seconds. */
function makeThrottle(options: BanOptions = {}) {
  const clock = { seconds: 1000 };
  return { throttle: new LoginThrottle(options, () => clock.seconds * 1000), clock };
}

function failOften(throttle: LoginThrottle, host: string, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => throttle.countFailure(host));
}

Deno.test("LoginThrottle.countFailure() bans an address with the failure that is one too many", () => {
  const { throttle } = makeThrottle({ failures: 3, duration: 60 });
  assertEquals(failOften(throttle, "192.0.2.1", 2), [undefined, undefined]);
  assert(!throttle.isBanned("192.0.2.1"));
  assertEquals(throttle.countFailure("192.0.2.1"), 60);
  assert(throttle.isBanned("192.0.2.1"));
  assert(!throttle.isBanned("192.0.2.2"));
});

Deno.test("LoginThrottle bans after 10 failures within 10 minutes for 15 minutes by default", () => {
  const { throttle, clock } = makeThrottle();
  assertEquals(failOften(throttle, "192.0.2.1", 10).at(-1), 900);
  clock.seconds += 899.9;
  assert(throttle.isBanned("192.0.2.1"));
  clock.seconds += 0.1;
  assert(!throttle.isBanned("192.0.2.1"));
  failOften(throttle, "192.0.2.1", 9);
  clock.seconds += 600;
  assertEquals(throttle.countFailure("192.0.2.1"), undefined);
});

Deno.test("LoginThrottle.countFailure() begins anew after a ban", () => {
  const { throttle, clock } = makeThrottle({ failures: 3, window: 600, duration: 60 });
  failOften(throttle, "192.0.2.1", 3);
  // Sessions that were open before the ban may still fail.
  assertEquals(failOften(throttle, "192.0.2.1", 5), Array.from({ length: 5 }, () => undefined));
  clock.seconds += 60;
  assert(!throttle.isBanned("192.0.2.1"));
  assertEquals(failOften(throttle, "192.0.2.1", 3), [undefined, undefined, 60]);
});

Deno.test("LoginThrottle.countFailure() counts each failure for as long as the window", () => {
  const { throttle, clock } = makeThrottle({ failures: 3, window: 10 });
  const outcomes = [0, 6, 6, 3, 1].map((wait) => {
    clock.seconds += wait;
    return throttle.countFailure("192.0.2.1") !== undefined;
  });
  // At 0, 6, 12, 15 and 16: the last is the first one with two others less than 10 seconds before it.
  assertEquals(outcomes, [false, false, false, true, false]);
});

Deno.test("LoginThrottle bans an IPv6 address with its /64, and a mapped IPv4 address as itself", () => {
  const { throttle } = makeThrottle({ failures: 2 });
  throttle.countFailure("2001:db8:0:1::1");
  throttle.countFailure("2001:DB8:0:1:ffff::2");
  assert(throttle.isBanned("2001:db8:0:1:abcd::"));
  assert(!throttle.isBanned("2001:db8:0:2::1"));
  throttle.countFailure("::ffff:192.0.2.1");
  throttle.countFailure("192.0.2.1");
  assert(throttle.isBanned("::ffff:192.0.2.1"));
  assert(!throttle.isBanned("::ffff:192.0.2.2"));
});

Deno.test("LoginThrottle never bans exempt addresses, of IPv6 with their /64", () => {
  const { throttle } = makeThrottle({ failures: 1, never: ["192.0.2.1", "2001:db8::1"] });
  for (const host of ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8::2"]) {
    assertEquals(throttle.countFailure(host), undefined, host);
    assert(!throttle.isBanned(host), host);
  }
  assertEquals(throttle.countFailure("192.0.2.2"), 900);
});

Deno.test("LoginThrottle bans nobody with 0 failures", () => {
  const { throttle } = makeThrottle({ failures: 0 });
  failOften(throttle, "192.0.2.1", 50);
  assert(!throttle.isBanned("192.0.2.1"));
});

Deno.test("LoginThrottle.configure() holds from then on, and lets bans go on", () => {
  const { throttle, clock } = makeThrottle({ failures: 2, duration: 60 });
  failOften(throttle, "192.0.2.1", 2);
  failOften(throttle, "192.0.2.2", 2);
  throttle.countFailure("192.0.2.3");
  throttle.configure({ failures: 3, duration: 5, never: ["192.0.2.2"] });
  assert(throttle.isBanned("192.0.2.1"));
  assert(!throttle.isBanned("192.0.2.2"));
  assertEquals(failOften(throttle, "192.0.2.3", 2), [undefined, 5]);
  clock.seconds += 30;
  assertEquals([throttle.isBanned("192.0.2.1"), throttle.isBanned("192.0.2.3")], [true, false]);
});

/** Asks for places at once; the list grows as they are given. */
function ask(throttle: LoginThrottle, host: string, count: number): (Disposable | undefined)[] {
  const given: (Disposable | undefined)[] = [];
  for (let asked = 0; asked < count; asked++) throttle.beginAttempt(host).then((place) => given.push(place));
  return given;
}

/** Lets everybody go on who can. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("LoginThrottle.beginAttempt() lets as many be checked at once as may fail, of each address", async () => {
  const { throttle } = makeThrottle({ failures: 3 });
  throttle.countFailure("192.0.2.2");
  const places = [ask(throttle, "192.0.2.1", 5), ask(throttle, "192.0.2.2", 5)];
  await turn();
  assertEquals(places.map(({ length }) => length), [3, 2]);
});

Deno.test("LoginThrottle.beginAttempt() gives the place of a right password to the next one", async () => {
  const { throttle } = makeThrottle({ failures: 2 });
  const places = ask(throttle, "192.0.2.1", 5);
  await turn();
  places[0]?.[Symbol.dispose]();
  await turn();
  assertEquals(places.length, 3);
});

Deno.test("LoginThrottle.beginAttempt() has no place for those who waited for a failure that banned", async () => {
  const { throttle } = makeThrottle({ failures: 2 });
  const places = ask(throttle, "192.0.2.1", 4);
  for (let failures = 0; failures < 2; failures++) {
    await turn();
    throttle.countFailure("192.0.2.1");
    places[failures]?.[Symbol.dispose]();
  }
  await turn();
  assertEquals(places.slice(2), [undefined, undefined]);
  assertEquals(await throttle.beginAttempt("192.0.2.1"), undefined);
});

Deno.test("LoginThrottle.beginAttempt() lets one go on where fewer may fail now than have failed", async () => {
  const { throttle } = makeThrottle({ failures: 9 });
  failOften(throttle, "192.0.2.1", 5);
  throttle.configure({ failures: 3 });
  const places = ask(throttle, "192.0.2.1", 2);
  await turn();
  assertEquals(places.length, 1);
});

Deno.test("LoginThrottle.beginAttempt() lets nobody wait who is never banned", async () => {
  for (const options of [{ failures: 0 }, { failures: 1, never: ["192.0.2.1"] }]) {
    const places = ask(makeThrottle(options).throttle, "192.0.2.1", 50);
    await turn();
    assertEquals(places.length, 50);
  }
});

Deno.test("LoginThrottle keeps 10,000 addresses in mind, and forgets the one quiet longest", () => {
  const { throttle } = makeThrottle({ failures: 3 });
  const hosts = Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  for (const host of hosts) failOften(throttle, host, 2);
  throttle.configure({ failures: 4 });
  throttle.countFailure("10.0.0.0");
  throttle.countFailure("192.0.2.1"); // In place of 10.0.0.1.
  assertEquals(throttle.countFailure("10.0.0.0"), 900);
  assertEquals(failOften(throttle, "10.0.0.2", 2).at(-1), 900);
  assertEquals(failOften(throttle, "10.0.0.1", 3).at(-1), undefined);
});

Deno.test("LoginThrottle forgets a banned address last", () => {
  const { throttle, clock } = makeThrottle({ failures: 1, duration: 60 });
  const hostOf = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  throttle.countFailure("192.0.2.1");
  throttle.configure({ failures: 2, duration: 60 });
  for (let index = 0; index < 20_000; index++) throttle.countFailure(hostOf(index));
  assert(throttle.isBanned("192.0.2.1"));
  throttle.configure({ failures: 1, duration: 60 });
  for (let index = 0; index < 10_000; index++) throttle.countFailure(hostOf(index));
  assert(!throttle.isBanned("192.0.2.1"));
  assert(throttle.isBanned(hostOf(9_999)));
  clock.seconds += 60;
  assert(!throttle.isBanned(hostOf(9_999)));
});

Deno.test("LoginThrottle refuses options that make no sense", () => {
  for (const failures of [-1, 1.5, NaN, 1001, Infinity]) {
    assertThrows(() => new LoginThrottle({ failures }), RangeError, `Cannot ban after ${failures} failures`);
  }
  for (const time of [0, -1, NaN]) {
    assertThrows(() => new LoginThrottle({ window: time }), RangeError, `within ${time} seconds: it must be over 0`);
    assertThrows(() => new LoginThrottle({ duration: time }), RangeError, `Cannot ban for ${time} seconds`);
  }
  const { throttle } = makeThrottle({ failures: 1 });
  assertThrows(() => throttle.configure({ failures: -1 }), RangeError);
  assertEquals(throttle.countFailure("192.0.2.1"), 900);
});
