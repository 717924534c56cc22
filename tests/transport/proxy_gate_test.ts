import net from "node:net";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { parseAddressRange } from "../../lib/protocol/address_range.ts";
import { ConnectionError, type ControlTransport } from "../../lib/transport/connection.ts";
import { listenControl } from "../../lib/transport/node_control.ts";
import { SocketListener, type SocketListenOptions } from "../../lib/transport/node_socket.ts";
import { ProxyGate } from "../../lib/transport/proxy_gate.ts";
import { proxyBlock, proxyLine } from "../helpers/proxy_headers.ts";

const ANY_PORT = { host: "127.0.0.1", port: 0 };
const CLIENT = { host: "203.0.113.7", port: 50_000 };
const REACHED = { host: "198.51.100.1", port: 21 };
const HEADER = proxyBlock(CLIENT, REACHED);
const NEVER_MS = 60_000;

const encode = (text: string) => new TextEncoder().encode(text);

interface Gate {
  readonly proxyGate: ProxyGate;
  /** What was refused, in this order. */
  readonly refused: string[];
}

function gate(
  options: { readonly trusted?: string; readonly timeoutMs?: number; readonly maxPending?: number } = {},
): Gate {
  const { trusted = "127.0.0.0/8", timeoutMs = NEVER_MS, maxPending = 100 } = options;
  const range = parseAddressRange(trusted);
  assert(range !== undefined);
  const refused: string[] = [];
  const onRefused = ({ host }: { readonly host: string }, reason: string) => void refused.push(`${host}: ${reason}`);
  return { proxyGate: new ProxyGate({ trusted: [range], timeoutMs: () => timeoutMs, onRefused, maxPending }), refused };
}

async function listen(options: SocketListenOptions): Promise<SocketListener & Disposable> {
  const listener = await SocketListener.listen(ANY_PORT, options);
  return Object.assign(listener, { [Symbol.dispose]: () => listener.close() });
}

function dial(listener: SocketListener): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
}

/** What comes until the end; a reset is one. */
async function rest(client: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(1000);
  let text = "";
  try {
    for (let count = await client.read(buffer); count !== null; count = await client.read(buffer)) {
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  client.close();
  return text;
}

function control(proxyGate: ProxyGate) {
  return listenControl(ANY_PORT, { proxyGate });
}

async function firstBytes(transport: ControlTransport): Promise<string> {
  return new TextDecoder().decode(await transport.read() ?? new Uint8Array());
}

for (const [version, header] of [[1, proxyLine(CLIENT, REACHED)], [2, HEADER]] as const) {
  Deno.test(`ProxyGate gives the ends that a header of version ${version} has, and the way they came`, async () => {
    const { proxyGate, refused } = gate();
    const listener = await control(proxyGate);
    using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
    await client.write(header);
    const transport = await listener.accept();
    assertEquals([transport.remote, transport.local], [CLIENT, REACHED]);
    const remote = { host: "127.0.0.1", port: client.localAddr.port };
    assertEquals(transport.route, { local: listener.address, remote, uniqueId: undefined });
    assertEquals(refused, []);
    transport.close();
    listener.close();
  });
}

Deno.test("ProxyGate hands on what comes behind the header, in order, wherever it is cut", async () => {
  const { proxyGate } = gate();
  const listener = await control(proxyGate);
  for (const header of [proxyLine(CLIENT, REACHED), HEADER]) {
    const all = Uint8Array.from([...header, ...encode("USER joe\r\nPASS x\r\n")]);
    for (let cut = 0; cut <= all.length; cut++) {
      using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
      client.setNoDelay();
      await client.write(all.subarray(0, cut));
      if (cut % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      for (let sent = cut; sent < all.length;) sent += await client.write(all.subarray(sent));
      await client.closeWrite();
      const transport = await listener.accept();
      let text = "";
      for (let bytes = await transport.read(); bytes !== null; bytes = await transport.read()) {
        text += new TextDecoder().decode(bytes);
      }
      assertEquals(text, "USER joe\r\nPASS x\r\n", `cut at ${cut}`);
      transport.close();
    }
  }
  listener.close();
});

Deno.test("ProxyGate lets nobody wait for a balancer that is silent", async () => {
  const { proxyGate } = gate();
  const listener = await control(proxyGate);
  using silent = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
  await silent.write(HEADER.subarray(0, 20));
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.address.port });
  await client.write(HEADER);
  const transport = await listener.accept();
  assertEquals(transport.remote, CLIENT);
  await silent.write(HEADER.subarray(20));
  const second = await listener.accept();
  await silent.write(encode("NOOP\r\n"));
  assertEquals(await firstBytes(second), "NOOP\r\n");
  for (const each of [transport, second]) each.close();
  listener.close();
});

Deno.test("ProxyGate closes connections from addresses that are not trusted at once, whatever they say", async () => {
  const { proxyGate, refused } = gate({ trusted: "10.0.0.0/8" });
  using listener = await listen({ proxyGate });
  const client = await dial(listener);
  await client.write(HEADER).catch(() => {});
  assertEquals(await rest(client), "");
  assertEquals(refused, ["127.0.0.1: its address is not one of proxyProtocol"]);
});

Deno.test("ProxyGate closes connections whose header does not come in time, or is none, and says so", async () => {
  const { proxyGate, refused } = gate({ timeoutMs: 50 });
  using listener = await listen({ proxyGate });
  const silent = await dial(listener);
  assertEquals(await rest(silent), "");
  const slow = await dial(listener);
  await slow.write(HEADER.subarray(0, 15));
  assertEquals(await rest(slow), "");
  const direct = await dial(listener);
  await direct.write(encode("\x16\x03\x01\x02\x00\x01"));
  assertEquals(await rest(direct), "");
  const late = "127.0.0.1: its PROXY header did not come in time";
  assertEquals(refused, [late, late, "127.0.0.1: it did not begin with a PROXY header"]);
});

Deno.test("ProxyGate says nothing of those that connect and leave, nor of checks, and answers checks where it is told", async () => {
  const { proxyGate, refused } = gate();
  using mute = await listen({ proxyGate });
  (await dial(mute)).close();
  using listener = await listen({ proxyGate, checkReply: () => "220 here\r\n" });
  for (const header of [proxyBlock(CLIENT, REACHED, { command: 0x20 }), encode("PROXY UNKNOWN\r\n")]) {
    const client = await dial(listener);
    // A check that says QUIT gets its answer all the same.
    await client.write(Uint8Array.from([...header, ...encode("QUIT\r\n")]));
    assertEquals(await rest(client), "220 here\r\n");
    const unanswered = await dial(mute);
    await unanswered.write(header);
    assertEquals(await rest(unanswered), "");
  }
  const cut = await dial(listener);
  await cut.write(HEADER.subarray(0, 5));
  await cut.closeWrite();
  assertEquals(await rest(cut), "");
  assertEquals(refused, ["127.0.0.1: it left within its PROXY header"]);
});

Deno.test("ProxyGate lets so many connections wait for their header, over all its listeners, and no more", async () => {
  const { proxyGate, refused } = gate({ maxPending: 3 });
  using one = await listen({ proxyGate });
  using other = await listen({ proxyGate });
  const waiting = [await dial(one), await dial(other), await dial(one)];
  for (const client of waiting) await client.write(HEADER.subarray(0, 1));
  assertEquals(await rest(await dial(other)), "");
  assertEquals(refused, ["127.0.0.1: too many connections wait for their PROXY header"]);
  await waiting[0]?.write(HEADER.subarray(1));
  (await one.accept()).socket.destroy();
  const next = await dial(other);
  await next.write(HEADER);
  (await other.accept()).socket.destroy();
  for (const client of [...waiting, next]) client.close();
});

Deno.test("SocketListener refuse() closes those that wait for their header, and counts them", async () => {
  const { proxyGate, refused } = gate();
  using listener = await listen({ proxyGate });
  const proven = await dial(listener);
  await proven.write(HEADER);
  const accepted = await listener.accept();
  const waiting = await dial(listener);
  await waiting.write(HEADER.subarray(0, 20));
  // Another one behind it has been taken, and so has it.
  const behind = await dial(listener);
  await behind.write(HEADER);
  const second = await listener.accept();
  assert(!listener.hasRefused);
  listener.refuse();
  assert(listener.hasRefused);
  assertEquals(await rest(waiting), "");
  const late = await dial(listener);
  await late.write(HEADER).catch(() => {});
  assertEquals(await rest(late), "");
  const pending = listener.accept();
  assert(!listener.hasRefused);
  const next = await dial(listener);
  await next.write(HEADER);
  for (const { socket } of [accepted, second, await pending]) socket.destroy();
  for (const client of [proven, behind, next]) client.close();
  assertEquals(refused, []);
});

Deno.test("SocketListener close() ends the wait for headers, and lets no client through any more", async () => {
  const { proxyGate, refused } = gate();
  const listener = await SocketListener.listen(ANY_PORT, { proxyGate });
  const pending = listener.accept();
  const waiting = await dial(listener);
  await waiting.write(HEADER.subarray(0, 20));
  const proven = await dial(listener);
  await proven.write(HEADER);
  (await pending).socket.destroy();
  proven.close();
  const last = listener.accept();
  listener.close();
  assertEquals((await assertRejects(() => last, ConnectionError)).kind, "closed");
  assertEquals(await rest(waiting), "");
  assertEquals(refused, []);
});

Deno.test("SocketListener accept() passes over clients that have left behind their header", async () => {
  const { proxyGate } = gate();
  using listener = await listen({ proxyGate });
  const gone = net.connect({ ...listener.address });
  gone.write(HEADER);
  gone.on("error", () => {});
  await new Promise((resolve) => gone.once("connect", resolve));
  const here = await dial(listener);
  await here.write(HEADER);
  await new Promise((resolve) => setTimeout(resolve, 20)); // both are proven
  gone.resetAndDestroy();
  await new Promise((resolve) => gone.once("close", resolve));
  await new Promise((resolve) => setTimeout(resolve, 20)); // the reset has come
  const { socket, ends } = await listener.accept();
  assertEquals(ends.route?.remote.port, here.localAddr.port);
  socket.destroy();
  here.close();
});
