import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { type LentPort, PortPool, PortsExhaustedError } from "../../lib/data/port_pool.ts";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { FakeIncoming, FakeTransport } from "../helpers/fake_transport.ts";

const HOST = "127.0.0.1";
const OWNER = { acceptsAnyPeer: false, isPrompt: true };
const ANYBODY = { acceptsAnyPeer: true, isPrompt: true };
const DELAYED = { acceptsAnyPeer: false, isPrompt: false };
const RANGE = { from: 50_000, to: 50_007 };
const ALL_PORTS = Array.from({ length: 8 }, (_, index) => RANGE.from + index);

Deno.test("PortPool.lend() takes any port when there is no range", async () => {
  const transport = new FakeTransport();
  await new PortPool(undefined).lend(transport, HOST, OWNER);
  assertEquals(transport.asked, [0]);
  assertEquals(transport.listener.address.host, HOST);
});

Deno.test("PortPool.lend() returns every port of the range, both ends included, and none outside", async () => {
  const transport = new FakeTransport();
  const pool = new PortPool(RANGE);
  const ports: number[] = [];
  for (const _ of ALL_PORTS) ports.push((await pool.lend(transport, HOST, OWNER)).address.port);
  assertEquals(ports.sort(), ALL_PORTS);
  await assertRejects(() => pool.lend(transport, HOST, OWNER), PortsExhaustedError, "50000-50007");
});

Deno.test("PortPool.lend() begins anywhere in the range", async () => {
  const first = new Set<number>();
  for (let count = 0; count < 64; count++) {
    const transport = new FakeTransport();
    first.add((await new PortPool(RANGE).lend(transport, HOST, OWNER)).address.port);
  }
  // Of 64 draws from 8 all but always more than 4 differ.
  assertGreater(first.size, 4);
});

Deno.test("PortPool.lend() passes over ports that other programs have", async () => {
  const transport = new FakeTransport();
  for (const port of ALL_PORTS.slice(1)) transport.foreignPorts.add(port);
  const pool = new PortPool(RANGE);
  assertEquals((await pool.lend(transport, HOST, OWNER)).address.port, RANGE.from);
  await assertRejects(() => pool.lend(transport, HOST, OWNER), PortsExhaustedError);
  transport.foreignPorts.delete(RANGE.to);
  assertEquals((await pool.lend(transport, HOST, OWNER)).address.port, RANGE.to);
});

Deno.test("PortPool.lend() gives the port back when the listener fails for another reason", async () => {
  const transport = new FakeTransport();
  const pool = new PortPool({ from: 50_000, to: 50_000 });
  const failure = new ConnectionError("refused", "No");
  transport.listenGate = Promise.reject(failure);
  assertEquals(await assertRejects(() => pool.lend(transport, HOST, OWNER)), failure);
  transport.listenGate = undefined;
  assertEquals((await pool.lend(transport, HOST, OWNER)).address.port, 50_000);
});

Deno.test("PortPool gets a port back when its listener is closed", async () => {
  const transport = new FakeTransport();
  const pool = new PortPool({ from: 50_000, to: 50_000 });
  for (let count = 0; count < 3; count++) {
    const listener = await pool.lend(transport, HOST, OWNER);
    await assertRejects(() => pool.lend(transport, HOST, OWNER), PortsExhaustedError);
    listener.close();
  }
});

Deno.test("PortPool gets a port back only once when its listener is closed twice", async () => {
  const transport = new FakeTransport();
  const pool = new PortPool({ from: 50_000, to: 50_000 });
  const former = await pool.lend(transport, HOST, OWNER);
  former.close();
  await pool.lend(transport, HOST, OWNER);
  former.close();
  const asked = transport.asked.length;
  await assertRejects(() => pool.lend(transport, HOST, OWNER), PortsExhaustedError);
  assertEquals(transport.asked.length, asked);
});

/** Uses a port, as a transfer does. */
async function use(pool: PortPool, transport: FakeTransport, options = OWNER): Promise<number> {
  const lent = await pool.lend(transport, HOST, options);
  await accept(lent, transport);
  lent.giveBack();
  return lent.address.port;
}

/** Lets a client connect, and takes it. */
async function accept(lent: LentPort, transport: FakeTransport): Promise<FakeIncoming> {
  const incoming = new FakeIncoming();
  const accepted = lent.accept();
  listenerOf(transport, lent).arrive(incoming);
  assertEquals(await accepted, incoming);
  return incoming;
}

function listenerOf({ listeners }: FakeTransport, { address }: LentPort) {
  const listener = listeners.find((listener) => listener.address.port === address.port && !listener.isClosed);
  if (listener === undefined) throw new Error(`Nobody listens on port ${address.port}`);
  return listener;
}

function openListeners({ listeners }: FakeTransport) {
  return listeners.filter(({ isClosed }) => !isClosed);
}

/** Waits, for at most 10 s. */
async function until(isTrue: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!isTrue()) {
    assertLess(performance.now(), end, "Waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("PortPool lends a listener again, which refuses everybody in between", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool(undefined);
  for (let count = 0; count < 500; count++) await use(pool, transport);
  assertLess(transport.listeners.length, 100);
  for (const listener of openListeners(transport)) {
    const stranger = new FakeIncoming();
    listener.arrive(stranger);
    assert(stranger.isClosed);
  }
});

Deno.test("PortPool never lends a port twice at once", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool(undefined);
  for (let round = 0; round < 50; round++) {
    const lent = await Promise.all(Array.from({ length: 20 }, () => pool.lend(transport, HOST, OWNER)));
    assertEquals(new Set(lent.map(({ address }) => address.port)).size, 20);
    for (const port of lent) {
      await accept(port, transport);
      port.giveBack();
      port.giveBack();
      port.close();
    }
  }
  assertLess(transport.listeners.length, 200);
});

Deno.test("PortPool lends kept ports at random, and does not keep the same ones for ever", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool({ from: 50_000, to: 50_999 });
  const ports: number[] = [];
  for (let count = 0; count < 2_000; count++) ports.push(await use(pool, transport));
  const last = ports.slice(-200);
  // One client alone: eight listeners, each as likely as the others, and now and then a new one.
  assertGreater(new Set(last).size, 7);
  const again = last.filter((port, index) => port === last[index - 1]).length;
  assertLess(again, 80);
  assertGreater(new Set(ports).size, 20);
});

Deno.test("PortPool lends no port again to which anybody may connect", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool(undefined);
  for (let count = 0; count < 20; count++) await use(pool, transport, ANYBODY);
  assertEquals(transport.listeners.length, 20);
  assertEquals(openListeners(transport), []);
  for (let count = 0; count < 20; count++) await use(pool, transport);
  const kept = openListeners(transport).map(({ address }) => address.port);
  assertGreater(kept.length, 0);
  assert(!kept.includes(await use(pool, transport, ANYBODY)));
});

Deno.test("PortPool lends no kept port for a command that has waited", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool(undefined);
  while (openListeners(transport).length < 8) await use(pool, transport);
  const kept = openListeners(transport).map(({ address }) => address.port);
  for (let count = 0; count < 20; count++) {
    const lent = await pool.lend(transport, HOST, DELAYED);
    assert(!kept.includes(lent.address.port));
    lent.close();
  }
});

Deno.test("PortPool lends no kept listener that somebody has knocked at", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool(undefined);
  for (let round = 0; round < 5; round++) {
    while (openListeners(transport).length < 8) await use(pool, transport);
    const knocked = openListeners(transport);
    for (const listener of knocked) listener.arrive(new FakeIncoming());
    const lent = await pool.lend(transport, HOST, OWNER);
    assert(!knocked.some(({ address }) => address.port === lent.address.port));
    lent.close();
  }
});

Deno.test("PortPool lends no kept listener that has closed itself, and frees its port", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool({ from: 50_000, to: 50_099 });
  while (openListeners(transport).length < 8) await use(pool, transport);
  for (const listener of openListeners(transport)) listener.close();
  for (let count = 0; count < 100; count++) {
    const port = await use(pool, transport);
    assert(port >= 50_000 && port <= 50_099);
  }
});

Deno.test("PortPool closes a port to which nobody has connected in time, and then all others that were kept with it", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool(undefined);
  (await pool.lend(transport, HOST, OWNER)).giveUp();
  assertEquals(openListeners(transport), []);
  while (openListeners(transport).length < 8) await use(pool, transport);
  const wasThere = transport.listeners.length;
  const unused = await pool.lend(transport, HOST, OWNER);
  unused.close();
  assertEquals(openListeners(transport).length, 7);
  while (openListeners(transport).length < 8) await use(pool, transport);
  assertGreater(transport.listeners.length, wasThere);
  (await pool.lend(transport, HOST, OWNER)).giveUp();
  assertEquals(openListeners(transport), []);
});

Deno.test("PortPool keeps as many listeners as were in use at once, and none that nobody has needed for a time", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool(undefined, { windowMs: 20 });
  const lent = await Promise.all(Array.from({ length: 30 }, () => pool.lend(transport, HOST, OWNER)));
  for (const port of lent) {
    await accept(port, transport);
    port.giveBack();
  }
  assertGreater(openListeners(transport).length, 20);
  assert(openListeners(transport).length <= 38);
  await until(() => openListeners(transport).length === 0);
});

Deno.test("PortPool keeps no more than a quarter of a range, over all pools that share it, and none where there is no choice", async () => {
  for (
    const [size, sharers, most] of [[20, 1, 0], [31, 1, 0], [32, 1, 8], [100, 1, 25], [100, 2, 12], [
      100,
      4,
      0,
    ]] as const
  ) {
    const transport = new FakeTransport();
    const other = new FakeTransport();
    using pool = new PortPool({ from: 50_000, to: 50_000 + size - 1 }, { sharers });
    for (const each of [transport, other]) {
      const lent = await Promise.all(Array.from({ length: Math.min(size, 30) }, () => pool.lend(each, HOST, OWNER)));
      for (const port of lent) {
        await accept(port, each);
        port.giveBack();
      }
    }
    const kept = openListeners(transport).length + openListeners(other).length;
    assert(kept <= most, `${kept} of ${size} with ${sharers}`);
    assertEquals(kept > 0, most > 0, `${kept} of ${size} with ${sharers}`);
  }
});

Deno.test("PortPool lends one of eight at least, however small the range", async () => {
  for (const size of [8, 20, 32, 101]) {
    const transport = new FakeTransport();
    using pool = new PortPool({ from: 50_000, to: 50_000 + size - 1 });
    const ports: number[] = [];
    for (let count = 0; count < 200; count++) ports.push(await use(pool, transport));
    assertGreater(new Set(ports.slice(-100)).size, 7, `${size}`);
  }
});

Deno.test("PortPool gives up kept listeners of another kind before it says that the range is exhausted", async () => {
  const [clear, secure] = [new FakeTransport(), new FakeTransport()];
  const range = { from: 50_000, to: 50_099 };
  using pool = new PortPool(range);
  for (let count = 0; count < 100; count++) await use(pool, clear);
  assertGreater(openListeners(clear).length, 0);
  const lent: LentPort[] = [];
  for (let count = 0; count < 100; count++) lent.push(await pool.lend(secure, HOST, OWNER));
  assertEquals(openListeners(clear), []);
  await assertRejects(() => pool.lend(secure, HOST, OWNER), PortsExhaustedError);
  for (const port of lent) port.close();
});

Deno.test("PortPool keeps listeners of two addresses apart", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool(undefined);
  for (let count = 0; count < 20; count++) await use(pool, transport);
  const other = await pool.lend(transport, "127.0.0.2", OWNER);
  assertEquals(other.address.host, "127.0.0.2");
  other.close();
});

Deno.test("PortPool closes all that nobody has when it is disposed of, and what is given back later", async () => {
  const transport = new FakeTransport();
  const pool = new PortPool(undefined);
  for (let count = 0; count < 20; count++) await use(pool, transport);
  const late = await pool.lend(transport, HOST, OWNER);
  pool[Symbol.dispose]();
  assertEquals(openListeners(transport).length, 1);
  await accept(late, transport);
  late.giveBack();
  assertEquals(openListeners(transport), []);
});

Deno.test("PortPool gives up what it keeps where no listener can be opened", async () => {
  const transport = new FakeTransport();
  using pool = new PortPool(undefined);
  for (let count = 0; count < 20; count++) await use(pool, transport);
  const failure = new Error("Too many open files");
  transport.listenGate = Promise.reject(failure);
  transport.listenGate.catch(() => {});
  assertEquals(await assertRejects(() => pool.lend(transport, HOST, ANYBODY)), failure);
  assertEquals(openListeners(transport), []);
});
