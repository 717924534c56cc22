import { assertEquals } from "@std/assert";
import type { Connection } from "../../lib/transport/connection.ts";
import { listenControl } from "../../lib/transport/node_control.ts";
import { TlsContext } from "../../lib/transport/tls_context.ts";
import { recordHello } from "../soak/tls_fuzzer.ts";
import { kindOf } from "./connection_cases.ts";
import { connectPassive, PAIR } from "./tls_pairs.ts";

/** Longer than a data connection waits for its command before it begins the handshake. */
const BEYOND_PATIENCE_MS = 30;
const SERVER_HELLO = 2;

/** Sends a ClientHello in two segments, both before anybody goes on with the connection. */
async function sendInTwo(client: Deno.TcpConn, bytes: Uint8Array, waitMs: number): Promise<void> {
  client.setNoDelay();
  await client.write(bytes.subarray(0, 100));
  await new Promise((resolve) => setTimeout(resolve, 1));
  await client.write(bytes.subarray(100));
  await new Promise((resolve) => setTimeout(resolve, waitMs));
}

/** Reads what the server answers, and leaves. */
async function answerTo(client: Deno.TcpConn, securing: Promise<Connection>): Promise<number | undefined> {
  securing.catch(() => {}); // the client leaves
  const buffer = new Uint8Array(1024);
  await client.read(buffer);
  client.close();
  assertEquals(await kindOf(securing), "handshake");
  return buffer[5];
}

for (const direction of ["send", "receive"] as const) {
  for (const waitMs of [1, BEYOND_PATIENCE_MS]) {
    Deno.test(`NodeTlsTransport open("${direction}") takes a ClientHello of two segments ${waitMs} ms before it`, async () => {
      const { incoming, client, stack } = await connectPassive();
      await using _ = stack;
      await sendInTwo(client, await recordHello("TLSv1.3"), waitMs);
      assertEquals(await answerTo(client, incoming.open(direction)), SERVER_HELLO);
    });

    Deno.test(`NodeTlsTransport open("${direction}") rejects two segments of junk ${waitMs} ms before it`, async () => {
      const { incoming, client, stack } = await connectPassive();
      await using _ = stack;
      await sendInTwo(client, new TextEncoder().encode(`GET /${"a".repeat(200)} HTTP/1.1\r\n\r\n`), waitMs);
      assertEquals(await kindOf(incoming.open(direction)), "handshake");
      client.close();
    });

    Deno.test(`NodeTlsTransport open("${direction}") rejects a client that resets ${waitMs} ms behind its first bytes`, async () => {
      const { incoming, client, stack } = await connectPassive();
      await using _ = stack;
      await client.write((await recordHello("TLSv1.3")).subarray(0, 50));
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      client.close();
      assertEquals(await kindOf(incoming.open(direction)), "handshake");
    });
  }
}

Deno.test("ControlTransport startTls() takes a ClientHello of two segments that both came before it", async () => {
  using listener = await listenControl({ host: "127.0.0.1", port: 0 }, { context: new TlsContext(PAIR) }).then(closing);
  const [client, connection] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.address.port }),
    listener.accept(),
  ]);
  await client.write(new TextEncoder().encode("AUTH TLS\r\n"));
  await connection.read();
  await sendInTwo(client, await recordHello("TLSv1.3"), BEYOND_PATIENCE_MS);
  assertEquals(await answerTo(client, connection.startTls()), SERVER_HELLO);
});

function closing<Value extends { close(): void; accept: unknown }>(value: Value): Value & Disposable {
  return Object.assign(value, { [Symbol.dispose]: () => value.close() });
}
