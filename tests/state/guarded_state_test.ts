import { assertEquals, assertRejects } from "@std/assert";
import { FileSystemError } from "../../lib/filesystem/filesystem.ts";
import { WriteClaims } from "../../lib/filesystem/write_claims.ts";
import { GuardedFileClaims, guardState, reportSparingly } from "../../lib/state/guarded_state.ts";
import { resolveSettings } from "../../lib/settings/validate.ts";
import { MemoryState } from "../../lib/state/memory_state.ts";
import { type ConnectionSlot, type SharedState, StateUnavailableError } from "../../lib/state/state.ts";

const LIMITS = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };

/** A state in memory of which some calls do something else. */
function engine(calls: Partial<SharedState>): SharedState {
  const memory = new MemoryState({ limits: LIMITS, ban: resolveSettings({}).ban });
  return {
    acquireConnection: (host) => memory.acquireConnection(host),
    beginAttempt: (host, signal) => memory.beginAttempt(host, signal),
    acquireAccount: (username, limits) => memory.acquireAccount(username, limits),
    ...calls,
  };
}

Deno.test("guardState() gives back an attempt that comes too late, and then releases it", async () => {
  const asked = Promise.withResolvers<void>();
  const done: string[] = [];
  const attempt = {
    giveBack: () => void done.push("giveBack"),
    fail: () => ({ isBanned: false, bannedForSeconds: undefined }),
    [Symbol.dispose]: () => void done.push("release"),
  };
  const state = guardState(engine({ beginAttempt: () => asked.promise.then(() => attempt) }), { report: () => {} });
  const leaving = new AbortController();
  const pending = state.beginAttempt("192.0.2.1", leaving.signal);
  leaving.abort(new Error("left"));
  await assertRejects(async () => await pending, Error, "left");
  assertEquals(done, []);
  asked.resolve();
  await asked.promise;
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(done, ["giveBack", "release"]);
});

Deno.test("guardState() gives back what was acquired in the very turn in which its signal aborts", async () => {
  for (const turns of [0, 1, 2, 3]) {
    let released = 0;
    const asked = Promise.withResolvers<ConnectionSlot>();
    const state = guardState(engine({ acquireConnection: () => asked.promise }), { report: () => {} });
    const leaving = new AbortController();
    const pending = state.acquireConnection("192.0.2.1", leaving.signal);
    asked.resolve({ loggedIn() {}, [Symbol.dispose]: () => void released++ });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    leaving.abort(new Error("left"));
    const slot = await Promise.resolve(pending).catch(() => undefined);
    if (typeof slot === "object") slot[Symbol.dispose]();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(released, 1, `${turns} turns`);
  }
});

Deno.test("guardState() reports a place that was lost before it came", async () => {
  const reported: string[] = [];
  const slot = { loggedIn() {}, lost: AbortSignal.abort(new Error("lease expired")), [Symbol.dispose]() {} };
  const state = guardState(engine({ acquireConnection: () => slot }), { report: (call) => void reported.push(call) });
  using _slot = await state.acquireConnection("192.0.2.1", new AbortController().signal) as Disposable;
  assertEquals(reported, ["lost"]);
});

Deno.test("GuardedFileClaims.claim() refuses a file that is written, which is no failure", async () => {
  const reported: string[] = [];
  const claims = new GuardedFileClaims(new WriteClaims(), (call) => void reported.push(call));
  {
    using _claim = await claims.claim("file");
    const error = await assertRejects(() => claims.claim("file"), FileSystemError);
    assertEquals([error.kind, error.cause], ["busy", undefined]);
  }
  using _claim = await claims.claim("file");
  assertEquals(reported, []);
});

Deno.test("GuardedFileClaims.claim() refuses as for a file that is written when the engine fails", async () => {
  const reported: string[] = [];
  const down = { claim: () => Promise.reject(new Error("down")) };
  const claims = new GuardedFileClaims(down, (call) => void reported.push(call));
  const error = await assertRejects(() => claims.claim("file"), FileSystemError);
  assertEquals([error.kind, error.cause instanceof StateUnavailableError, reported], ["unavailable", true, ["claim"]]);
});

Deno.test("GuardedFileClaims.claim() releases a claim that comes too late", async () => {
  const asked = Promise.withResolvers<Disposable>();
  const released = Promise.withResolvers<void>();
  const claims = new GuardedFileClaims({ claim: () => asked.promise }, () => {});
  const leaving = new AbortController();
  const pending = claims.claim("file", leaving.signal);
  leaving.abort(new Error("left"));
  await assertRejects(async () => await pending, Error, "left");
  asked.resolve({ [Symbol.dispose]: () => released.resolve() });
  await released.promise;
});

Deno.test("reportSparingly() tells of one failure of a call in ten seconds, with how many there were", () => {
  let now = 0;
  const lines: string[] = [];
  const report = reportSparingly((line) => lines.push(line), () => now);
  for (let times = 0; times < 1000; times++) report("claim", new Error("away"));
  report("fail", new Error("away"));
  now = 10_000;
  report("claim", new Error("away"));
  now = 30_000;
  report("claim", new Error("gone"));
  assertEquals(lines, [
    "The state has failed (claim): Error: away",
    "The state has failed (fail): Error: away",
    "The state has failed (claim): Error: away; 999 more times since it was said last",
    "The state has failed (claim): Error: gone",
  ]);
});
