import { assert, assertEquals, assertGreater, assertLessOrEqual, assertRejects } from "@std/assert";
import { receiveFile, sendFile, sendLines } from "../../lib/data/copy.ts";
import { Transfer } from "../../lib/data/transfer.ts";
import { FileSystemError, type ReadableFile, type WritableFile } from "../../lib/filesystem/filesystem.ts";
import { UTF8 } from "../../lib/protocol/text_encoding.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { FakeConnection } from "../helpers/fake_transport.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

const BINARY = { ascii: false };
const ASCII = { ascii: true };

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Bytes that tell their place. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
}

/** Sends a file in memory. */
async function send(content: Uint8Array, options = BINARY, offset = 0) {
  const file = await MemoryFileSystem.of({ "/file": content }).openRead("/file", { offset });
  const connection = new FakeConnection();
  const transfer = new Transfer();
  await sendFile(file, connection, transfer, options);
  return { connection, transfer };
}

/** Receives pieces into a file in memory; tells what the file holds then. */
async function receive(received: readonly Uint8Array[], options = BINARY) {
  const fileSystem = new MemoryFileSystem();
  const transfer = new Transfer();
  const file = await fileSystem.openWrite("/file", "truncate");
  await receiveFile(file, new FakeConnection({ received }), transfer, options);
  await file.finish(UNABORTED);
  await file.close();
  const buffer = new Uint8Array(1 << 20);
  const count = await (await fileSystem.openRead("/file")).read(buffer, UNABORTED);
  return { content: buffer.slice(0, count ?? 0), transfer };
}

for (const size of [0, 1, 65_536, 65_537, 3_000_000]) {
  Deno.test(`sendFile() sends ${size} bytes as they are`, async () => {
    const content = pattern(size);
    const { connection, transfer } = await send(content);
    assertEquals(connection.sent, content);
    assertEquals(transfer.bytes, size);
  });
}

Deno.test("sendFile() sends from the position of the file", async () => {
  assertEquals((await send(pattern(100_000), BINARY, 99_000)).connection.sent, pattern(100_000).subarray(99_000));
  assertEquals((await send(pattern(10), BINARY, 10)).connection.sent.length, 0);
});

Deno.test("sendFile() begins with a short piece and takes longer ones while the network is fast", async () => {
  const { connection } = await send(pattern(3_000_000));
  const [first = 0] = connection.pieces;
  assertLessOrEqual(first, 64 * 1024);
  assertGreater(Math.max(...connection.pieces), first);
  assertLessOrEqual(Math.max(...connection.pieces), 512 * 1024);
});

/** What a file of some size is read into. */
async function roomsOf(file: ReadableFile): Promise<{ rooms: ArrayBufferLike[]; sent: Uint8Array }> {
  const rooms = new Set<ArrayBufferLike>();
  const read: ReadableFile["read"] = (buffer, options) => {
    rooms.add(buffer.buffer);
    return file.read(buffer, options);
  };
  const connection = new FakeConnection();
  await sendFile({ size: file.size, read, close: () => file.close() }, connection, new Transfer(), BINARY);
  return { rooms: [...rooms], sent: connection.sent };
}

Deno.test("sendFile() makes no larger buffers than a file needs, and the second when there is a second piece", async () => {
  for (
    const [size, most, count] of [[0, 2048, 1], [1024, 2048, 1], [60_000, 64_000, 1], [100_000, 65_536, 2]] as const
  ) {
    const { rooms, sent } = await roomsOf(await MemoryFileSystem.of({ "/file": pattern(size) }).openRead("/file"));
    assertEquals(sent, pattern(size));
    assertLessOrEqual(Math.max(...rooms.map(({ byteLength }) => byteLength)), most);
    assertEquals(rooms.length, count);
  }
  const large = await roomsOf(await MemoryFileSystem.of({ "/file": pattern(5_000_000) }).openRead("/file"));
  assertEquals(large.sent, pattern(5_000_000));
  assertLessOrEqual(large.rooms.length, 7);
});

Deno.test("sendFile() sends all of a file that is longer than it was, in long pieces", async () => {
  const content = pattern(1_000_000);
  const file = await MemoryFileSystem.of({ "/file": content }).openRead("/file");
  const { rooms, sent } = await roomsOf({ size: 1, read: (buffer, options) => file.read(buffer, options), close() {} });
  assertEquals(sent, content);
  assertLessOrEqual(rooms.length, 7);
});

Deno.test("sendFile() takes files that give less than was asked for", async () => {
  const content = pattern(100);
  let position = 0;
  const file: ReadableFile = {
    size: content.length,
    read(buffer) {
      const piece = content.subarray(position, position + Math.min(3, buffer.length));
      buffer.set(piece);
      position += piece.length;
      return Promise.resolve(piece.length || null);
    },
    close() {},
  };
  const connection = new FakeConnection();
  await sendFile(file, connection, new Transfer(), BINARY);
  assertEquals(connection.sent, content);
});

Deno.test("sendFile() converts line ends in ASCII, also at the border of two pieces", async () => {
  const line = `${"x".repeat(65_535)}\r`;
  const { connection, transfer } = await send(bytesOf(`${line}\na\nb\r\n`), ASCII);
  assertEquals(textOf(connection.sent), `${line}\na\r\nb\r\n`);
  assertEquals(transfer.bytes, line.length + 7);
});

Deno.test("sendFile() rejects when reading fails while a piece is on its way, after that piece", async () => {
  const failure = new FileSystemError("notFound", "gone");
  let calls = 0;
  const file: ReadableFile = {
    size: 100,
    read: () => ++calls === 1 ? Promise.resolve(10) : Promise.reject(failure),
    close() {},
  };
  const connection = new FakeConnection();
  assertEquals(await assertRejects(() => sendFile(file, connection, new Transfer(), BINARY)), failure);
  assertEquals(connection.pieces, [10]);
});

Deno.test("sendFile() rejects with the network's error when reading ahead fails as well", async () => {
  const writeError = new Error("network");
  let calls = 0;
  const file: ReadableFile = {
    size: 100,
    read: () => ++calls === 1 ? Promise.resolve(10) : Promise.reject(new Error("disk")),
    close() {},
  };
  const sending = sendFile(file, new FakeConnection({ writeError }), new Transfer(), BINARY);
  assertEquals(await assertRejects(() => sending), writeError);
});

Deno.test("sendFile() settles no sooner than the read that is under way", async () => {
  const reading = Promise.withResolvers<number | null>();
  let calls = 0;
  const file: ReadableFile = {
    size: 100,
    read: () => ++calls === 1 ? Promise.resolve(10) : reading.promise,
    close() {},
  };
  let hasSettled = false;
  const connection = new FakeConnection({ blocks: "write" });
  const sending = sendFile(file, connection, new Transfer(), BINARY).finally(() => hasSettled = true);
  await connection.blocked;
  connection.close();
  await new Promise((resolve) => setTimeout(resolve));
  assert(!hasSettled);
  reading.resolve(null);
  await assertRejects(() => sending);
});

Deno.test("receiveFile() writes what comes, and counts it", async () => {
  const { content, transfer } = await receive([pattern(5), pattern(70_000)]);
  assertEquals(content, new Uint8Array([...pattern(5), ...pattern(70_000)]));
  assertEquals(transfer.bytes, 70_005);
});

Deno.test("receiveFile() leaves an empty file when nothing comes", async () => {
  assertEquals((await receive([])).content.length, 0);
});

Deno.test("receiveFile() converts line ends in ASCII, also when CR and LF come apart, and keeps a last CR", async () => {
  const { content, transfer } = await receive(["a\r", "\nb\rc\r\n", "d\r"].map(bytesOf), ASCII);
  assertEquals(textOf(content), "a\nb\rc\nd\r");
  assertEquals(transfer.bytes, 10);
});

Deno.test("receiveFile() rejects when the file cannot be written, and keeps what was", async () => {
  const fileSystem = new MemoryFileSystem({ maxBytes: 6 });
  const file: WritableFile = await fileSystem.openWrite("/file", "truncate");
  const connection = new FakeConnection({ received: [pattern(5), pattern(5)] });
  const receiving = receiveFile(file, connection, new Transfer(), BINARY);
  assertEquals((await assertRejects(() => receiving, FileSystemError)).kind, "noSpace");
  file.close();
  assertEquals((await fileSystem.stat("/file")).size, 5);
});

Deno.test("sendLines() sends what is formatted, gathered into pieces", async () => {
  const connection = new FakeConnection();
  const transfer = new Transfer();
  await sendLines(generate(20_000), withEnd, connection, transfer, UTF8);
  const expected = Array.from({ length: 20_000 }, (_, index) => `line ${index} ä\r\n`).join("");
  assertEquals(textOf(connection.sent), expected);
  assertEquals(transfer.bytes, bytesOf(expected).length);
  assertLessOrEqual(connection.pieces.length, 6);
});

Deno.test("sendLines() sends nothing for no lines", async () => {
  const connection = new FakeConnection();
  await sendLines(generate(0), withEnd, connection, new Transfer(), UTF8);
  assertEquals(connection.pieces, []);
});

Deno.test("sendLines() lets go of the lines when sending fails", async () => {
  let isReleased = false;
  async function* lines(): AsyncGenerator<string> {
    try {
      yield* generate(100_000);
    } finally {
      isReleased = true;
    }
  }
  const writeError = new Error("network");
  const sending = sendLines(lines(), withEnd, new FakeConnection({ writeError }), new Transfer(), UTF8);
  assertEquals(await assertRejects(() => sending), writeError);
  assert(isReleased);
});

function withEnd(line: string): string {
  return `${line}\r\n`;
}

async function* generate(count: number): AsyncGenerator<string> {
  for (let index = 0; index < count; index++) yield `line ${index} ä`;
}
