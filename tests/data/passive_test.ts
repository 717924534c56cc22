import { assert, assertEquals, assertRejects } from "@std/assert";
import { acceptPeer, DataConnectTimeoutError } from "../../lib/data/data_port.ts";
import type { LentPort } from "../../lib/data/port_pool.ts";
import { ConnectionError, type SocketAddress } from "../../lib/transport/connection.ts";
import { FakeIncoming, FakeListener, LOCAL, PEER } from "../helpers/fake_transport.ts";

const FOREIGN: SocketAddress = { host: "198.51.100.7", port: 50_001 };

function start(timeoutMs = 0) {
  const listener = new FakeListener(LOCAL);
  const port: LentPort = {
    address: LOCAL,
    accept: () => listener.accept(),
    giveBack: () => listener.refuse(),
    giveUp: () => listener.close(),
    close: () => listener.close(),
  };
  const foreign: SocketAddress[] = [];
  const accepted = acceptPeer(port, {
    peerHost: PEER.host,
    isPrompt: true,
    timeoutMs,
    onForeignPeer: (peer) => foreign.push(peer),
  });
  return { listener, foreign, accepted };
}

Deno.test("acceptPeer() takes the connection of the peer and refuses others", async () => {
  const { listener, accepted } = start();
  const incoming = new FakeIncoming();
  listener.arrive(incoming);
  assertEquals(await accepted, incoming);
  assert(!incoming.isClosed);
  assert(listener.isRefusing);
});

Deno.test("acceptPeer() drops connections from elsewhere, tells of each, and goes on waiting", async () => {
  const { listener, foreign, accepted } = start();
  const strangers = [new FakeIncoming({ remote: FOREIGN }), new FakeIncoming({ remote: FOREIGN })];
  const incoming = new FakeIncoming();
  for (const arriving of [...strangers, incoming]) listener.arrive(arriving);
  assertEquals(await accepted, incoming);
  assertEquals(strangers.map((stranger) => stranger.isClosed), [true, true]);
  assertEquals(foreign, [FOREIGN, FOREIGN]);
});

Deno.test("acceptPeer() rejects with DataConnectTimeoutError when the time is over, whoever else has come", async () => {
  const { listener, accepted } = start(20);
  listener.arrive(new FakeIncoming({ remote: FOREIGN }));
  await assertRejects(() => accepted, DataConnectTimeoutError);
  assert(listener.isClosed);
});

Deno.test("acceptPeer() rejects as closed when the listener is closed from outside", async () => {
  const { listener, accepted } = start();
  listener.close();
  assertEquals((await assertRejects(() => accepted, ConnectionError)).kind, "closed");
});
