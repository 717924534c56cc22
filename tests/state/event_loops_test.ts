import { assert, assertEquals, assertThrows } from "@std/assert";
import { PortOwner } from "../../lib/serve/shared_ports.ts";
import { resolveSettings } from "../../lib/settings/validate.ts";
import { SHARED_ATTEMPTS } from "../../lib/state/attempt_owner.ts";
import { MemoryState, type MemoryStateOptions } from "../../lib/state/memory_state.ts";
import { createTableMemory, SharedTable, SharedTableError } from "../../lib/state/shared_table.ts";
import { type FromLoop, type Hammered, HELD, KEYS, PER_ADDRESS, type ToLoop } from "./hammering_loop.ts";

/** More than the processors of most hosts that test: so loops are also stopped while they have the lock. */
const LOOPS = 4;

const LIMITS = { connections: 6, connectionsPerAddress: PER_ADDRESS, connectionsBeforeLogin: 5 };

/** Event loops over the memory of a state in this one. */
class Loops implements Disposable {
  readonly state: MemoryState;
  readonly held: Int32Array = new Int32Array(new SharedArrayBuffer(HELD.words * 4));
  readonly #workers: Worker[] = [];
  readonly #ports = new PortOwner();
  readonly #parts = new DisposableStack();

  constructor(limits: MemoryStateOptions["limits"] = LIMITS, table: SharedTable = new SharedTable()) {
    const { ban } = resolveSettings({ ban: { failures: 3 } });
    this.state = new MemoryState({ limits, ban }, { table });
    this.#ports.share("attempts", this.state, SHARED_ATTEMPTS);
    Atomics.store(this.held, HELD.limit, limits.connections);
  }

  /** Lets all of them do the same at once; resolves to how often they got something. */
  async hammer(what: Hammered, rounds: number): Promise<number> {
    const done = Array.from({ length: LOOPS }, (_, index) => this.#start(what, rounds, index + 1));
    const results = await Promise.all(done);
    assertEquals(results.flatMap(({ problems }) => problems), []);
    return results.reduce((sum, { got }) => sum + got, 0);
  }

  /** Starts one that takes the lock and never gives it back. */
  async stopOne(): Promise<void> {
    this.#start("stop", 0, 0);
    while (Atomics.load(this.held, HELD.all) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Records in use. */
  get count(): number {
    return this.state.table.locked((records) => records.count);
  }

  [Symbol.dispose](): void {
    this.#parts.dispose();
  }

  #start(what: Hammered, rounds: number, seed: number): Promise<FromLoop & { readonly kind: "done" }> {
    const worker = new Worker(new URL("./hammering_loop.ts", import.meta.url), { type: "module" });
    this.#workers.push(worker);
    this.#parts.defer(() => worker.terminate());
    const send = (message: ToLoop) => worker.postMessage(message);
    const { promise, resolve, reject } = Promise.withResolvers<FromLoop & { readonly kind: "done" }>();
    const connection = this.#ports.connect((answer) => send({ kind: "port", answer }), (_call, cause) => reject(cause));
    this.#parts.use(connection);
    worker.onmessage = ({ data }: MessageEvent<FromLoop>) => {
      if (data.kind === "port") connection.receive(data.request);
      else resolve(data);
    };
    send({ kind: "start", what, memory: this.state.table.memory, held: this.held, rounds, seed });
    return promise;
  }
}

/** Numbers of connections that may be, one after the other while all hammer. */
async function changeLimits(loops: Loops, ended: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  ended.finally(() => hasEnded = true).catch(() => {}); // reported by whoever has started it
  const { ban } = resolveSettings({ ban: { failures: 3 } });
  for (let times = 0; !hasEnded; times++) {
    const connections = times % 6 + 1;
    const isLess = connections < Atomics.load(loops.held, HELD.limit);
    // More may be counted from before a higher limit holds, and from when a lower one does.
    if (!isLess) Atomics.store(loops.held, HELD.limit, connections);
    loops.state.configure({ limits: { ...LIMITS, connections }, ban });
    if (isLess) Atomics.store(loops.held, HELD.limit, connections);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("Event loops give each file one writer, and give all claims back", async () => {
  using loops = new Loops();
  assert(await loops.hammer("claims", 5000) > LOOPS * 100);
  assertEquals(loops.count, 1); // of the server itself
});

Deno.test("Event loops never have a connection too many, also while the limits change, and give all back", async () => {
  using loops = new Loops();
  const hammering = loops.hammer("connections", 5000);
  await changeLimits(loops, hammering);
  assert(await hammering > LOOPS * 100);
  assertEquals(loops.count, 1);
  const { ban } = resolveSettings({});
  loops.state.configure({ limits: { connections: 1, connectionsPerAddress: 1, connectionsBeforeLogin: 1 }, ban });
  assert(typeof loops.state.acquireConnection("192.0.2.1") !== "string");
});

Deno.test("Event loops never have a session of an account too many, and give all rates back", async () => {
  using loops = new Loops();
  assert(await loops.hammer("accounts", 5000) > LOOPS * 100);
  assertEquals(loops.count, 1);
});

Deno.test("Event loops check no more passwords at once than may fail, and nobody waits for ever", async () => {
  using loops = new Loops();
  assertEquals(await loops.hammer("attempts", 1000), LOOPS * 4 * 1000);
  assertEquals(loops.count, 1);
});

Deno.test("Event loops look at no more wrong passwords than bring a ban, and at none behind it", async () => {
  for (let times = 0; times < 5; times++) {
    using loops = new Loops();
    await loops.hammer("guesses", 300);
    for (let key = 0; key < KEYS; key++) assert(loops.state.isBanned(`192.0.2.${key}`));
    assertEquals(loops.count, 1 + KEYS);
  }
});

Deno.test("An event loop that has died with the lock stops the others once, and they refuse", async () => {
  using loops = new Loops(LIMITS, new SharedTable(createTableMemory(), { maxWaits: 2 }));
  await loops.stopOne();
  for (let times = 0; times < 10; times++) {
    assertThrows(() => loops.state.acquireConnection("192.0.2.1"), SharedTableError);
  }
});
