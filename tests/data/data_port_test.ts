import { assert, assertEquals, assertRejects, fail } from "@std/assert";
import { DataConnectTimeoutError, DataPort, type DataPortOptions } from "../../lib/data/data_port.ts";
import { PortPool } from "../../lib/data/port_pool.ts";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { FakeIncoming, FakeTransport, LOCAL, PEER } from "../helpers/fake_transport.ts";

/** A port, and what it opens. */
class Fixture {
  readonly transport = new FakeTransport();
  readonly port: DataPort;

  constructor(options: DataPortOptions = {}) {
    this.port = new DataPort(new PortPool(undefined), options);
  }

  openPassive(timeoutMs = 0) {
    return this.port.openPassive(this.transport, LOCAL.host, {
      peerHost: undefined,
      isPrompt: true,
      timeoutMs,
      onForeignPeer: () => {},
    });
  }

  openActive(timeoutMs = 0) {
    return this.port.openActive(this.transport, { remote: PEER, localHost: LOCAL.host, timeoutMs });
  }

  /** Opens actively with a client that accepts at once. */
  async connected(): Promise<FakeIncoming> {
    const incoming = new FakeIncoming();
    const opened = this.openActive();
    this.transport.dials.at(-1)?.answer.resolve(incoming);
    await opened;
    return incoming;
  }
}

async function assertClosed(call: Promise<unknown>): Promise<void> {
  assertEquals((await assertRejects(() => call, ConnectionError)).kind, "closed");
}

Deno.test("DataPort.take() rejects while nothing was opened", async () => {
  const { port } = new Fixture();
  assertEquals(port.state, "closed");
  await assertClosed(port.take());
});

Deno.test("DataPort hands over a passive connection once, and is closed then", async () => {
  const fixture = new Fixture();
  const { port, transport } = fixture;
  assertEquals(await fixture.openPassive(), { host: LOCAL.host, port: 40_000 });
  assertEquals(port.state, "listening");
  const taken = port.take();
  const incoming = new FakeIncoming();
  transport.listener.arrive(incoming);
  assertEquals(await taken, incoming);
  assertEquals(port.state, "closed");
  assert(transport.listener.isClosed);
  await assertClosed(port.take());
  port.close();
  assert(!incoming.isClosed);
});

Deno.test("DataPort holds a connection that comes before the transfer", async () => {
  const fixture = new Fixture();
  await fixture.openPassive();
  const incoming = new FakeIncoming();
  fixture.transport.listener.arrive(incoming);
  while (fixture.port.state === "listening") await Promise.resolve();
  assertEquals(fixture.port.state, "connected");
  assertEquals(await fixture.port.take(), incoming);
});

Deno.test("DataPort.openActive() dials from the local address and hands over the connection", async () => {
  const fixture = new Fixture();
  const incoming = await fixture.connected();
  const [dial] = fixture.transport.dials;
  assertEquals([dial?.remote, dial?.localHost], [PEER, LOCAL.host]);
  assertEquals(fixture.port.state, "connected");
  assertEquals(await fixture.port.take(), incoming);
});

Deno.test("DataPort.openActive() rejects as refused when nobody accepts, and the port is closed", async () => {
  const fixture = new Fixture();
  const opened = fixture.openActive();
  fixture.transport.dials[0]?.answer.reject(new ConnectionError("refused", "No"));
  assertEquals((await assertRejects(() => opened, ConnectionError)).kind, "refused");
  assertEquals(fixture.port.state, "closed");
});

Deno.test("DataPort.openActive() rejects with DataConnectTimeoutError when the time is over", async () => {
  const fixture = new Fixture();
  const error = await assertRejects(() => fixture.openActive(10), DataConnectTimeoutError);
  assertEquals(error.mode, "active");
  assertEquals(fixture.port.state, "closed");
});

Deno.test("DataPort.opened() waits for the port to be opened, and tells at once when it is", async () => {
  const fixture = new Fixture();
  const { port } = fixture;
  assert(!port.isAwaited);
  const opened = port.opened(0);
  assert(port.isAwaited);
  await fixture.openPassive();
  await opened;
  assert(!port.isAwaited);
  await port.opened(0);
  port.close();
});

Deno.test("DataPort.opened() rejects as closed when the port is closed instead, or the time is over", async () => {
  const { port } = new Fixture();
  const opened = port.opened(0);
  port.close();
  await assertClosed(opened);
  await assertClosed(port.opened(10));
  assert(!port.isAwaited);
});

Deno.test("DataPort tells when what has connected waits too long for its transfer", async () => {
  const told = Promise.withResolvers<void>();
  const fixture = new Fixture({ unusedMs: 10, onUnused: told.resolve });
  await fixture.connected();
  await told.promise;
  fixture.port.close();
});

Deno.test("DataPort tells nothing of what a transfer has taken, or what was closed", async () => {
  const fixture = new Fixture({ unusedMs: 10, onUnused: () => fail("It was not to be told") });
  await fixture.connected();
  await fixture.port.take();
  await fixture.connected();
  fixture.port.close();
  await new Promise((resolve) => setTimeout(resolve, 30));
});

/** Waits for the port to look for the client's end, and says that it has come. */
async function end(incoming: FakeIncoming): Promise<void> {
  while (incoming.end === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  incoming.end();
}

Deno.test("DataPort keeps a connection that the client has ended for a while, and then closes it silently", async () => {
  const fixture = new Fixture({ unusedMs: 10, onUnused: () => fail("It was not to be told") });
  const incoming = await fixture.connected();
  await end(incoming);
  assertEquals(fixture.port.state, "ended");
  while (fixture.port.state === "ended") await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals([fixture.port.state, incoming.isClosed], ["closed", true]);
});

Deno.test("DataPort hands over a connection that the client has ended: it may be an empty file", async () => {
  const fixture = new Fixture({ unusedMs: 1000 });
  const incoming = await fixture.connected();
  await end(incoming);
  assertEquals(await fixture.port.take(), incoming);
  assert(!incoming.isClosed);
});

Deno.test("DataPort closes silently what waits after a refusal", async () => {
  const fixture = new Fixture({ unusedMs: 10, onUnused: () => fail("It was not to be told") });
  const incoming = await fixture.connected();
  fixture.port.refuse();
  while (fixture.port.state !== "closed") await new Promise((resolve) => setTimeout(resolve, 5));
  assert(incoming.isClosed);
});

Deno.test("DataPort lets a connection wait while a command is under way", async () => {
  const told = Promise.withResolvers<void>();
  let isBusy = true;
  const fixture = new Fixture({ unusedMs: 10, onUnused: told.resolve, isBusy: () => isBusy });
  await fixture.connected();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assertEquals(fixture.port.state, "connected");
  isBusy = false;
  await told.promise;
  fixture.port.close();
});

Deno.test("DataPort.take() rejects with DataConnectTimeoutError when the client does not come in time", async () => {
  const fixture = new Fixture();
  await fixture.openPassive(10);
  await assertRejects(() => fixture.port.take(), DataConnectTimeoutError);
  assertEquals(fixture.port.state, "closed");
});

Deno.test("DataPort replaces what it holds by what is opened next", async () => {
  const fixture = new Fixture();
  const { port, transport } = fixture;
  await fixture.openPassive();
  const connected = await fixture.connected();
  assert(transport.listener.isClosed);
  await fixture.openPassive();
  assert(connected.isClosed);
  assertEquals(port.state, "listening");
  const late = fixture.openActive();
  await fixture.openPassive();
  await assertClosed(late);
  const incoming = new FakeIncoming();
  transport.listener.arrive(incoming);
  assertEquals(await port.take(), incoming);
});

Deno.test("DataPort closed while it listens stops listening and ends the wait for the connection", async () => {
  const fixture = new Fixture();
  await fixture.openPassive();
  const taken = fixture.port.take();
  fixture.port.close();
  fixture.port.close();
  await assertClosed(taken);
  assert(fixture.transport.listener.isClosed);
  assertEquals(fixture.port.state, "closed");
});

Deno.test("DataPort closed while its listener is being opened does not leave it open", async () => {
  const fixture = new Fixture();
  const gate = Promise.withResolvers<void>();
  fixture.transport.listenGate = gate.promise;
  const opened = fixture.openPassive();
  fixture.port.close();
  gate.resolve();
  await assertClosed(opened);
  assert(fixture.transport.listener.isClosed);
  assertEquals(fixture.port.state, "closed");
});

Deno.test("DataPort closed in the moment the client comes releases the connection", async () => {
  const fixture = new Fixture();
  await fixture.openPassive();
  const taken = fixture.port.take();
  const incoming = new FakeIncoming();
  fixture.transport.listener.arrive(incoming);
  fixture.port.close();
  await assertClosed(taken);
  assert(incoming.isClosed);
});

Deno.test("DataPort closed while it dials gives up, and releases a connection that comes all the same", async () => {
  const fixture = new Fixture();
  const incoming = new FakeIncoming();
  const opened = fixture.openActive();
  fixture.transport.dials[0]?.answer.resolve(incoming);
  fixture.port.close();
  await opened.catch(() => {});
  assert(incoming.isClosed);
  assertEquals(fixture.port.state, "closed");
});

Deno.test("DataPort disposed of releases a connection that was not taken", async () => {
  const fixture = new Fixture();
  let incoming: FakeIncoming;
  {
    using _port = fixture.port;
    incoming = await fixture.connected();
  }
  assert(incoming.isClosed);
});
