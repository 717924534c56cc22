import { nextTick } from "node:process";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { addressOf, kindOf, readAll, testConnection } from "./connection_cases.ts";
import { NodeTlsTransport } from "../../lib/transport/node_tls.ts";
import { TlsContext } from "../../lib/transport/tls_context.ts";
import { connectActive, connectPassive, PAIR, secure, secureEarly, startClientTls } from "./tls_pairs.ts";

const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
const ANY_PORT = { host: "127.0.0.1", port: 0 };

for (const version of VERSIONS) {
  const versions = { minVersion: version, maxVersion: version };
  testConnection({
    name: `NodeTlsTransport passive ${version}`,
    ending: "closeNotify",
    connect: async (direction) => secure(await connectPassive({ versions }), direction),
  });

  testConnection({
    name: `NodeTlsTransport passive ${version}, handshake before the command`,
    ending: "closeNotify",
    connect: async (direction) => secureEarly(await connectPassive({ versions }), direction),
  });

  for (const direction of ["send", "receive"] as const) {
    Deno.test(`NodeTlsTransport reports protocol and cipher of ${version} to ${direction}`, async () => {
      const { connection, peer, stack } = await secure(await connectPassive({ versions }), direction);
      await using _ = stack;
      assertEquals(connection.tls?.protocol, version);
      assertMatch(connection.tls?.cipher ?? "", /AES|CHACHA20/);
      assert(!connection.tls?.resumed);
      connection.close();
      peer.close();
    });

    Deno.test(`NodeTlsTransport open("${direction}") rejects clear bytes in place of a ${version} handshake`, async () => {
      const { incoming, client, stack } = await connectPassive({ versions });
      await using _ = stack;
      await client.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
      assertEquals(await kindOf(incoming.open(direction)), "handshake");
      client.close();
    });
  }
}

testConnection({
  name: "NodeTlsTransport active",
  ending: "closeNotify",
  connect: async (direction) => secure(await connectActive(), direction),
});

for (const direction of ["send", "receive"] as const) {
  Deno.test(`NodeTlsTransport open("${direction}") rejects a peer that leaves without a handshake`, async () => {
    const { incoming, client, stack } = await connectPassive();
    await using _ = stack;
    client.close();
    assertEquals(await kindOf(incoming.open(direction)), "handshake");
  });

  Deno.test(`NodeTlsTransport close() ends an open("${direction}") that waits for a handshake`, async () => {
    const { incoming, client, stack } = await connectPassive();
    await using _ = stack;
    const pending = incoming.open(direction);
    incoming.close();
    incoming.close();
    assertEquals(await kindOf(pending), "closed");
    client.close();
  });

  for (const alpnProtocols of [["ftp"], ["ftp-data"], ["http/1.1", "ftp"]]) {
    Deno.test(`NodeTlsTransport open("${direction}") accepts ALPN names ${alpnProtocols}`, async () => {
      const { connection, peer, stack, alpnProtocol } = await secure(await connectPassive(), direction, {
        alpnProtocols,
      });
      await using _ = stack;
      assertEquals(alpnProtocol, alpnProtocols.at(-1) ?? "");
      connection.close();
      peer.close();
    });
  }

  Deno.test(`NodeTlsTransport open("${direction}") refuses ALPN names of other protocols with an alert`, async () => {
    const { incoming, client, stack } = await connectPassive();
    await using _ = stack;
    const opening = kindOf(incoming.open(direction));
    const refusal = await startClientTls(client, { alpnProtocols: ["http/1.1"] }).catch((error) => `${error}`);
    assertMatch(`${refusal}`, /NoApplicationProtocol/);
    assertEquals(await opening, "handshake");
  });
}

Deno.test("NodeTlsTransport receives an empty file: close_notify right behind the handshake", async () => {
  const { connection, peer, stack } = await secure(await connectPassive(), "receive");
  await using _ = stack;
  await peer.closeWrite();
  assertEquals(await connection.read(), null);
  assertEquals(connection.ending, "closeNotify");
  await connection.finish();
  assertEquals(await readAll(peer), new Uint8Array(0));
  connection.close();
});

Deno.test("NodeTlsTransport finish() behind an upload sends close_notify from any callback of the runtime", async () => {
  const { connection, peer, stack } = await secure(await connectPassive(), "receive");
  await using _ = stack;
  await peer.closeWrite();
  assertEquals(await connection.read(), null);
  const { promise, resolve } = Promise.withResolvers<void>();
  nextTick(() => resolve(connection.finish()));
  await promise;
  assertEquals(await readAll(peer), new Uint8Array(0)); // Without close_notify this rejects
  connection.close();
});

Deno.test("NodeTlsTransport read() rejects a damaged record behind the handshake", async () => {
  const { incoming, client, stack } = await connectPassive();
  await using _ = stack;
  using proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [toProxy, fromClient] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: proxy.addr.port }),
    proxy.accept(),
  ]);
  const relays = Promise.all([relay(fromClient, client), relay(client, fromClient)]);
  const [connection, { peer }] = await Promise.all([incoming.open("receive"), startClientTls(toProxy)]);
  // A type-23 record of 32 bytes that no key has made.
  await client.write(new Uint8Array([23, 3, 3, 0, 32, ...new Array(32).fill(7)]));
  assertEquals(await kindOf(connection.read()), "reset");
  connection.close();
  peer.close();
  await relays;
});

Deno.test("NodeTlsTransport drops what the peer sends on a connection for sending", async () => {
  const { connection, peer, stack } = await secure(await connectPassive(), "send");
  await using _ = stack;
  await peer.write(new Uint8Array(100_000));
  await peer.closeWrite();
  assertEquals(await connection.read(), null);
  connection.close();
  peer.close();
});

for (const [when, shake] of [["behind", secure], ["before", secureEarly]] as const) {
  const name = `a client with early bytes has not received: handshake ${when} the command`;
  Deno.test(`NodeTlsTransport close() behind finish() keeps what ${name}`, async () => {
    const { connection, peer, stack } = await shake(await connectPassive(), "send");
    await using _ = stack;
    const sent = new Uint8Array(400_000).fill(7);
    await connection.write(sent);
    await connection.finish();
    connection.close();
    await peer.write(new Uint8Array(1000));
    assertEquals(await readAll(peer), sent);
  });
}

Deno.test("NodeTlsTransport open() takes first bytes that came just before it, both ways", async () => {
  for (const direction of ["send", "receive"] as const) {
    const { incoming, client, stack } = await connectPassive();
    await using _ = stack;
    const shaking = startClientTls(client);
    await new Promise((resolve) => setTimeout(resolve, 3)); // within the server's patience, or a little later
    const connection = await incoming.open(direction);
    const { peer } = await shaking;
    assertEquals(connection.tls?.protocol, "TLSv1.3");
    connection.close();
    peer.close();
  }
});

Deno.test("NodeTlsTransport close() ends a handshake before the command, and a patient wait for it", async () => {
  for (const waitMs of [3, 30]) {
    const { incoming, client, stack } = await connectPassive();
    await using _ = stack;
    const shaking = startClientTls(client).then(({ peer }) => peer.close(), () => {});
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    incoming.close();
    assertEquals(await kindOf(incoming.open("send")), "closed");
    await shaking;
  }
});

Deno.test("NodeTlsTransport open() rejects an early handshake that failed, both ways", async () => {
  for (const direction of ["send", "receive"] as const) {
    const { incoming, client, stack } = await connectPassive();
    await using _ = stack;
    await client.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals(await kindOf(incoming.open(direction)), "handshake");
    client.close();
  }
});

Deno.test("NodeTlsTransport.listen() rejects a taken port as addressInUse", async () => {
  const transport = new NodeTlsTransport(new TlsContext(PAIR));
  const listener = await transport.listen(ANY_PORT);
  assertEquals(await kindOf(transport.listen(listener.address)), "addressInUse");
  listener.close();
});

Deno.test("NodeTlsTransport close() of a listener releases connections that were not accepted", async () => {
  const transport = new NodeTlsTransport(new TlsContext(PAIR));
  const listener = await transport.listen(ANY_PORT);
  const accepted = listener.accept();
  const [first, second] = await Promise.all(
    [0, 1].map(() => Deno.connect({ hostname: "127.0.0.1", port: listener.address.port })),
  );
  const incoming = await accepted;
  const pending = kindOf(listener.accept().then(() => listener.accept()));
  listener.close();
  listener.close();
  assertEquals(await pending, "closed");
  assertEquals(await kindOf(listener.accept()), "closed");
  incoming.close();
  first?.close();
  second?.close();
});

Deno.test("NodeTlsTransport.connect() rejects as refused when nobody listens, as closed when aborted", async () => {
  const transport = new NodeTlsTransport(new TlsContext(PAIR));
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const remote = addressOf(listener);
  listener.close();
  const abort = new AbortController();
  const options = { remote, localHost: "127.0.0.1", signal: abort.signal };
  assertEquals(await kindOf(transport.connect(options)), "refused");
  abort.abort();
  assertEquals(await kindOf(transport.connect(options)), "closed");
});

async function relay(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  await from.readable.pipeTo(to.writable, { preventClose: true }).catch(() => {});
}
