import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, type Socket } from "node:net";
import { opened, whenClosed } from "./raw_data_connection.ts";
import { SocketReader } from "./socket_reader.ts";

/** A socket, the other end of which `script` has. */
async function connectTo(script: (peer: Deno.TcpConn) => Promise<void>): Promise<Socket & AsyncDisposable> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = connect({ host: "127.0.0.1", port: listener.addr.port });
  await opened(socket, "connect", "a connection", 10_000);
  const peer = await listener.accept();
  const playing = script(peer).finally(() => peer.close());
  return Object.assign(socket, {
    [Symbol.asyncDispose]: async () => {
      const closed = whenClosed(socket);
      socket.destroy();
      await Promise.all([closed, playing]);
    },
  });
}

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("SocketReader.line() and all() give what arrived in any pieces", async () => {
  await using socket = await connectTo(async (peer) => {
    for (const text of ["fi", "rst\nsec", "ond\nth", "ird"]) await peer.write(encode(text));
  });
  const reader = new SocketReader(socket, 10_000);
  assertEquals(await reader.line("the first"), encode("first\n"));
  assertEquals(await reader.line("the second"), encode("second\n"));
  assertEquals(await reader.all("the rest"), encode("third"));
  assertEquals(reader.pending, new Uint8Array(0));
});

Deno.test("SocketReader ends a connection on which more comes than anybody waits for", async () => {
  await using socket = await connectTo(async (peer) => {
    const bytes = new Uint8Array(4096);
    while (await peer.write(bytes).catch(() => 0) > 0);
  });
  const reader = new SocketReader(socket, 10_000, 1_000_000);
  const error = await assertRejects(() => reader.line("a line"), Error, "before a line");
  assertMatch((error.cause as Error).message, /^Received 1\d+ bytes that nobody took$/);
});
