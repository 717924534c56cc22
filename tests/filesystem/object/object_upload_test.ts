import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { type FileSystem, FileSystemError, type WriteMode } from "../../../lib/filesystem/filesystem.ts";
import type { ObjectFileSystem } from "../../../lib/filesystem/object/object_filesystem.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { assertRefused, readText, writeText } from "../../conformance/filesystem_conformance.ts";
import { objectFixture, PART, sampleBytes } from "../../helpers/object_store/object_fixture.ts";
import { assertAsyncProperty } from "../../helpers/property.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Writes bytes, and is cut unless it is the end. */
async function send(
  fileSystem: ObjectFileSystem,
  mode: WriteMode,
  bytes: Uint8Array,
  { isEnd = false, chunk = 5, path = "/a" } = {},
): Promise<void> {
  const file = await fileSystem.openWrite(path, mode, UNABORTED);
  try {
    for (let at = 0; at < bytes.length; at += chunk) await file.write(bytes.slice(at, at + chunk), UNABORTED);
    if (isEnd) await file.finish(UNABORTED);
  } finally {
    await file.close();
  }
}

Deno.test("ObjectFileSystem.openWrite() puts what is less than a part by one request", async () => {
  const { store, fileSystem } = objectFixture();
  await send(fileSystem, "place", sampleBytes(PART - 1), { isEnd: true });
  assertEquals([store.count("put"), store.count("beginUpload"), store.bytesReceived], [1, 0, PART - 1]);
  await send(fileSystem, "replace", sampleBytes(3 * PART), { isEnd: true });
  assertEquals([store.count("put"), store.count("uploadPart"), store.count("completeUpload")], [1, 3, 1]);
});

Deno.test("ObjectFileSystem.openWrite() sends four parts at once, and takes no more bytes until one has arrived", async () => {
  const { store, fileSystem, buffers } = objectFixture();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  store.fault = async ({ operation }) => {
    if (operation === "uploadPart") await released;
    return undefined;
  };
  const file = await fileSystem.openWrite("/a", "replace", UNABORTED);
  await file.write(sampleBytes(4 * PART), UNABORTED);
  assertStrictEquals(store.count("uploadPart"), 4);
  let isTaken = false;
  const more = file.write(sampleBytes(PART), UNABORTED).then(() => isTaken = true);
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  assertEquals([isTaken, store.count("uploadPart")], [false, 4]);
  assertLessOrEqual(buffers.usedBytes, 5 * PART);
  release();
  await more;
  await file.finish(UNABORTED);
  await file.close();
  assertStrictEquals(store.objects.get("ftp/a")?.size, 5 * PART);
  assertStrictEquals(buffers.usedBytes, 0);
});

Deno.test("ObjectFileSystem.openWrite() stops waiting for a part when the signal aborts", async () => {
  const { store, fileSystem, buffers } = objectFixture();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  store.fault = async ({ operation }) => {
    if (operation === "uploadPart") await released;
    return undefined;
  };
  const aborting = new AbortController();
  const file = await fileSystem.openWrite("/a", "replace", UNABORTED);
  const write = assertRejects(() => file.write(sampleBytes(6 * PART), aborting), Error, "enough");
  while (store.count("uploadPart") < 4) await Promise.resolve();
  aborting.abort(new Error("enough"));
  await write;
  release();
  await file.close();
  assertStrictEquals(buffers.usedBytes, 0);
  assertStrictEquals(await fileSystem.resumable("/a", UNABORTED), 4 * PART);
});

Deno.test("ObjectFileSystem.openWrite() tells of progress while it finishes", async () => {
  const { fileSystem } = objectFixture();
  const file = await fileSystem.openWrite("/a", "replace", UNABORTED);
  await file.write(sampleBytes(3 * PART + 1), UNABORTED);
  let steps = 0;
  await file.finish({ ...UNABORTED, onProgress: () => steps++ });
  await file.close();
  assertGreater(steps, 1);
});

Deno.test("ObjectFileSystem.openWrite() refuses more than its bounds, and says which", async () => {
  const { another, store } = objectFixture();
  const bounded = another({ maxUploadBytes: 3 * PART });
  const error = await assertRejects(
    () => send(bounded, "replace", sampleBytes(3 * PART + 1), { isEnd: true }),
    FileSystemError,
  );
  assertEquals([error.kind, error.message], ["noSpace", "Cannot upload more than 24 bytes"]);
  await send(bounded, "replace", sampleBytes(3 * PART), { isEnd: true });
  assertStrictEquals(store.objects.get("ftp/a")?.size, 3 * PART);
});

Deno.test("ObjectFileSystem.resumable() tells what is kept to the account that has sent it, for a time", async () => {
  let now = 1_000_000;
  const { another, store } = objectFixture({}, { now: () => now, stored: { now: () => new Date(now) } });
  const [alice, bob] = [another(), another({ owner: "bob" })];
  await send(alice, "replace", sampleBytes(2 * PART + 3));
  assertStrictEquals(await alice.resumable("/a", UNABORTED), 2 * PART);
  assertStrictEquals(await bob.resumable("/a", UNABORTED), undefined);
  await writeText(bob, "/a", "of Bob", "append");
  assertStrictEquals(await readText(bob, "/a"), "of Bob");
  assertStrictEquals(await alice.resumable("/a", UNABORTED), 2 * PART);
  now += 86_400_000;
  assertStrictEquals(await alice.resumable("/a", UNABORTED), undefined);
  assertStrictEquals(store.uploads.size, 1);
  assertEquals(await alice.sweepUploads(UNABORTED.signal), { uploads: 1, renames: 0 });
  assertStrictEquals(store.uploads.size, 0);
});

Deno.test("ObjectFileSystem.openWrite() goes on at the end of any kept part, and nowhere else", async () => {
  const bytes = sampleBytes(4 * PART + 2);
  for (const offset of [PART, 2 * PART, 4 * PART]) {
    const { fileSystem, store } = objectFixture();
    await send(fileSystem, "replace", bytes);
    for (const wrong of [1, PART + 1, 5 * PART]) {
      await assertRefused("invalidOffset", () => fileSystem.openWrite("/a", { offset: wrong }, UNABORTED));
    }
    const before = store.bytesReceived;
    await send(fileSystem, { offset }, bytes.slice(offset), { isEnd: true });
    assertStrictEquals(store.text("ftp/a"), text(bytes));
    assertStrictEquals(store.bytesReceived - before, bytes.length - offset);
  }
});

Deno.test("ObjectFileSystem.openWrite() goes on with an upload whose server was killed", async () => {
  const { fileSystem, another, store } = objectFixture();
  const bytes = sampleBytes(3 * PART + 5);
  const lost = await fileSystem.openWrite("/a", "place", UNABORTED);
  await lost.write(bytes, UNABORTED);
  assertStrictEquals(await fileSystem.resumable("/a", UNABORTED), undefined); // it is under way
  const restarted = another({ claims: new WriteClaims() });
  assertStrictEquals(await restarted.resumable("/a", UNABORTED), 3 * PART);
  await send(restarted, "append", bytes.slice(3 * PART), { isEnd: true });
  assertStrictEquals(store.text("ftp/a"), text(bytes));
  await lost.write(sampleBytes(1), UNABORTED);
  await assertRefused("busy", () => lost.finish(UNABORTED)); // the writer of old is too late
  await lost.close();
  assertStrictEquals(store.text("ftp/a"), text(bytes));
});

Deno.test("ObjectFileSystem.openWrite() does not say that a writer has finished whose upload another has completed", async () => {
  const { fileSystem, another, store } = objectFixture();
  const lost = await fileSystem.openWrite("/a", "replace", UNABORTED);
  await lost.write(sampleBytes(2 * PART), UNABORTED);
  await send(another({ claims: new WriteClaims() }), "append", sampleBytes(PART, 5), { isEnd: true });
  await assertRefused("busy", () => lost.finish(UNABORTED));
  await lost.close();
  assertStrictEquals(store.text("ftp/a"), text(sampleBytes(2 * PART)) + text(sampleBytes(PART, 5)));
});

Deno.test("ObjectFileSystem.openWrite() that comes too late leaves alone what another has begun since", async () => {
  const { fileSystem, another } = objectFixture();
  const lost = await fileSystem.openWrite("/a", "replace", UNABORTED);
  await lost.write(sampleBytes(2 * PART), UNABORTED);
  const restarted = another({ claims: new WriteClaims() });
  await send(restarted, "replace", sampleBytes(3 * PART));
  await assertRefused("busy", async () => {
    await lost.write(sampleBytes(PART), UNABORTED);
    await lost.finish(UNABORTED);
  });
  await lost.close();
  assertStrictEquals(await restarted.resumable("/a", UNABORTED), 3 * PART);
});

Deno.test("ObjectFileSystem.openWrite() goes on behind no part that is another than it was", async () => {
  const { fileSystem, store } = objectFixture();
  await send(fileSystem, "replace", sampleBytes(3 * PART));
  const [upload] = store.uploads.values();
  assert(upload !== undefined);
  await store.uploadPart(upload, 2, [sampleBytes(PART, 9)], UNABORTED);
  await assertRefused("invalidOffset", () => fileSystem.openWrite("/a", "append", UNABORTED));
});

Deno.test("ObjectFileSystem.openWrite() does not take parts of an older try for those of a killed one", async () => {
  const { fileSystem, another, store } = objectFixture();
  await send(fileSystem, "replace", sampleBytes(4 * PART));
  const bytes = sampleBytes(4 * PART, 3);
  const lost = await fileSystem.openWrite("/a", { offset: PART }, UNABORTED);
  await lost.write(bytes.slice(PART, 2 * PART), UNABORTED);
  const restarted = another({ claims: new WriteClaims() });
  assertStrictEquals(await restarted.resumable("/a", UNABORTED), PART);
  await lost.close();
  assertStrictEquals(store.uploads.size, 1);
});

Deno.test("ObjectFileSystem.openWrite() puts no two files into one when kept parts have gone", async () => {
  const old = text(sampleBytes(6 * PART, 1));
  for (const mode of ["append", { offset: 2 * PART }] as const) {
    const { fileSystem, store } = objectFixture({ "ftp/a": old });
    await send(fileSystem, "replace", sampleBytes(2 * PART));
    store.uploads.clear(); // as a lifecycle rule does
    await assertRefused("invalidOffset", () => fileSystem.openWrite("/a", mode, UNABORTED));
    assertStrictEquals(await fileSystem.resumable("/a", UNABORTED), undefined);
    assertStrictEquals(store.text("ftp/a"), old);
  }
});

Deno.test("ObjectFileSystem.openWrite() copies what stays of a large file, and reads what is too small for that", async () => {
  const old = sampleBytes(10 * PART, 4);
  const cases: readonly [WriteMode, number, number, number][] = [
    ["append", 3, 1, 0], // mode, bytes, copies, reads
    [{ offset: 3 }, 1, 1, 2],
    [{ offset: 2 * PART }, 1, 2, 1],
    [{ offset: 2 * PART }, PART, 2, 0],
    [{ offset: 9 * PART }, PART - 1, 1, 1],
    [{ offset: 9 * PART }, 2 * PART, 1, 0],
  ];
  for (const [mode, count, copies, reads] of cases) {
    const { fileSystem, store } = objectFixture({ "ftp/a": old });
    const bytes = sampleBytes(count, 11);
    await send(fileSystem, mode, bytes, { isEnd: true });
    const offset = typeof mode === "object" ? mode.offset : old.length;
    const expected = text(old.slice(0, offset)) + text(bytes) + text(old.slice(offset + count));
    assertStrictEquals(store.text("ftp/a"), expected, JSON.stringify([mode, count]));
    assertEquals([store.count("copyPart"), store.count("get")], [copies, reads], JSON.stringify([mode, count]));
  }
});

Deno.test("ObjectFileSystem.openWrite() asks for nothing when nothing is added", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a": "old" });
  for (const mode of ["append", { offset: 1 }] as const) {
    await send(fileSystem, mode, new Uint8Array(), { isEnd: true });
  }
  assertEquals([store.text("ftp/a"), store.count("put") + store.count("beginUpload")], ["old", 0]);
});

Deno.test("ObjectFileSystem.openWrite() goes on in a file that was appended to and cut", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a": sampleBytes(2 * PART, 1) });
  const bytes = sampleBytes(3 * PART + 1, 2);
  await send(fileSystem, "append", bytes.slice(0, 2 * PART + 3));
  assertStrictEquals(await fileSystem.resumable("/a", UNABORTED), 4 * PART);
  assertStrictEquals(store.objects.get("ftp/a")?.size, 2 * PART);
  await send(fileSystem, "append", bytes.slice(2 * PART), { isEnd: true });
  assertStrictEquals(store.text("ftp/a"), text(sampleBytes(2 * PART, 1)) + text(bytes));
});

for (const conditions of [{ put: true, copy: true, complete: true }, { put: false, copy: false, complete: false }]) {
  const where = conditions.put ? "with" : "without";
  Deno.test(`ObjectFileSystem.openWrite() lets nobody win who comes too late, ${where} conditions`, async () => {
    for (const bytes of [PART - 1, 3 * PART]) {
      const cases: readonly [WriteMode, string | undefined, string | undefined, string][] = [
        ["replace", "old", "newer", "busy"], // mode, what is there at first, what is there then, kind of the refusal
        ["replace", undefined, "newer", "busy"],
        ["place", undefined, "newer", "exists"],
        ["append", "old", "newer", "busy"],
        ["append", "old", undefined, "notFound"],
        ["replace", "old", undefined, "done"],
      ];
      for (const [mode, first, then, kind] of cases) {
        const { fileSystem, store } = objectFixture(first === undefined ? {} : { "ftp/a": first }, {
          stored: { conditions },
        });
        const file = await fileSystem.openWrite("/a", mode, UNABORTED);
        await file.write(sampleBytes(bytes), UNABORTED);
        if (then === undefined) store.objects.delete("ftp/a");
        else store.set("ftp/a", then);
        const outcome = await file.finish(UNABORTED).then(() => "done", (error) => error.kind);
        await file.close();
        const where = JSON.stringify([bytes, mode, first, then]);
        // An old object that has gone is missed when it is copied already
        assert(outcome === kind || (mode === "append" && outcome === "busy"), `${where}: ${outcome}`);
        assertStrictEquals(store.text("ftp/a"), kind === "done" ? text(sampleBytes(bytes)) : then, where);
        assertStrictEquals(await fileSystem.resumable("/a", UNABORTED), undefined, where);
      }
    }
  });
}

Deno.test("ObjectFileSystem.openWrite() makes nothing visible, and gives nothing up, once its claim is lost", async () => {
  const losing = new AbortController();
  const claims = { claim: () => ({ lost: losing.signal, [Symbol.dispose]: () => {} }) };
  const { fileSystem, store, buffers } = objectFixture({}, { claims });
  const file = await fileSystem.openWrite("/a", "replace", UNABORTED);
  await file.write(sampleBytes(2 * PART + 1), UNABORTED);
  losing.abort();
  const requests = store.requests.length;
  await assertRefused("unavailable", () => file.write(sampleBytes(1), UNABORTED));
  await assertRefused("unavailable", () => file.finish(UNABORTED));
  await file.close();
  assertStrictEquals(store.requests.length, requests);
  assertEquals([store.objects.size, store.uploads.size, buffers.usedBytes], [0, 1, 0]);
});

Deno.test("ObjectFileSystem.openWrite() that is refused leaves the name to others", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a": "old" });
  store.fault = ({ operation }) => operation === "head" ? "before" : undefined;
  await assertRefused("unavailable", () => fileSystem.openWrite("/a", "replace", UNABORTED));
  store.fault = () => undefined;
  await assertRefused("exists", () => fileSystem.openWrite("/a", "place", UNABORTED));
  await send(fileSystem, "replace", sampleBytes(3), { isEnd: true });
  assertStrictEquals(store.text("ftp/a"), text(sampleBytes(3)));
});

Deno.test("ObjectFileSystem.digest() tells the SHA-256 of what was uploaded, until it is another version", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/b": "b" });
  const digestOf = (path: string) => fileSystem.digest(path, "SHA-256", UNABORTED);
  const known = (bytes: Uint8Array) => ({ hex: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length });
  for (const bytes of [new Uint8Array(), sampleBytes(3), sampleBytes(4 * PART + 1)]) {
    await send(fileSystem, "replace", bytes, { isEnd: true });
    assertEquals(await digestOf("/a"), known(bytes));
  }
  await fileSystem.rename("/a", "/c", UNABORTED);
  assertEquals(await digestOf("/c"), known(sampleBytes(4 * PART + 1)));
  assertEquals([await digestOf("/a"), await digestOf("/b"), await digestOf("/")], [undefined, undefined, undefined]);
  await send(fileSystem, "append", sampleBytes(2), { isEnd: true, path: "/b" });
  assertEquals(await digestOf("/b"), known(new TextEncoder().encode("b" + text(sampleBytes(2)))));
  store.set("ftp/c", "of another program");
  assertStrictEquals(await digestOf("/c"), undefined);
  await send(fileSystem, "replace", sampleBytes(3 * PART));
  await send(fileSystem, "append", sampleBytes(1), { isEnd: true });
  assertStrictEquals(await digestOf("/a"), undefined);
});

Deno.test("ObjectFileSystem: an upload that is cut anywhere and goes on is byte for byte the file", async () => {
  const cuts = fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 6 * PART }), offset: fc.boolean() }), {
    maxLength: 6,
  });
  const property = fc.asyncProperty(
    fc.integer({ min: 0, max: 12 * PART }),
    cuts,
    fc.integer({ min: 1, max: 3 * PART }),
    async (
      length,
      cuts,
      chunk,
    ) => {
      const bytes = sampleBytes(length, chunk);
      const { fileSystem, store, buffers } = objectFixture();
      let sent = 0;
      for (const cut of [...cuts, undefined]) {
        const kept = await fileSystem.resumable("/a", UNABORTED);
        const mode: WriteMode = kept === undefined ? "replace" : cut?.offset ? { offset: kept } : "append";
        const from = kept ?? 0;
        const part = bytes.slice(from, cut === undefined ? undefined : from + cut.bytes);
        await send(fileSystem, mode, part, { isEnd: cut === undefined, chunk });
        sent += part.length;
        if (cut !== undefined) assert((await fileSystem.resumable("/a", UNABORTED) ?? 0) > from + part.length - PART);
      }
      assertStrictEquals(store.text("ftp/a"), text(bytes));
      assertLessOrEqual(sent, length + cuts.length * (PART - 1));
      assertEquals([store.uploads.size, buffers.usedBytes], [0, 0]);
    },
  );
  await assertAsyncProperty(property);
});

Deno.test("ObjectFileSystem: what is written into a file at any place is there, and nothing else has changed", async () => {
  const lengths = [fc.integer({ min: 0, max: 6 * PART }), fc.integer({ min: 0, max: 6 * PART })] as const;
  await assertAsyncProperty(
    fc.asyncProperty(...lengths, fc.integer({ min: 0, max: 6 * PART }), async (length, count, at) => {
      const offset = Math.min(at, length);
      const [old, bytes] = [sampleBytes(length, 1), sampleBytes(count, 2)];
      const { fileSystem, store, buffers } = objectFixture({ "ftp/a": old });
      await send(fileSystem, { offset }, bytes, { isEnd: true });
      const expected = text(old.slice(0, offset)) + text(bytes) + text(old.slice(offset + count));
      assertStrictEquals(store.text("ftp/a"), expected);
      assertEquals([store.uploads.size, buffers.usedBytes], [0, 0]);
    }),
  );
});

Deno.test("ObjectFileSystem has no more methods than an object store has", () => {
  const { fileSystem } = objectFixture();
  const { availableBytes, setMode, lstat, listsSorted }: FileSystem = fileSystem;
  assertEquals([availableBytes, setMode, lstat, listsSorted], [undefined, undefined, undefined, undefined]);
});

Deno.test("ObjectFileSystem refuses parts that there is no memory for", () => {
  const { another } = objectFixture();
  for (const partSize of [0, 513 * PART]) assertThrows(() => another({ partSize }), RangeError, "there is memory for");
});

for (const [operation, bytes] of [["put", PART - 1], ["completeUpload", 3 * PART]] as const) {
  Deno.test(`ObjectFileSystem.openWrite() brings ${operation} to its end when whoever waits for it has gone`, async () => {
    const { store, fileSystem, records, buffers } = objectFixture();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const leaving = new AbortController();
    store.fault = async (request) => {
      if (request.operation !== operation) return undefined;
      leaving.abort(new Error("left"));
      await released;
      return undefined;
    };
    const file = await fileSystem.openWrite("/a", "replace", UNABORTED);
    await file.write(sampleBytes(bytes), UNABORTED);
    await assertRejects(() => file.finish({ sync: false, signal: leaving.signal }), Error, "left");
    const closing = file.close();
    await assertRejects(() => file.write(sampleBytes(1), UNABORTED), TypeError, "closed");
    release();
    await closing;
    assertStrictEquals(store.objects.get("ftp/a")?.size, bytes);
    assertStrictEquals(await fileSystem.resumable("/a", UNABORTED), undefined);
    assertEquals([store.uploads.size, records.list("uploads").length, buffers.usedBytes], [0, 0, 0]);
    await send(fileSystem, "replace", sampleBytes(1), { isEnd: true }); // the claim is free
  });
}
