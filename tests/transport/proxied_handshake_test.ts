import net from "node:net";
import tls from "node:tls";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseAddressRange } from "../../lib/protocol/address_range.ts";
import type { Connection, Direction, SocketAddress } from "../../lib/transport/connection.ts";
import { listenControl } from "../../lib/transport/node_control.ts";
import { NodeTlsTransport } from "../../lib/transport/node_tls.ts";
import { ProxyGate } from "../../lib/transport/proxy_gate.ts";
import { TlsContext } from "../../lib/transport/tls_context.ts";
import { proxyBlock, proxyLine } from "../helpers/proxy_headers.ts";
import { connectProxied } from "../helpers/proxied_socket.ts";
import { PAIR } from "./tls_pairs.ts";

const ANY_PORT = { host: "127.0.0.1", port: 0 };
const CLIENT = { host: "203.0.113.7", port: 50_000 };
const REACHED = { host: "198.51.100.1", port: 990 };
const HEADERS = [proxyLine(CLIENT, REACHED), proxyBlock(CLIENT, REACHED)] as const;
/** Cuts beyond the header and the ClientHello send both in one segment. */
const CUTS = 520;
/** Data connections go the same way behind the header, so that fewer do. */
const DATA_STEP = 7;

/** Where the server's end of a protected connection comes from. */
interface Listening extends Disposable {
  readonly address: SocketAddress;
  accept(): Promise<Connection>;
}

function gate(): ProxyGate {
  const range = parseAddressRange("127.0.0.1");
  assert(range !== undefined);
  const onRefused = (_remote: SocketAddress, reason: string) => {
    throw new Error(reason);
  };
  return new ProxyGate({ trusted: [range], timeoutMs: () => 10_000, onRefused });
}

async function listenImplicit(): Promise<Listening> {
  const listener = await listenControl(ANY_PORT, { context: new TlsContext(PAIR), proxyGate: gate() });
  return {
    address: listener.address,
    accept: async () => {
      const clear = await listener.accept();
      assertEquals(clear.remote, CLIENT);
      return await clear.startTls();
    },
    [Symbol.dispose]: () => listener.close(),
  };
}

async function listenData(direction: Direction, stack: AsyncDisposableStack): Promise<Listening> {
  const transport = stack.use(new NodeTlsTransport(new TlsContext(PAIR), gate()));
  const listener = await transport.listen(ANY_PORT);
  return {
    address: listener.address,
    accept: async () => {
      const incoming = await listener.accept();
      assertEquals([incoming.remote, incoming.local], [CLIENT, REACHED]);
      return await incoming.open(direction);
    },
    [Symbol.dispose]: () => listener.close(),
  };
}

/** Makes a handshake, and sends a few bytes through it, each way where the direction allows it. */
async function exchange(
  listening: Listening,
  accepting: Promise<Connection>,
  options: { readonly header: Uint8Array; readonly at?: number; readonly sends: boolean; readonly receives: boolean },
): Promise<void> {
  const socket = await connectProxied(listening.address, options);
  const client = tls.connect({ socket, rejectUnauthorized: false });
  const failure = Promise.withResolvers<never>();
  client.on("error", failure.reject);
  const [connection] = await Promise.race([
    Promise.all([accepting, new Promise<void>((resolve) => client.once("secureConnect", resolve))]),
    failure.promise,
  ]);
  if (options.receives) {
    client.write("USER joe\r\n");
    assertEquals(new TextDecoder().decode(await connection.read() ?? new Uint8Array()), "USER joe\r\n");
  }
  if (options.sends) {
    const received = new Promise<string>((resolve) =>
      client.once("data", (bytes: Uint8Array) => resolve(String(bytes)))
    );
    await connection.write(new TextEncoder().encode("331 ok\r\n"));
    assertEquals(await received, "331 ok\r\n");
  }
  const closed = new Promise((resolve) => client.once("close", resolve));
  connection.close();
  client.destroy();
  await closed;
}

/** Every cut; returns how many. */
async function exchangeAll(
  listening: Listening,
  { sends, receives, step }: { readonly sends: boolean; readonly receives: boolean; readonly step: number },
): Promise<number> {
  let count = 0;
  for (const header of HEADERS) {
    for (let at = 1; at <= CUTS; at += step) {
      await exchange(listening, listening.accept(), { header, at, sends, receives });
      count++;
    }
    // The header by itself, long before and just before the handshake.
    await exchange(listening, listening.accept(), { header, sends, receives });
    count++;
  }
  return count;
}

Deno.test("1,042 implicit handshakes stand, wherever the PROXY header and the ClientHello are cut", async () => {
  using listening = await listenImplicit();
  assertEquals(await exchangeAll(listening, { sends: true, receives: true, step: 1 }), 2 * (CUTS + 1));
});

for (const direction of ["send", "receive"] as const) {
  Deno.test(`Handshakes of data connections stand, wherever header and ClientHello are cut: ${direction}`, async () => {
    await using stack = new AsyncDisposableStack();
    using listening = await listenData(direction, stack);
    const sends = direction === "send";
    assertEquals(await exchangeAll(listening, { sends, receives: !sends, step: DATA_STEP }), 2 * 76);
  });
}

Deno.test("A data connection behind a header is closed when its peer leaves before the handshake", async () => {
  await using stack = new AsyncDisposableStack();
  using listening = await listenData("send", stack);
  const accepting = listening.accept();
  const socket = net.connect({ ...listening.address });
  socket.end(HEADERS[1]);
  const error = await accepting.then(() => undefined, (error: Error) => error);
  assertMatch(error?.message ?? "", /^Peer left/);
  await new Promise((resolve) => socket.once("close", resolve).resume());
});
