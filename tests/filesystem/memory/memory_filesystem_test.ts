import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import {
  assertRefused,
  readText,
  testFileSystem,
  testWholeUploads,
  writeText,
} from "../../conformance/filesystem_conformance.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

testFileSystem("MemoryFileSystem", (files) =>
  Promise.resolve({
    fileSystem: MemoryFileSystem.of(files),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

testWholeUploads("MemoryFileSystem with whole uploads", (files) =>
  Promise.resolve({
    fileSystem: MemoryFileSystem.of(files, { uploadsAppearWhole: true }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

Deno.test("MemoryFileSystem.of() takes text and bytes", async () => {
  const fileSystem = MemoryFileSystem.of({ "/é": "é", "/b": new Uint8Array([1, 2, 3]) });
  assertStrictEquals((await fileSystem.stat("/é")).size, 2);
  assertStrictEquals((await fileSystem.stat("/b")).size, 3);
});

Deno.test("MemoryFileSystem holds no more than maxBytes", async () => {
  const fileSystem = MemoryFileSystem.of({ "/a": "12345" }, { maxBytes: 8 });
  await writeText(fileSystem, "/b", "678");
  await assertRefused("noSpace", () => writeText(fileSystem, "/b", "9", "append"));
  await assertRefused("noSpace", () => writeText(fileSystem, "/b", "9", { offset: 1e15 }));
  assertStrictEquals(await readText(fileSystem, "/b"), "678");
});

Deno.test("MemoryFileSystem gets space back from what is removed, replaced and emptied", async () => {
  const fileSystem = MemoryFileSystem.of({ "/a": "1234", "/b": "1234" }, { maxBytes: 8 });
  await fileSystem.remove("/a");
  await writeText(fileSystem, "/c", "1234");
  await fileSystem.rename("/b", "/c");
  await writeText(fileSystem, "/c", "12345678");
  assertStrictEquals(await readText(fileSystem, "/c"), "12345678");
});

Deno.test("MemoryFileSystem counts a removed file until its writer is done", async () => {
  const fileSystem = new MemoryFileSystem({ maxBytes: 8 });
  const file = await fileSystem.openWrite("/a", "truncate");
  await file.write(new Uint8Array(6), UNABORTED);
  await fileSystem.remove("/a");
  await assertRefused("noSpace", () => file.write(new Uint8Array(3), UNABORTED));
  await assertRefused("noSpace", () => writeText(fileSystem, "/b", "123"));
  file.close();
  file.close();
  await writeText(fileSystem, "/b", "12345678");
  await assertRefused("noSpace", () => writeText(fileSystem, "/c", "1"));
});

Deno.test("MemoryFileSystem refuses what memory cannot hold", async () => {
  const fileSystem = MemoryFileSystem.of({ "/a": "" });
  await assertRefused("noSpace", () => writeText(fileSystem, "/a", "x", { offset: 2 ** 52 }));
});

Deno.test("MemoryFileSystem shows zeros where nothing was written", async () => {
  const fileSystem = MemoryFileSystem.of({ "/a": "secret" });
  await writeText(fileSystem, "/a", "");
  await writeText(fileSystem, "/a", "x", { offset: 3 });
  assertStrictEquals(await readText(fileSystem, "/a"), "\0\0\0x");
});

Deno.test("MemoryFileSystem takes times from its clock", async () => {
  let now = new Date(1000);
  const fileSystem = MemoryFileSystem.of({ "/d/a": "1" }, { now: () => now });
  assertEquals((await fileSystem.stat("/d/a")).modified, new Date(1000));
  now = new Date(2000);
  await writeText(fileSystem, "/d/a", "2", "append");
  assertEquals((await fileSystem.stat("/d/a")).modified, new Date(2000));
  assertEquals((await fileSystem.stat("/d")).modified, new Date(1000));
  now = new Date(3000);
  await fileSystem.remove("/d/a");
  assertEquals((await fileSystem.stat("/d")).modified, new Date(3000));
});

Deno.test("MemoryFileSystem grows in amortised time", async () => {
  const fileSystem = new MemoryFileSystem();
  const file = await fileSystem.openWrite("/a", "truncate");
  const chunk = new Uint8Array(64);
  const started = performance.now();
  for (let count = 0; count < 50_000; count++) await file.write(chunk, UNABORTED);
  file.close();
  // Copying all at each write would take 80 GB of copies
  assert(performance.now() - started < 5000);
});

Deno.test("MemoryFileSystem leaves the space of an emptied file to others", async () => {
  const fileSystem = new MemoryFileSystem({ maxBytes: 1000 });
  for (let round = 0; round < 5; round++) {
    const file = await fileSystem.openWrite("/a", "truncate");
    await file.write(new Uint8Array(1000).fill(round), UNABORTED);
    file.close();
  }
  const file = await fileSystem.openWrite("/a", "truncate");
  await file.write(new Uint8Array(10).fill(9), UNABORTED);
  file.close();
  const readable = await fileSystem.openRead("/a");
  const buffer = new Uint8Array(20);
  assertEquals(await readable.read(buffer, UNABORTED), 10);
  assertEquals([...buffer.subarray(0, 11)], [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0]);
});
