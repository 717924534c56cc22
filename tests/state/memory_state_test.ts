import { assert, assertEquals } from "@std/assert";
import { resolveSettings } from "../../lib/settings/validate.ts";
import { MemoryState, type MemoryStateOptions } from "../../lib/state/memory_state.ts";
import type { ConnectionSlot, SharedRate } from "../../lib/state/state.ts";

const NONE = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };
const { ban: BAN } = resolveSettings({});
const FULL = "Too many connections. Service temporarily unavailable.";
const SAME_ADDRESS = "Too many connections from the same IP address.";
const BEFORE_LOGIN = "Too many connections that have not logged in, try again later.";

/** Returns whether what goes through one counts at the other. */
function isShared(one: SharedRate | undefined, other: SharedRate | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return Atomics.add(one.freeAtUs, 0, 1n) + 1n === Atomics.load(other.freeAtUs, 0);
}

function limitsOf(limits: MemoryStateOptions["limits"]) {
  const state = new MemoryState({ limits, ban: BAN });
  const count = (host: string): ConnectionSlot => {
    const slot = state.acquireConnection(host);
    if (typeof slot === "string") throw new Error(slot);
    return slot;
  };
  const refusal = (host: string): string | undefined => {
    const slot = state.acquireConnection(host);
    if (typeof slot === "string") return slot;
    slot[Symbol.dispose]();
    return undefined;
  };
  return { state, count, refusal };
}

Deno.test("MemoryState refuses what is over the share before the login, and takes it after a login or an end", () => {
  const limits = limitsOf({ ...NONE, connections: 4, connectionsBeforeLogin: 2 });
  const first = limits.count("192.0.2.1");
  const second = limits.count("192.0.2.2");
  assertEquals(limits.refusal("192.0.2.3"), BEFORE_LOGIN);
  first.loggedIn();
  assertEquals(limits.refusal("192.0.2.3"), undefined);
  limits.count("192.0.2.3");
  assertEquals(limits.refusal("192.0.2.4"), BEFORE_LOGIN);
  second[Symbol.dispose]();
  assertEquals(limits.refusal("192.0.2.4"), undefined);
});

Deno.test("MemoryState counts one login of a connection, however often it is told and whenever it ends", () => {
  const limits = limitsOf({ ...NONE, connectionsBeforeLogin: 1 });
  const first = limits.count("192.0.2.1");
  for (let times = 0; times < 3; times++) first.loggedIn();
  first[Symbol.dispose]();
  first.loggedIn();
  limits.count("192.0.2.1");
  assertEquals(limits.refusal("192.0.2.1"), BEFORE_LOGIN);
});

Deno.test("MemoryState counts connections in all whether or not they have logged in", () => {
  const limits = limitsOf({ ...NONE, connections: 2, connectionsBeforeLogin: 1 });
  limits.count("192.0.2.1").loggedIn();
  const last = limits.count("192.0.2.2");
  last.loggedIn();
  assertEquals(limits.refusal("192.0.2.3"), FULL);
  last[Symbol.dispose]();
  assertEquals(limits.refusal("192.0.2.3"), undefined);
});

Deno.test("MemoryState counts addresses, of IPv6 by /64", () => {
  const limits = limitsOf({ ...NONE, connectionsPerAddress: 1 });
  const one = limits.count("2001:db8::1");
  assertEquals(limits.refusal("2001:db8::2"), SAME_ADDRESS);
  assertEquals(limits.refusal("2001:db8:0:1::1"), undefined);
  one[Symbol.dispose]();
  assertEquals(limits.refusal("2001:db8::2"), undefined);
});

Deno.test("MemoryState.configure() holds for connections that were counted before", () => {
  const limits = limitsOf(NONE);
  limits.count("192.0.2.1");
  assertEquals(limits.refusal("192.0.2.2"), undefined);
  limits.state.configure({ limits: { ...NONE, connectionsBeforeLogin: 1 }, ban: BAN });
  assertEquals(limits.refusal("192.0.2.2"), BEFORE_LOGIN);
});

Deno.test("MemoryState.acquireAccount() shares the rates among the sessions of an account", () => {
  const state = new MemoryState({ limits: NONE, ban: BAN });
  using first = state.acquireAccount("user", { bandwidth: { upload: 10 } });
  using second = state.acquireAccount("user", { bandwidth: { upload: 10 } });
  using other = state.acquireAccount("other", { bandwidth: { upload: 10 } });
  assertEquals([first?.receive?.bytesPerSecond, first?.send], [10, undefined]);
  assert(isShared(first?.receive, second?.receive));
  assert(!isShared(first?.receive, other?.receive));
});

Deno.test("MemoryState.acquireAccount() gives newcomers other rates once the limits have changed", () => {
  const state = new MemoryState({ limits: NONE, ban: BAN });
  using first = state.acquireAccount("user", {});
  using second = state.acquireAccount("user", { bandwidth: { upload: 10 } });
  using third = state.acquireAccount("user", { bandwidth: { upload: 10, download: 20 } });
  assertEquals(first?.receive, undefined);
  assertEquals(third?.send?.bytesPerSecond, 20);
  assert(isShared(second?.receive, third?.receive));
  using fourth = state.acquireAccount("user", { bandwidth: { upload: 20, download: 20 } });
  assertEquals(fourth?.receive?.bytesPerSecond, 20);
  assert(!isShared(third?.receive, fourth?.receive));
  assert(isShared(third?.send, fourth?.send));
});

Deno.test("MemoryState.acquireAccount() counts a place that is disposed of twice once", () => {
  const state = new MemoryState({ limits: NONE, ban: BAN });
  const limits = { connections: 2 };
  const first = state.acquireAccount("user", limits);
  using _second = state.acquireAccount("user", limits);
  assertEquals(state.acquireAccount("user", limits), undefined);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  using third = state.acquireAccount("user", limits);
  assert(third !== undefined);
  assertEquals(state.acquireAccount("user", limits), undefined);
});

Deno.test("MemoryState counts a connection down once, however often it is disposed of", () => {
  const state = new MemoryState({ limits: { ...NONE, connections: 1 }, ban: BAN });
  const slot = state.acquireConnection("192.0.2.1") as ConnectionSlot;
  slot[Symbol.dispose]();
  slot[Symbol.dispose]();
  using _first = state.acquireConnection("192.0.2.1") as ConnectionSlot;
  assertEquals(state.acquireConnection("192.0.2.1"), FULL);
});
