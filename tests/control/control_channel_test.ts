import { assert, assertEquals, assertRejects } from "@std/assert";
import { ControlChannel } from "../../lib/control/control_channel.ts";
import { reply } from "../../lib/protocol/reply.ts";
import { loadEncoding, type TextEncoding, UTF8 } from "../../lib/protocol/text_encoding.ts";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { FakeControl } from "../helpers/fake_control.ts";
import { TLS_INFO } from "../helpers/fake_transport.ts";

const OPTIONS = { maxLineBytes: 64, encoding: () => UTF8, writeTimeoutMs: 0, onWriteTimeout: () => {} };

function channelOn(control: FakeControl, options: Partial<ConstructorParameters<typeof ControlChannel>[1]> = {}) {
  return new ControlChannel(control, { ...OPTIONS, ...options });
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("ControlChannel.send() and finish() follow each other in order", async () => {
  const control = new FakeControl();
  const channel = channelOn(control);
  await Promise.all([channel.send(reply(150, "One")), channel.send(reply(226, "Two")), channel.finish()]);
  assertEquals(control.sentBeforeEnd, "150 One\r\n226 Two\r\n");
  channel.close();
});

Deno.test("ControlChannel speaks the encoding of the moment, both ways", async () => {
  let encoding: TextEncoding = UTF8;
  const control = new FakeControl({ received: [bytesOf("é\r\n"), Uint8Array.of(0xe9, 0x0d, 0x0a)] });
  const channel = channelOn(control, { encoding: () => encoding });
  assertEquals(await channel.lines.next(), { kind: "line", text: "é" });
  await channel.send(reply(200, "é"));
  encoding = await loadEncoding("latin1");
  assertEquals(await channel.lines.next(), { kind: "line", text: "é" });
  await channel.send(reply(200, "é"));
  assertEquals([...control.sent].filter((byte) => byte > 0x7f), [0xc3, 0xa9, 0xe9]);
  channel.close();
});

Deno.test("ControlChannel.send() doubles the byte that is Telnet's IAC", async () => {
  const encoding = await loadEncoding("windows-1251");
  const control = new FakeControl();
  const channel = channelOn(control, { encoding: () => encoding });
  await channel.send(reply(257, '"/мая"'));
  assertEquals([...control.sent].slice(-7, -2), [0xec, 0xe0, 0xff, 0xff, 0x22]);
  channel.close();
});

Deno.test("ControlChannel.startTls() goes on with the lines of the protected connection", async () => {
  const clear = new FakeControl();
  const channel = channelOn(clear);
  const starting = channel.startTls();
  assert(channel.isHandshaking);
  const secured = new FakeControl({ tls: TLS_INFO, received: [bytesOf("NOOP\r\n")] });
  clear.handshake.resolve(secured);
  assertEquals(await starting, TLS_INFO);
  assert(!channel.isHandshaking);
  assertEquals(await channel.lines.next(), { kind: "line", text: "NOOP" });
  await channel.send(reply(200, "Okay"));
  channel.close();
  assertEquals([clear.text, secured.text, secured.isClosed], ["", "200 Okay\r\n", true]);
});

Deno.test("ControlChannel reports a reply that the client does not take, and close() interrupts it", async () => {
  const reported = Promise.withResolvers<void>();
  const channel = channelOn(new FakeControl({ blocks: "write" }), {
    writeTimeoutMs: 20,
    onWriteTimeout: reported.resolve,
  });
  const writing = assertRejects(() => channel.send(reply(220, "Hello")), ConnectionError);
  await reported.promise;
  channel.close();
  await writing;
});
