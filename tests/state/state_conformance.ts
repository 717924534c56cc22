/**
 * What every implementation of the state port has to do.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { resolveSettings } from "../../lib/settings/validate.ts";
import type { MemoryStateOptions } from "../../lib/state/memory_state.ts";
import type { AccountSlot, ConnectionSlot, LoginAttempt, SharedState } from "../../lib/state/state.ts";

/** A state, and the same one seen by somebody else: another event loop, or another machine. */
export interface StateUnderTest extends AsyncDisposable {
  readonly state: SharedState;
  readonly others: SharedState;
}

const NO_LIMITS = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };
const FULL = "Too many connections. Service temporarily unavailable.";
const SAME_ADDRESS = "Too many connections from the same IP address.";
const BEFORE_LOGIN = "Too many connections that have not logged in, try again later.";
const BANNED = "Too many failed logins, try again later.";
const HOST = "192.0.2.1";
const { signal: SIGNAL } = new AbortController();

async function connect(state: SharedState, host = HOST): Promise<ConnectionSlot> {
  const slot = await state.acquireConnection(host, SIGNAL);
  assert(typeof slot !== "string", String(slot));
  return slot;
}

/** Why there is no place; `undefined` when there is one. */
async function refusal(state: SharedState, host = HOST): Promise<string | undefined> {
  const slot = await state.acquireConnection(host, SIGNAL);
  if (typeof slot === "string") return slot;
  slot[Symbol.dispose]();
  return undefined;
}

async function attempt(state: SharedState, host = HOST): Promise<LoginAttempt> {
  const begun = await state.beginAttempt(host, SIGNAL);
  assert(begun !== undefined, "It is banned");
  return begun;
}

/** What somebody else does may be heard of a little later. */
async function eventually(isTrue: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 5_000; !await isTrue();) {
    assert(performance.now() < end, "It did not become true");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function isWaiting(attempt: Promise<unknown>): Promise<boolean> {
  const late = new Promise((resolve) => setTimeout(resolve, 50, "late"));
  return await Promise.race([attempt, late]) === "late";
}

/** Tests an implementation. */
export function testState(
  name: string,
  create: (options: MemoryStateOptions) => Promise<StateUnderTest>,
  { ignore = false }: { readonly ignore?: boolean } = {},
): void {
  const test = (
    title: string,
    { limits = {}, ...ban }: { readonly limits?: Partial<MemoryStateOptions["limits"]>; readonly failures?: number },
    run: (made: StateUnderTest) => Promise<void>,
  ) =>
    Deno.test({
      name: `${name} ${title}`,
      ignore,
      async fn() {
        const settings = resolveSettings({ ban: { failures: 3, window: 600, duration: 900, ...ban } });
        await using made = await create({ limits: { ...NO_LIMITS, ...limits }, ban: settings.ban });
        await run(made);
      },
    });

  test(
    "refuses what is over the share before the login, and takes it after a login or an end",
    { limits: { connections: 4, connectionsBeforeLogin: 2 } },
    async ({ state }) => {
      const first = await connect(state);
      const second = await connect(state, "192.0.2.2");
      assertEquals(await refusal(state, "192.0.2.3"), BEFORE_LOGIN);
      for (let times = 0; times < 3; times++) first.loggedIn(); // counts once
      await eventually(async () => await refusal(state, "192.0.2.3") === undefined);
      using _third = await connect(state, "192.0.2.3");
      assertEquals(await refusal(state, "192.0.2.4"), BEFORE_LOGIN);
      second[Symbol.dispose]();
      await eventually(async () => await refusal(state, "192.0.2.4") === undefined);
      first[Symbol.dispose]();
    },
  );

  test(
    "counts connections in all, and each that ends once",
    { limits: { connections: 2, connectionsBeforeLogin: 2 } },
    async ({ state }) => {
      const first = await connect(state);
      first.loggedIn();
      using _second = await connect(state);
      assertEquals(await refusal(state), FULL);
      first[Symbol.dispose]();
      first[Symbol.dispose]();
      first.loggedIn();
      await eventually(async () => await refusal(state) === undefined);
      using _third = await connect(state);
      assertEquals(await refusal(state), FULL);
    },
  );

  test("counts addresses, of IPv6 by /64", { limits: { connectionsPerAddress: 1 } }, async ({ state, others }) => {
    const one = await connect(state, "2001:db8::1");
    assertEquals(await refusal(others, "2001:db8::2"), SAME_ADDRESS);
    assertEquals(await refusal(others, "2001:db8:0:1::1"), undefined);
    for (let times = 0; times < 3; times++) assertEquals(await refusal(state, "2001:db8::3"), SAME_ADDRESS);
    one[Symbol.dispose]();
    await eventually(async () => await refusal(others, "2001:db8::2") === undefined);
  });

  test("has no session of an account too many, and offers a place again once it is free", {}, async (made) => {
    const { state, others } = made;
    const limits = { connections: 2 };
    const slots = await Promise.all(
      Array.from({ length: 12 }, (_, index) => (index % 2 ? state : others).acquireAccount("alice", limits, SIGNAL)),
    );
    const [first, second, ...more] = slots.filter((slot) => slot !== undefined) as AccountSlot[];
    assertEquals([first === undefined, second === undefined, more.length], [false, false, 0]);
    assert(await state.acquireAccount("bob", limits, SIGNAL) !== undefined);
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose]();
    let third: AccountSlot | undefined;
    await eventually(async () => (third = await state.acquireAccount("alice", limits, SIGNAL)) !== undefined);
    assertEquals(await others.acquireAccount("alice", limits, SIGNAL), undefined);
    for (let times = 0; times < 20; times++) { // at once, where it was given back
      third?.[Symbol.dispose]();
      third = await state.acquireAccount("alice", limits, SIGNAL);
      assert(third !== undefined, `${times}`);
    }
    second?.[Symbol.dispose]();
    third?.[Symbol.dispose]();
  });

  test("tells the rates of an account", {}, async ({ state }) => {
    using slot = await state.acquireAccount("alice", { bandwidth: { upload: 10 } }, SIGNAL);
    assertEquals([slot?.receive?.bytesPerSecond, slot?.send], [10, undefined]);
  });

  test("takes names of any kind for what they are", {}, async ({ state, others }) => {
    const names = ["", "a\0", "a\0b", "x".repeat(10_000), `${"x".repeat(10_000)}y`, "\ud800", "'\"{},\\"];
    using slots = new DisposableStack();
    for (const name of names) {
      const slot = await state.acquireAccount(name, { connections: 1 }, SIGNAL);
      assert(slot !== undefined, Deno.inspect(name));
      slots.use(slot);
      assertEquals(await others.acquireAccount(name, { connections: 1 }, SIGNAL), undefined);
    }
  });

  test("lets no more begin to guess at once than may fail, wherever they do", {}, async ({ state, others }) => {
    const begun = await Promise.all([attempt(state), attempt(others), attempt(state)]);
    const waiting = others.beginAttempt(HOST, SIGNAL) as Promise<LoginAttempt | undefined>;
    const leaving = new AbortController();
    const left = state.beginAttempt(HOST, leaving.signal) as Promise<LoginAttempt | undefined>;
    assert(await isWaiting(Promise.race([waiting, left])));
    leaving.abort(new Error("left"));
    await assertRejects(() => left, Error, "left");
    (await attempt(state, "192.0.2.2")).giveBack(); // another address waits for nobody
    begun[0]?.giveBack();
    const next = await waiting;
    assertEquals(await next?.fail(), { isBanned: false, bannedForSeconds: undefined });
    assertEquals(await begun[1]?.fail(), { isBanned: false, bannedForSeconds: undefined });
    assertEquals(await begun[2]?.fail(), { isBanned: true, bannedForSeconds: 900 });
  });

  test("bans everywhere an address that has failed too often, and nobody who waited goes on", {}, async (made) => {
    const { state, others } = made;
    const begun = [await attempt(state), await attempt(others), await attempt(state)];
    const waiting = [state, others].map(async (it) => await it.beginAttempt(HOST, SIGNAL));
    for (const one of begun) await one.fail();
    assertEquals(await Promise.all(waiting), [undefined, undefined]);
    for (const it of [state, others]) {
      assertEquals(await it.beginAttempt(HOST, SIGNAL), undefined);
      await eventually(async () => await refusal(it) === BANNED);
      assertEquals(await refusal(it, "192.0.2.2"), undefined);
    }
  });

  test("counts an attempt that ends without a word as a failure, and each once", { failures: 2 }, async (made) => {
    const { state, others } = made;
    const right = await attempt(state);
    right.giveBack();
    await right.fail();
    right[Symbol.dispose]();
    const wrong = await attempt(state);
    wrong[Symbol.dispose]();
    wrong.giveBack();
    await wrong.fail();
    assertEquals(await refusal(state), undefined);
    const last = await attempt(others); // waits until the failure was heard
    assertEquals(await last.fail(), { isBanned: true, bannedForSeconds: 900 });
  });
}
