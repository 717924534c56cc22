import { once } from "node:events";
import net from "node:net";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Direction } from "../../lib/transport/connection.ts";
import { DenoTcpTransport } from "../../lib/transport/deno_tcp.ts";
import { addressOf, type ConnectedPair, kindOf, testConnection, writeAll } from "./connection_cases.ts";

const ANY_PORT = { host: "127.0.0.1", port: 0 };
const transport = new DenoTcpTransport();

testConnection({ name: "DenoTcpTransport passive", ending: "fin", connect: connectPassive });
testConnection({ name: "DenoTcpTransport active", ending: "fin", connect: connectActive });

async function connectPassive(direction: Direction): Promise<ConnectedPair> {
  const stack = new AsyncDisposableStack();
  const listener = stack.adopt(await transport.listen(ANY_PORT), (listener) => listener.close());
  const [peer, incoming] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.address.port }),
    listener.accept(),
  ]);
  return { connection: await incoming.open(direction), peer, stack };
}

async function connectActive(direction: Direction): Promise<ConnectedPair> {
  const stack = new AsyncDisposableStack();
  const listener = stack.adopt(Deno.listen({ hostname: "127.0.0.1", port: 0 }), (listener) => listener.close());
  const [peer, incoming] = await Promise.all([
    listener.accept(),
    transport.connect({ remote: addressOf(listener), localHost: "127.0.0.1", signal: new AbortController().signal }),
  ]);
  return { connection: await incoming.open(direction), peer, stack };
}

Deno.test("DenoTcpTransport.listen() rejects a taken port as addressInUse", async () => {
  const listener = await transport.listen(ANY_PORT);
  assertEquals(await kindOf(transport.listen(listener.address)), "addressInUse");
  listener.close();
});

Deno.test("DenoTcpTransport.listen() works on IPv6", async () => {
  const listener = await transport.listen({ host: "::1", port: 0 });
  const [peer, incoming] = await Promise.all([
    Deno.connect({ hostname: "::1", port: listener.address.port }),
    listener.accept(),
  ]);
  assertEquals(incoming.remote.host, "::1");
  assertEquals(incoming.local, listener.address);
  listener.close();
  incoming.close();
  incoming.close();
  peer.close();
});

Deno.test("DenoTcpTransport accept() rejects as closed once the listener is closed", async () => {
  const listener = await transport.listen(ANY_PORT);
  const pending = listener.accept();
  listener.close();
  listener.close();
  assertEquals(await kindOf(pending), "closed");
  assertEquals(await kindOf(listener.accept()), "closed");
});

Deno.test("DenoTcpTransport accept() passes over a peer that has reset its connection already", async () => {
  const listener = await transport.listen(ANY_PORT);
  const gone = net.connect({ host: "127.0.0.1", port: listener.address.port });
  await once(gone, "connect");
  gone.resetAndDestroy();
  await once(gone, "close");
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
  const incoming = await listener.accept();
  assertEquals(incoming.remote.port, client.localAddr.port);
  incoming.close();
  client.close();
  listener.close();
});

Deno.test("DenoTcpTransport.connect() reports both ends", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const signal = new AbortController().signal;
  const [peer, incoming] = await Promise.all([
    listener.accept(),
    transport.connect({ remote: addressOf(listener), localHost: "127.0.0.1", signal }),
  ]);
  assertEquals(incoming.remote, addressOf(listener));
  assertEquals(incoming.local.host, "127.0.0.1");
  assertEquals(incoming.local, { host: peer.remoteAddr.hostname, port: peer.remoteAddr.port });
  incoming.close();
  peer.close();
});

Deno.test("DenoTcpTransport.connect() rejects as refused when nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const remote = addressOf(listener);
  listener.close();
  const signal = new AbortController().signal;
  assertEquals(await kindOf(transport.connect({ remote, localHost: "127.0.0.1", signal })), "refused");
});

Deno.test("DenoTcpTransport.connect() rejects as closed when the signal aborts", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const abort = new AbortController();
  const options = { remote: addressOf(listener), localHost: "127.0.0.1", signal: abort.signal };
  const pending = transport.connect(options);
  abort.abort();
  assertEquals(await kindOf(pending), "closed");
  assertEquals(await kindOf(transport.connect(options)), "closed");
});

Deno.test("DenoTcpTransport open() works once, and not after close()", async () => {
  const listener = await transport.listen(ANY_PORT);
  const [peer, incoming] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.address.port }),
    listener.accept(),
  ]);
  const connection = await incoming.open("send");
  incoming.close();
  await connection.write(new Uint8Array(1));
  assertEquals(await kindOf(incoming.open("send")), "closed");
  connection.close();
  listener.close();
  peer.close();
});

Deno.test("DenoTcpTransport.connect() rejects as refused when the sandbox forbids the local address", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const options = { remote: addressOf(listener), localHost: "192.0.2.9", signal: new AbortController().signal };
  assertEquals(await kindOf(transport.connect(options)), "refused");
});

Deno.test("DenoTcpTransport reads a small upload into a small buffer, and a large one into ever larger ones", async () => {
  const { connection, peer, stack } = await connectPassive("receive");
  await using _stack = stack;
  const sizes: number[] = [];
  const sent = new Uint8Array(4 << 20).fill(7);
  const sending = (async () => {
    await writeAll(peer, sent);
    peer.close();
  })();
  let received = 0;
  for (let bytes = await connection.read(); bytes !== null; bytes = await connection.read()) {
    sizes.push(bytes.buffer.byteLength);
    received += bytes.length;
    assert(bytes.every((byte) => byte === 7));
  }
  await sending;
  connection.close();
  assertEquals(received, sent.length);
  assertLessOrEqual(sizes[0] ?? 0, 8 * 1024);
  assertEquals(sizes.at(-1), 256 * 1024);
});
