import { assert, assertEquals, assertRejects } from "@std/assert";
import { resolveSettings } from "../../lib/settings/validate.ts";
import { AddressCounts } from "../../lib/state/address_counts.ts";
import { AttachedState } from "../../lib/state/attached_state.ts";
import type { AttemptOwner } from "../../lib/state/attempt_owner.ts";
import { LoginThrottle } from "../../lib/state/login_throttle.ts";
import { MemoryState } from "../../lib/state/memory_state.ts";
import { SharedTable } from "../../lib/state/shared_table.ts";
import type { ConnectionSlot, LoginAttempt } from "../../lib/state/state.ts";
import { testState } from "./state_conformance.ts";

const { signal: SIGNAL } = new AbortController();
const LIMITS = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };
const HOST = "192.0.2.1";

function banAfter(failures: number, never: readonly string[] = []) {
  return resolveSettings({ ban: { failures, window: 600, duration: 900, never } }).ban;
}

/** An owner and another event loop, with what that asks. */
function createTwo(failures = 3, never: readonly string[] = []) {
  const owner = new MemoryState({ limits: LIMITS, ban: banAfter(failures, never) });
  const asked: string[] = [];
  const asking: AttemptOwner = {
    isBanned: (host) => (asked.push("isBanned"), owner.isBanned(host)),
    beginAttempt: (host, signal) => (asked.push("beginAttempt"), owner.beginAttempt(host, signal)),
    failAttempt: (host) => (asked.push("failAttempt"), owner.failAttempt(host)),
    wake: (host) => (asked.push("wake"), owner.wake(host)),
  };
  const attached = new AttachedState(new SharedTable(owner.table.memory), asking);
  const begin = async (): Promise<LoginAttempt> => {
    const attempt = await attached.beginAttempt(HOST, SIGNAL);
    if (attempt === undefined) throw new Error("It is banned");
    return attempt;
  };
  return { owner, attached, asked, begin };
}

testState("AttachedState", (options) => {
  const owner = new MemoryState(options);
  const attached = new AttachedState(new SharedTable(owner.table.memory), owner);
  return Promise.resolve({ state: attached, others: owner, [Symbol.asyncDispose]: () => Promise.resolve() });
});

Deno.test("AttachedState asks nobody about a login that succeeds, and leaves nothing", async () => {
  const { owner, attached, asked, begin } = createTwo();
  const slot = await attached.acquireConnection(HOST) as ConnectionSlot;
  (await begin()).giveBack();
  slot.loggedIn();
  const account = attached.acquireAccount("user", { connections: 1, bandwidth: { upload: 10 } });
  assertEquals(owner.acquireAccount("user", { connections: 1 }), undefined);
  account?.[Symbol.dispose]();
  slot[Symbol.dispose]();
  assertEquals(asked, []);
  assertEquals(owner.table.locked((records) => records.count), 1);
});

Deno.test("AttachedState obeys limits from the moment on at which the owner changes them", async () => {
  const { owner, attached } = createTwo();
  using _first = await attached.acquireConnection(HOST) as ConnectionSlot;
  owner.configure({ limits: { ...LIMITS, connections: 1 }, ban: banAfter(3) });
  assertEquals(
    await attached.acquireConnection("192.0.2.2"),
    "Too many connections. Service temporarily unavailable.",
  );
  owner.configure({ limits: { ...LIMITS, connectionsPerAddress: 1 }, ban: banAfter(3) });
  assertEquals(await attached.acquireConnection(HOST), "Too many connections from the same IP address.");
});

Deno.test("AttachedState tells the owner of failures, and a ban holds in both", async () => {
  const { owner, attached, asked, begin } = createTwo(3);
  assertEquals(await (await begin()).fail(), { isBanned: false, bannedForSeconds: undefined });
  (await owner.beginAttempt(HOST, SIGNAL))?.fail();
  const last = await begin();
  assertEquals(await last.fail(), { isBanned: true, bannedForSeconds: 900 });
  assertEquals(asked, ["failAttempt", "failAttempt"]);
  assertEquals(await attached.beginAttempt(HOST, SIGNAL), undefined);
  assertEquals(await attached.acquireConnection(HOST), "Too many failed logins, try again later.");
  assertEquals(owner.acquireConnection(HOST), "Too many failed logins, try again later.");
});

Deno.test("AttachedState wakes who waits at the owner when an attempt is given back, and only then", async () => {
  const { owner, asked, begin } = createTwo(1);
  const first = await begin();
  const waiting = owner.beginAttempt(HOST, SIGNAL);
  first.giveBack();
  (await waiting)?.giveBack();
  (await begin()).giveBack();
  assertEquals(asked, ["wake"]);
});

Deno.test("AttachedState finds out that a ban has ended by its time, once", async () => {
  const clock = { seconds: 1000 };
  const table = new SharedTable();
  const counts = new AddressCounts(table);
  const throttle = new LoginThrottle(banAfter(1), { counts, now: () => clock.seconds * 1000 });
  const asked: string[] = [];
  const attached = new AttachedState(table, {
    isBanned: (host) => (asked.push(host), throttle.isBanned(host)),
    beginAttempt: () => undefined,
    failAttempt: () => ({ isBanned: true, bannedForSeconds: undefined }),
    wake: () => {},
  });
  (await throttle.beginAttempt(HOST, SIGNAL))?.fail();
  assertEquals(await attached.acquireConnection(HOST), "Too many failed logins, try again later.");
  clock.seconds += 900;
  for (let times = 0; times < 3; times++) assert(typeof await attached.acquireConnection(HOST) !== "string");
  (await attached.beginAttempt(HOST, SIGNAL))?.giveBack();
  assertEquals(asked, [HOST, HOST]);
});

Deno.test("AttachedState finds out that a ban no longer holds, and counts by itself again", async () => {
  const { owner, attached, asked, begin } = createTwo(1);
  await (await begin()).fail();
  owner.configure({ limits: LIMITS, ban: banAfter(1, [HOST]) });
  using _slot = await attached.acquireConnection(HOST) as ConnectionSlot;
  const attempts = await Promise.all([begin(), begin()]); // such an address is never made to wait
  for (const attempt of attempts) attempt.giveBack();
  assertEquals(asked, ["failAttempt", "beginAttempt"]);
});

Deno.test("AttachedState has a lower number of failures for an address that has failed already", async () => {
  const { owner, attached, asked, begin } = createTwo(5);
  await (await begin()).fail();
  owner.configure({ limits: LIMITS, ban: banAfter(2) });
  using _only = await begin();
  const left = new AbortController();
  const waiting = attached.beginAttempt(HOST, left.signal);
  left.abort(new Error("left"));
  await assertRejects(() => waiting, Error, "left");
  assertEquals(asked, ["failAttempt", "beginAttempt"]);
});

Deno.test("AttachedState rejects a failure that the owner does not take, and counts it no less", async () => {
  const owner = new MemoryState({ limits: LIMITS, ban: banAfter(1) });
  const gone = () => Promise.reject(new Error("gone"));
  const attached = new AttachedState(owner.table, {
    ...{ isBanned: gone, beginAttempt: gone, failAttempt: gone, wake: gone },
  });
  const attempt = await attached.beginAttempt(HOST, SIGNAL);
  await assertRejects(async () => await attempt?.fail(), Error, "gone");
  attempt?.[Symbol.dispose]();
  await assertRejects(async () => await attached.beginAttempt(HOST, SIGNAL), Error, "gone"); // it would have to wait
});
