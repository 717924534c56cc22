import { assert, assertEquals } from "@std/assert";
import { resolveSettings } from "../../lib/settings/validate.ts";
import { MemoryState, type MemoryStateOptions } from "../../lib/state/memory_state.ts";
import type { ConnectionSlot, SharedRate } from "../../lib/state/state.ts";
import { testState } from "./state_conformance.ts";

const NONE = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };
const { ban: BAN } = resolveSettings({});
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

testState("MemoryState", (options) => {
  const state = new MemoryState(options);
  return Promise.resolve({ state, others: state, [Symbol.asyncDispose]: () => Promise.resolve() });
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
