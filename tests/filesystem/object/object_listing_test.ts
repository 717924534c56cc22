import { assertEquals, assertLessOrEqual, assertRejects, assertStrictEquals } from "@std/assert";
import { batchesOf } from "../../../lib/filesystem/entry_batches.ts";
import { assertRefused, listNames } from "../../conformance/filesystem_conformance.ts";
import { objectFixture } from "../../helpers/object_store/object_fixture.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

function manyObjects(count: number, prefix = "ftp/many/"): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}f${index}`, ""]));
}

Deno.test("ObjectFileSystem.list() asks for a page of 1,000 at a time, with one ahead", async () => {
  const { store, fileSystem } = objectFixture(manyObjects(4500));
  let entries = 0;
  for await (const batch of batchesOf(fileSystem.list("/many", UNABORTED))) {
    entries += batch.length;
    assertLessOrEqual(batch.length, 1000);
    assertLessOrEqual(store.count("list"), Math.ceil(entries / 1000) + 1);
  }
  assertStrictEquals(entries, 4500);
  assertEquals([store.count("list"), store.count()], [5, 6]);
});

Deno.test("ObjectFileSystem.list() stops asking when it is left, or its signal aborts", async () => {
  const { store, fileSystem } = objectFixture(manyObjects(4500));
  for await (const _entry of fileSystem.list("/many", UNABORTED)) break;
  assertStrictEquals(store.count("list"), 2);
  const aborting = new AbortController();
  let entries = 0;
  const listed = async () => {
    for await (const _entry of fileSystem.list("/many", aborting)) {
      if (++entries === 1500) aborting.abort(new Error("left"));
    }
  };
  await assertRejects(listed, Error, "left");
});

Deno.test("ObjectFileSystem.list() waits for no page that nobody wants any more", async () => {
  const { store, fileSystem } = objectFixture(manyObjects(1500));
  store.fault = () => store.count("list") === 2 ? new Promise(() => {}) : undefined;
  let entries = 0;
  for await (const _entry of fileSystem.list("/many", UNABORTED)) if (++entries === 10) break;
  assertStrictEquals(store.count("list"), 2);
});

Deno.test("ObjectFileSystem leaves out keys that are no names", async () => {
  const odd = [
    "ftp//x",
    "ftp/./x",
    "ftp/../x",
    "ftp/a\nb",
    "ftp/c\rd/e",
    "ftp/\0",
    "ftp/ok//below",
    "ftp/ok/..",
    "ftp/ok/y",
  ];
  const { fileSystem } = objectFixture(Object.fromEntries(odd.map((key) => [key, "odd"])));
  assertEquals(await listNames(fileSystem, "/"), ["ok"]);
  assertEquals(await listNames(fileSystem, "/ok"), ["y"]);
  await assertRefused("directoryNotEmpty", () => fileSystem.removeDirectory("/ok", UNABORTED));
});

Deno.test("ObjectFileSystem lets a file win over a directory of its name, also pages apart", async () => {
  const between = Object.fromEntries(Array.from({ length: 2500 }, (_, index) => [`ftp/a-${index}`, ""]));
  const { fileSystem } = objectFixture({
    "ftp/a": "file",
    "ftp/a/below": "",
    ...between,
    "ftp/b/": "",
    "ftp/a-1/x": "",
  });
  const names = await listNames(fileSystem, "/");
  assertStrictEquals(names.length, 2502);
  assertStrictEquals(new Set(names).size, names.length);
  assertStrictEquals((await fileSystem.stat("/a", UNABORTED)).type, "file");
  await assertRefused("notDirectory", () => listNames(fileSystem, "/a"));
  assertStrictEquals((await fileSystem.stat("/a/below", UNABORTED)).type, "file");
});

Deno.test("ObjectFileSystem.list() tells the times that .stat() tells, for 2,500 files in few questions", async () => {
  const { records, fileSystem } = objectFixture({
    ...manyObjects(2500),
    "ftp/many/d/x": "",
    "ftp/many/𝒳": "",
    "ftp/many/\uffee": "",
  });
  const time = new Date("2001-02-03T04:05:06.789Z");
  for (const name of ["f0", "f17", "f2499", "d", "𝒳", "\uffee"]) {
    await fileSystem.setModified(`/many/${name}`, time, UNABORTED);
  }
  let questions = 0;
  const list = records.list.bind(records);
  records.list = (...args) => {
    questions++;
    return list(...args);
  };
  const entries = await Array.fromAsync(fileSystem.list("/many", UNABORTED));
  assertLessOrEqual(questions, 4);
  const timed = entries.filter(({ info }) => info.modified?.getTime() === time.getTime()).map(({ name }) => name);
  assertEquals(timed.sort(), ["d", "f0", "f17", "f2499", "𝒳", "\uffee"].sort());
  for (const { name, info } of entries.filter(({ name }) => timed.includes(name) || name === "f5")) {
    assertEquals(info, await fileSystem.stat(`/many/${name}`, UNABORTED));
  }
});

Deno.test("ObjectFileSystem.list() and .stat() cut the fractions of a second of the store", async () => {
  const { fileSystem } = objectFixture({ "ftp/a": "" }, { stored: { now: () => new Date(1_000_000_000_789) } });
  assertEquals((await fileSystem.stat("/a", UNABORTED)).modified, new Date(1_000_000_000_000));
});

Deno.test("ObjectFileSystem gives 1970 as the time of directories, as lftp sees none in MLSD where nothing has a time", async () => {
  const { fileSystem } = objectFixture({ "ftp/a/b/c": "" });
  const [entry] = await Array.fromAsync(fileSystem.list("/a", UNABORTED));
  assertEquals([entry?.name, entry?.info.modified], ["b", new Date(0)]);
  for (const path of ["/", "/a"]) assertEquals((await fileSystem.stat(path, UNABORTED)).modified, new Date(0));
});

Deno.test("ObjectFileSystem refuses names that cannot be keys", async () => {
  const { fileSystem } = objectFixture();
  const longest = "é".repeat((1023 - "ftp/".length) / 2 | 0);
  await assertRefused("invalidName", () => fileSystem.stat(`/${longest}é`, UNABORTED));
  await assertRefused("invalidName", () => fileSystem.openWrite(`/\ud800`, "replace", UNABORTED));
  await fileSystem.makeDirectory(`/${longest}`, UNABORTED);
  assertStrictEquals((await fileSystem.stat(`/${longest}`, UNABORTED)).type, "directory");
});

Deno.test("ObjectFileSystem asks for little: one HEAD beside one LIST of one key", async () => {
  const { store, fileSystem } = objectFixture({ "ftp/d/a": "" });
  const counted = async (call: () => Promise<unknown>) => {
    const before = store.requests.length;
    await call();
    return store.requests.slice(before).map(({ operation }) => operation).sort();
  };
  assertEquals(await counted(() => fileSystem.stat("/d/a", UNABORTED)), ["head", "list"]);
  assertEquals(await counted(() => fileSystem.openRead("/d/a", UNABORTED)), ["head"]);
  assertEquals(await counted(() => fileSystem.digest("/d/a", "SHA-256", UNABORTED)), ["head"]);
  assertEquals(await counted(() => fileSystem.digest("/d/a", "MD5", UNABORTED)), []);
  const upload = async () => {
    const file = await fileSystem.openWrite("/d/b", "replace", UNABORTED);
    await file.write(new Uint8Array(3), UNABORTED);
    await file.finish(UNABORTED);
    await file.close();
  };
  assertEquals(await counted(upload), ["head", "list", "list", "put"]);
});
