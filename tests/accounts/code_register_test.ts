import { assert, assertEquals } from "@std/assert";
import { type CodeUse, UsedCodes, type UsedCodesOptions } from "../../lib/accounts/code_register.ts";
import { MemoryRecords } from "../../lib/state/memory_records.ts";

const PERIOD = 30;
const USE: CodeUse = { account: "alice", step: 1000, periodSeconds: PERIOD, identity: "a", rememberSeconds: 0 };

function registerAt(step: number, options: UsedCodesOptions = {}): UsedCodes {
  return new UsedCodes({ now: () => step * PERIOD * 1000 + 29_999, ...options });
}

Deno.test("UsedCodes takes a code once, of several at once, too", async () => {
  for (const records of [undefined, new MemoryRecords({ now: () => 0 })]) {
    const register = registerAt(1, { records });
    const uses = Array.from({ length: 10 }, (_, index) => register.use({ ...USE, identity: `${index}` }));
    assertEquals((await Promise.all(uses)).filter((isFirst) => isFirst).length, 1);
    assert(!await register.use(USE));
    assert(await register.use({ ...USE, step: 1001 }));
    assert(await register.use({ ...USE, account: "bob" }));
  }
});

Deno.test("UsedCodes lets the sessions in that one client opens at once, with one code", async () => {
  const records = { add: () => Promise.resolve(isFree()) };
  let uses = 0;
  const isFree = () => uses++ === 0;
  const register = registerAt(1, { records });
  const use = { ...USE, rememberSeconds: 60 };
  assert((await Promise.all(Array.from({ length: 5 }, () => register.use(use)))).every((isRight) => isRight));
  assert(await register.use(use));
  assertEquals(uses, 1);
  assert(!await register.use({ ...use, identity: "of another address" }));
});

Deno.test("UsedCodes takes no code in memory that may have been used before the process began, by a clock that is fast, too", async () => {
  const register = registerAt(1000);
  for (const [step, isTaken] of [[999, false], [1000, false], [1001, false], [1002, true]] as const) {
    assertEquals(await register.use({ ...USE, step }), isTaken, `${step}`);
  }
});

Deno.test("UsedCodes knows after a restart what was used, where records outlive it", async () => {
  const records = new MemoryRecords({ now: () => 1000 * PERIOD * 1000 });
  assert(await registerAt(1000, { records }).use({ ...USE, rememberSeconds: 60 }));
  const again = registerAt(1000, { records });
  assert(!await again.use({ ...USE, rememberSeconds: 60 }));
  assert(await again.use({ ...USE, step: 1001 }));
});

Deno.test("UsedCodes forgets the logins of an account, or of all, and the oldest beyond its bound", async () => {
  const register = registerAt(1, { maxRemembered: 3 });
  const recalled = () => ["a", "b", "c", "d"].filter((identity) => register.recalls(identity, identity));
  const use = async (account: string, step: number) =>
    await register.use({ ...USE, account, identity: account, step, rememberSeconds: 60 });
  for (const account of ["a", "b", "c"]) await use(account, 1000);
  assertEquals(recalled(), ["a", "b", "c"]);
  register.forget("b");
  assertEquals(recalled(), ["a", "c"]);
  assert(!await use("b", 1000));
  await use("d", 1000);
  await use("b", 1001);
  assertEquals(recalled(), ["b", "c", "d"]);
  register.forgetAll();
  assertEquals(recalled(), []);
});

Deno.test("UsedCodes takes none of an account for a while where many did not fit, of whichever address", async () => {
  let now = 0;
  const register = registerAt(1, { records: new MemoryRecords({ now: () => 0 }), monotonicNow: () => now });
  const miss = { ...USE, step: undefined };
  for (let index = 0; index < 9; index++) assert(!await register.use({ ...miss, identity: `guess ${index}` }));
  assert(await register.use({ ...USE, step: 1 }));
  assert(!await register.use({ ...miss, identity: "the tenth" }));
  assert(!await register.use({ ...USE, step: 2 }));
  assert(await register.use({ ...USE, account: "bob" }));
  now = 600_001;
  assert(await register.use({ ...USE, step: 3 }));
});
