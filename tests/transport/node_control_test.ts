import net from "node:net";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { ControlTransport } from "../../lib/transport/connection.ts";
import { listenControl } from "../../lib/transport/node_control.ts";
import { TlsContext } from "../../lib/transport/tls_context.ts";
import { kindOf, testConnection } from "./connection_cases.ts";
import { PAIR, startClientTls } from "./tls_pairs.ts";

const ANY_PORT = { host: "127.0.0.1", port: 0 };

interface ControlPair {
  readonly connection: ControlTransport;
  readonly client: Deno.TcpConn;
  readonly stack: AsyncDisposableStack;
}

testConnection({
  name: "ControlTransport clear",
  ending: "fin",
  connect: async () => {
    const { connection, client, stack } = await connect();
    return { connection, peer: client, stack };
  },
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  testConnection({
    name: `ControlTransport ${version}`,
    ending: "closeNotify",
    connect: async () => {
      const { connection, client, stack } = await connect({ minVersion: version, maxVersion: version });
      const [secured, { peer }] = await Promise.all([connection.startTls(), startClientTls(client)]);
      return { connection: secured, peer, stack };
    },
  });
}

async function connect(
  versions: { readonly minVersion?: "TLSv1.2" | "TLSv1.3"; readonly maxVersion?: "TLSv1.2" | "TLSv1.3" } = {},
): Promise<ControlPair> {
  const stack = new AsyncDisposableStack();
  const context = new TlsContext({ ...PAIR, ...versions });
  const listener = stack.adopt(await listenControl(ANY_PORT, { context }), (listener) => listener.close());
  const [client, connection] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.address.port }),
    listener.accept(),
  ]);
  return { connection, client, stack };
}

async function send(client: Deno.Conn, text: string): Promise<void> {
  await client.write(new TextEncoder().encode(text));
}

async function receive(connection: ControlTransport): Promise<string> {
  return new TextDecoder().decode(await connection.read() ?? new Uint8Array());
}

Deno.test("ControlTransport knows both ends", async () => {
  const { connection, client, stack } = await connect();
  await using _ = stack;
  assertEquals(connection.remote, { host: "127.0.0.1", port: client.localAddr.port });
  assertEquals(connection.local, { host: "127.0.0.1", port: client.remoteAddr.port });
  assertEquals(connection.tls, undefined);
  connection.close();
  client.close();
});

Deno.test({
  name: "ControlTransport is probed after a minute of silence, for NAT boxes",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const { connection, client, stack } = await connect();
    await using _ = stack;
    const [timer, ticks] = await pendingTimer(connection.local.port, connection.remote.port);
    assertEquals(timer, "02"); // Keep-alive, when nothing was received
    assert(ticks > 5000 && ticks <= 6000); // Hundredths of a second
    connection.close();
    client.close();
  },
});

Deno.test("ControlTransport startTls() goes on with the dialogue under TLS", async () => {
  const { connection, client, stack } = await connect();
  await using _ = stack;
  await send(client, "AUTH TLS\r\n");
  assertEquals(await receive(connection), "AUTH TLS\r\n");
  const [secured, { peer, alpnProtocol }] = await Promise.all([
    connection.startTls(),
    startClientTls(client, { alpnProtocols: ["ftp"] }),
  ]);
  connection.close(); // Spent: this closes nothing.
  assertEquals(alpnProtocol, "ftp");
  assertEquals(secured.tls?.protocol, "TLSv1.3");
  assert(!secured.tls?.resumed);
  assertEquals(secured.remote, connection.remote);
  await send(peer, "USER joe\r\n");
  assertEquals(await receive(secured), "USER joe\r\n");
  await assertRejects(() => secured.startTls(), TypeError, "protected already");
  secured.close();
  peer.close();
});

Deno.test("ControlTransport startTls() closes when bytes came in clear behind AUTH", async () => {
  const { connection, client, stack } = await connect();
  await using _ = stack;
  await send(client, "AUTH TLS\r\n");
  assertEquals(await receive(connection), "AUTH TLS\r\n");
  await send(client, "USER mallory\r\n");
  // The read-ahead takes them; a round trip on another connection cannot be later than that.
  await passTime();
  assertEquals(await kindOf(connection.startTls()), "injected");
  assertEquals(await client.read(new Uint8Array(10)), null);
  assertEquals(await kindOf(connection.read()), "closed");
  client.close();
});

Deno.test("ControlTransport startTls() never hands on clear bytes that come during the handshake", async () => {
  const { connection, client, stack } = await connect();
  await using _ = stack;
  const secured = connection.startTls();
  await send(client, "USER mallory\r\nPASS secret\r\n");
  assertEquals(await kindOf(secured), "handshake");
  client.close();
});

Deno.test("ControlTransport startTls() takes a ClientHello that came before the reply to AUTH", async () => {
  const { connection, client, stack } = await connect();
  await using _ = stack;
  await send(client, "AUTH TLS\r\n");
  assertEquals(await receive(connection), "AUTH TLS\r\n");
  const handshake = startClientTls(client);
  await passTime();
  const secured = await connection.startTls();
  const { peer } = await handshake;
  assertEquals(secured.tls?.protocol, "TLSv1.3");
  secured.close();
  peer.close();
});

Deno.test("ControlTransport startTls() refuses ALPN names of other protocols with an alert", async () => {
  const { connection, client, stack } = await connect();
  await using _ = stack;
  const secured = kindOf(connection.startTls());
  const refusal = await startClientTls(client, { alpnProtocols: ["http/1.1"] }).catch((error) => error);
  assertMatch(`${refusal}`, /NoApplicationProtocol/);
  assertEquals(await secured, "handshake");
});

Deno.test("ControlTransport startTls() rejects a peer that leaves instead", async () => {
  const { connection, client, stack } = await connect();
  await using _ = stack;
  client.close();
  assertEquals(await kindOf(connection.startTls()), "handshake");
});

Deno.test("ControlTransport startTls() rejects a peer that had left before", async () => {
  const { connection, client, stack } = await connect();
  await using _ = stack;
  client.close();
  assertEquals(await connection.read(), null);
  assertEquals(await kindOf(connection.startTls()), "handshake");
});

Deno.test("ControlTransport close() ends a startTls() that waits for the client", async () => {
  const { connection, client, stack } = await connect();
  await using _ = stack;
  const secured = connection.startTls();
  connection.close();
  connection.close();
  assertEquals(await kindOf(secured), "closed");
  client.close();
});

Deno.test("ControlTransport startTls() rejects as a mistake when the listener has no certificate", async () => {
  const listener = await listenControl(ANY_PORT);
  const [client, connection] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.address.port }),
    listener.accept(),
  ]);
  await assertRejects(() => connection.startTls(), TypeError, "no certificate");
  connection.close();
  listener.close();
  client.close();
});

for (const isProtected of [false, true]) {
  Deno.test(`ControlTransport read() rejects a reset as such, ${isProtected ? "protected" : "clear"}`, async () => {
    const context = new TlsContext(PAIR);
    const listener = await listenControl(ANY_PORT, { context });
    const client = net.connect({ host: "127.0.0.1", port: listener.address.port });
    let connection = await listener.accept();
    if (isProtected) connection = await secureByHand(connection, client);
    client.resetAndDestroy();
    assertEquals(await kindOf(connection.read()), "reset");
    assertEquals(await kindOf(connection.write(new Uint8Array(1))), "reset");
    connection.close();
    listener.close();
  });
}

Deno.test("ControlListener close() rejects accept(), and a taken port is reported as addressInUse", async () => {
  const listener = await listenControl(ANY_PORT);
  assertEquals(await kindOf(listenControl(listener.address)), "addressInUse");
  const pending = listener.accept();
  listener.close();
  listener.close();
  assertEquals(await kindOf(pending), "closed");
  assertEquals(await kindOf(listener.accept()), "closed");
});

async function secureByHand(connection: ControlTransport, client: net.Socket): Promise<ControlTransport> {
  const tls = await import("node:tls");
  const secure = Promise.withResolvers<void>();
  const peer = tls.connect({ socket: client, ca: PAIR.certificate, servername: "localhost" }, () => secure.resolve());
  peer.on("error", () => {});
  const [secured] = await Promise.all([connection.startTls(), secure.promise]);
  return secured;
}

/** Waits until the event loop has seen what had arrived at the machine's sockets. */
async function passTime(): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  for (let i = 0; i < 20; i++) {
    const [client, server] = await Promise.all([
      Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
      listener.accept(),
    ]);
    client.close();
    server.close();
  }
}

/** Reads which timer of a socket runs, and for how long, from the kernel's table of sockets (proc(5)). */
async function pendingTimer(localPort: number, remotePort: number): Promise<readonly [string, number]> {
  const ports = [localPort, remotePort].map((port) => `:${port.toString(16).toUpperCase().padStart(4, "0")}`);
  // The sandbox keeps this file from Deno itself.
  const { stdout } = await new Deno.Command("cat", { args: ["/proc/net/tcp"] }).output();
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    const [, local = "", remote = "", , , timer = ""] = line.trim().split(/\s+/);
    const [kind = "", ticks = ""] = timer.split(":");
    if (local.endsWith(ports[0] ?? "") && remote.endsWith(ports[1] ?? "")) return [kind, parseInt(ticks, 16)];
  }
  throw new Error("Cannot find the socket in /proc/net/tcp");
}
