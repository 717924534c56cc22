import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { PortPool, PortsExhaustedError } from "../../lib/data/port_pool.ts";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { FakeTransport } from "../helpers/fake_transport.ts";

const HOST = "127.0.0.1";
const RANGE = { from: 50_000, to: 50_007 };
const ALL_PORTS = Array.from({ length: 8 }, (_, index) => RANGE.from + index);

Deno.test("PortPool.listen() takes any port when there is no range", async () => {
  const transport = new FakeTransport();
  await new PortPool(undefined).listen(transport, HOST);
  assertEquals(transport.asked, [0]);
  assertEquals(transport.listener.address.host, HOST);
});

Deno.test("PortPool.listen() returns every port of the range, both ends included, and none outside", async () => {
  const transport = new FakeTransport();
  const pool = new PortPool(RANGE);
  const ports: number[] = [];
  for (const _ of ALL_PORTS) ports.push((await pool.listen(transport, HOST)).address.port);
  assertEquals(ports.sort(), ALL_PORTS);
  await assertRejects(() => pool.listen(transport, HOST), PortsExhaustedError, "50000-50007");
});

Deno.test("PortPool.listen() begins anywhere in the range", async () => {
  const first = new Set<number>();
  for (let count = 0; count < 64; count++) {
    const transport = new FakeTransport();
    first.add((await new PortPool(RANGE).listen(transport, HOST)).address.port);
  }
  // Of 64 draws from 8 all but always more than 4 differ.
  assertGreater(first.size, 4);
});

Deno.test("PortPool.listen() passes over ports that other programs have", async () => {
  const transport = new FakeTransport();
  for (const port of ALL_PORTS.slice(1)) transport.foreignPorts.add(port);
  const pool = new PortPool(RANGE);
  assertEquals((await pool.listen(transport, HOST)).address.port, RANGE.from);
  await assertRejects(() => pool.listen(transport, HOST), PortsExhaustedError);
  transport.foreignPorts.delete(RANGE.to);
  assertEquals((await pool.listen(transport, HOST)).address.port, RANGE.to);
});

Deno.test("PortPool.listen() gives the port back when the listener fails for another reason", async () => {
  const transport = new FakeTransport();
  const pool = new PortPool({ from: 50_000, to: 50_000 });
  const failure = new ConnectionError("refused", "No");
  transport.listenGate = Promise.reject(failure);
  assertEquals(await assertRejects(() => pool.listen(transport, HOST)), failure);
  transport.listenGate = undefined;
  assertEquals((await pool.listen(transport, HOST)).address.port, 50_000);
});

Deno.test("PortPool gets a port back when its listener is closed", async () => {
  const transport = new FakeTransport();
  const pool = new PortPool({ from: 50_000, to: 50_000 });
  for (let count = 0; count < 3; count++) {
    const listener = await pool.listen(transport, HOST);
    await assertRejects(() => pool.listen(transport, HOST), PortsExhaustedError);
    listener.close();
  }
});

Deno.test("PortPool gets a port back only once when its listener is closed twice", async () => {
  const transport = new FakeTransport();
  const pool = new PortPool({ from: 50_000, to: 50_000 });
  const former = await pool.listen(transport, HOST);
  former.close();
  await pool.listen(transport, HOST);
  former.close();
  const asked = transport.asked.length;
  await assertRejects(() => pool.listen(transport, HOST), PortsExhaustedError);
  assertEquals(transport.asked.length, asked);
});
