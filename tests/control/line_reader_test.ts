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

Deno.test("LineReader.next() gives the lines of all chunks one by one, then null, and again null", async () => {
  const { reader } = readerOf(["NOOP\r\nFE", "AT\r\n", "SYST\r\nrest"]);
  const lines = [];
  for (let count = 0; count < 5; count++) lines.push(await reader.next());
  assertEquals(lines, [line("NOOP"), line("FEAT"), line("SYST"), null, null]);
});

Deno.test("LineReader.hasPending tells of whole and of unfinished lines behind the one that was given", async () => {
  for (const rest of ["", "N", "NOOP\r\n"]) {
    const { reader } = readerOf([`AUTH TLS\r\n${rest}`], { staysOpen: true });
    assert(!reader.hasPending);
    await reader.next();
    assertEquals(reader.hasPending, rest !== "", rest);
  }
});

Deno.test("LineReader.lookAhead() gives lines without taking them", async () => {
  const { reader } = readerOf(["NOOP\r\n", "ABOR\r\n"]);
  assertEquals(await reader.lookAhead(), [line("NOOP")]);
  assertEquals(await reader.lookAhead(), [line("ABOR")]);
  assertEquals(await reader.lookAhead(), null);
  assertEquals([await reader.next(), await reader.next(), await reader.next()], [line("NOOP"), line("ABOR"), null]);
});

Deno.test("LineReader.waiting shows what came with the line taken last", async () => {
  const { reader } = readerOf(["CWD a\r\nABOR\r\n"], { staysOpen: true });
  assertEquals(reader.waiting, []);
  assertEquals(await reader.next(), line("CWD a"));
  assertEquals(reader.waiting, [line("ABOR")]);
});

Deno.test("LineReader.lookAhead() stops reading when many lines wait", async () => {
  const { reader } = readerOf(["NOOP\r\n".repeat(100)], { staysOpen: true });
  assertEquals((await reader.lookAhead())?.length, 100);
  assertEquals(await reader.lookAhead(), undefined);
});

Deno.test("LineReader shares one read among a look ahead that was given up and the next line", async () => {
  const { reader } = readerOf(["NOOP\r\n", "FEAT\r\n"]);
  await Promise.all([reader.lookAhead(), reader.lookAhead()]);
  assertEquals(reader.waiting, [line("NOOP")]);
  const ahead = reader.lookAhead();
  assertEquals(await reader.next(), line("NOOP"));
  assertEquals(await reader.next(), line("FEAT"));
  await ahead;
});

Deno.test("LineReader rejects when the connection is closed", async () => {
  const { connection, reader } = readerOf([], { staysOpen: true });
  const next = reader.next();
  connection.close();
  await assertRejects(() => next, ConnectionError);
  await assertRejects(() => reader.lookAhead(), ConnectionError);
});
