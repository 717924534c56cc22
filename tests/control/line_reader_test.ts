import { assert, assertEquals, assertRejects } from "@std/assert";
import { LineReader } from "../../lib/control/line_reader.ts";
import type { DecodedLine } from "../../lib/protocol/line_decoder.ts";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { FakeConnection } from "../helpers/fake_transport.ts";

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A reader of a peer that sends the chunks, and then ends or stays silent. */
function readerOf(chunks: readonly string[], options: { readonly staysOpen?: boolean } = {}) {
  const connection = new FakeConnection({
    received: chunks.map(bytesOf),
    ...options.staysOpen ? { blocks: "read" } as const : {},
  });
  return { connection, reader: new LineReader(connection, { maxLineBytes: 64 }) };
}

function line(text: string): DecodedLine {
  return { kind: "line", text };
}

Deno.test("LineReader.next() returns the lines of all chunks one by one, then null, and again null", async () => {
  const { reader } = readerOf(["NOOP\r\nFE", "AT\r\n", "SYST\r\nrest"]);
  const lines = [];
  for (let count = 0; count < 5; count++) lines.push(await reader.next());
  assertEquals(lines, [line("NOOP"), line("FEAT"), line("SYST"), null, null]);
});

Deno.test("LineReader.hasPending is set by whole and by unfinished lines behind the one that was returned", async () => {
  for (const rest of ["", "N", "NOOP\r\n"]) {
    const { reader } = readerOf([`AUTH TLS\r\n${rest}`], { staysOpen: true });
    assert(!reader.hasPending);
    await reader.next();
    assertEquals(reader.hasPending, rest !== "", rest);
  }
});

/** Reads ahead to the end of what the peer sends. */
async function readAll(reader: LineReader): Promise<void> {
  while (await reader.readAhead());
}

Deno.test("LineReader.readAhead() takes no lines", async () => {
  const { reader } = readerOf(["NOOP\r\n", "ABOR\r\n"]);
  assertEquals([await reader.readAhead(), reader.waiting], [true, 1]);
  assertEquals([await reader.readAhead(), reader.waiting], [true, 2]);
  assertEquals([await reader.readAhead(), reader.waiting], [false, 2]);
  assertEquals([await reader.next(), await reader.next(), await reader.next()], [line("NOOP"), line("ABOR"), null]);
  assertEquals(reader.waiting, 0);
});

Deno.test("LineReader knows which effects are waiting, and that of the next line", async () => {
  const connection = new FakeConnection({ received: [bytesOf("CWD a\r\nABOR\r\nQUIT\r\n")] });
  const effectOf = (line: DecodedLine) => {
    if (line.kind !== "line") return undefined;
    return ({ ABOR: "interrupts", QUIT: "quits" } as const)[line.text];
  };
  const reader = new LineReader(connection, { maxLineBytes: 64, effectOf });
  assert(!reader.waitsFor("interrupts"));
  await readAll(reader);
  assertEquals([reader.waitsFor("interrupts"), reader.nextEffect], [true, undefined]);
  await reader.next();
  assertEquals([reader.waitsFor("interrupts"), reader.nextEffect], [true, "interrupts"]);
  await reader.next();
  assertEquals([reader.waitsFor("interrupts"), reader.waitsFor("quits")], [false, true]);
  await reader.next();
  assertEquals([reader.waitsFor("quits"), reader.nextEffect], [false, undefined]);
});

Deno.test("LineReader.mayBecomeTls holds from the coming of AUTH until the next line is asked for", async () => {
  const connection = new FakeConnection({ received: [bytesOf("NOOP\r\nAUTH TLS\r\n"), bytesOf("NOOP\r\n")] });
  const effectOf = (line: DecodedLine) =>
    line.kind === "line" && line.text === "AUTH TLS" ? "startsTls" as const : undefined;
  const reader = new LineReader(connection, { maxLineBytes: 64, effectOf });
  const states = [];
  for (let count = 0; count < 3; count++) {
    await reader.next();
    states.push(reader.mayBecomeTls);
  }
  assertEquals(states, [true, true, false]);
});

Deno.test("LineReader looks at each waiting line a fixed number of times, however many wait", async () => {
  let looks = 0;
  const count = 3000;
  const connection = new FakeConnection({ received: [bytesOf("RETR a\r\n".repeat(count))] });
  const effectOf = (): undefined => void looks++;
  const reader = new LineReader(connection, { maxLineBytes: 64, effectOf });
  await readAll(reader);
  for (let taken = 0; taken < count; taken++) {
    await reader.next();
    assert(!reader.waitsFor("interrupts"));
    assertEquals(reader.nextEffect, undefined);
  }
  assert(looks <= 4 * count, `${looks} looks at ${count} lines`);
});

Deno.test("LineReader.isFull is set while much is waiting, and LineReader.room resolves when that is over", async () => {
  for (const text of [`${"A".repeat(60)}\r\n`, "\r\n"]) {
    const { reader } = readerOf(Array(10).fill(text.repeat(1000)), { staysOpen: true });
    while (!reader.isFull) await reader.readAhead();
    assert(reader.waiting <= 5000);
    const room = reader.room;
    while (reader.isFull) await reader.next();
    await room;
    await reader.room;
    assert(reader.waiting > 0);
  }
});

Deno.test("LineReader returns many lines in their order, also when they are never all taken", async () => {
  const texts = Array.from({ length: 5000 }, (_, index) => `LINE ${index}`);
  const { reader } = readerOf([...texts.map((text) => `${text}\r\n`)]);
  const received = [];
  for (let count = 0; count < texts.length; count++) {
    await reader.readAhead();
    if (reader.waiting > 1) received.push(await reader.next());
  }
  received.push(await reader.next());
  assertEquals(received, texts.map(line));
});

Deno.test("LineReader.arrival resolves with more lines, and at the end", async () => {
  const { reader } = readerOf(["NOOP\r\n"]);
  const first = reader.arrival;
  await reader.readAhead();
  await first;
  const second = reader.arrival;
  await reader.readAhead();
  await second;
});

Deno.test("LineReader shares one read among a look ahead that was given up and the next line", async () => {
  const { reader } = readerOf(["NOOP\r\n", "FEAT\r\n"]);
  await Promise.all([reader.readAhead(), reader.readAhead()]);
  assertEquals(reader.waiting, 1);
  const ahead = reader.readAhead();
  assertEquals(await reader.next(), line("NOOP"));
  assertEquals(await reader.next(), line("FEAT"));
  await ahead;
});

Deno.test("LineReader rejects when the connection is closed", async () => {
  const { connection, reader } = readerOf([], { staysOpen: true });
  const next = reader.next();
  connection.close();
  await assertRejects(() => next, ConnectionError);
  await assertRejects(() => reader.readAhead(), ConnectionError);
});
