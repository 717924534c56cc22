import { assert, assertEquals, assertLessOrEqual, assertRejects, assertStrictEquals } from "@std/assert";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { ObjectSweeper, type SweepResult, sweepStore } from "../../../lib/filesystem/object/object_sweep.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { assertRefused, listNames, readText, writeText } from "../../conformance/filesystem_conformance.ts";
import { objectFixture, PART, sampleBytes } from "../../helpers/object_store/object_fixture.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const DAY_MS = 86_400_000;

Deno.test("ObjectFileSystem lets a directory stay that its last entry has left", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a/x": "", "ftp/b/x": "", "ftp/c/sub/": "", "ftp/d/e/x": "" });
  await fileSystem.remove("/a/x", UNABORTED);
  await fileSystem.rename("/b/x", "/x", UNABORTED);
  await fileSystem.removeDirectory("/c/sub", UNABORTED);
  await fileSystem.rename("/d/e", "/e", UNABORTED);
  assertEquals([...store.objects.keys()].sort(), ["ftp/a/", "ftp/b/", "ftp/c/", "ftp/d/", "ftp/e/x", "ftp/x"]);
  await fileSystem.remove("/x", UNABORTED);
  assertEquals(await listNames(fileSystem, "/"), ["a", "b", "c", "d", "e"]);
});

Deno.test("ObjectFileSystem has a root where the bucket is empty", async () => {
  const { another } = objectFixture();
  const fileSystem = another({ path: "/alice" });
  assertEquals(await listNames(fileSystem, "/"), []);
  await writeText(fileSystem, "/a", "of Alice", "replace");
  assertStrictEquals(await readText(another(), "/alice/a"), "of Alice");
});

Deno.test("ObjectFileSystem.rename() keeps time, digest and metadata, and copies what is too large in parts", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a": sampleBytes(4 * PART) }, {
    stored: { maxCopyBytes: 3 * PART },
  });
  const time = new Date(1_000_000_000_123);
  await writeText(fileSystem, "/b", "b", "replace");
  for (const path of ["/a", "/b"]) {
    const digest = await fileSystem.digest(path, "SHA-256", UNABORTED);
    await fileSystem.setModified(path, time, UNABORTED);
    await fileSystem.rename(path, "/c", UNABORTED);
    assertEquals((await fileSystem.stat("/c", UNABORTED)).modified, time);
    assertEquals(await fileSystem.digest("/c", "SHA-256", UNABORTED), digest);
    await assertRefused("notFound", () => fileSystem.stat(path, UNABORTED));
  }
  assertEquals([store.count("beginUpload"), store.uploads.size], [1, 0]);
  const before = (await fileSystem.stat("/c", UNABORTED)).modified;
  await writeText(fileSystem, "/c", "b", "replace"); // the same bytes, another file
  assert((await fileSystem.stat("/c", UNABORTED)).modified?.getTime() !== before?.getTime());
});

Deno.test("ObjectFileSystem.rename() loses no file that is being written", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a": "old", "ftp/d/a": "old" });
  for (const [path, from] of [["/a", "/a"], ["/d/a", "/d"]] as const) {
    const file = await fileSystem.openWrite(path, "replace", UNABORTED);
    await assertRefused("busy", () => fileSystem.rename(from, "/to", UNABORTED));
    await file.write(sampleBytes(3), UNABORTED);
    await file.finish(UNABORTED);
    await file.close();
  }
  await fileSystem.rename("/d", "/to", UNABORTED);
  assertEquals([...store.objects.keys()].sort(), ["ftp/a", "ftp/to/a"]);
});

Deno.test("ObjectFileSystem.rename() does not replace what has come meanwhile", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a": "a", "ftp/b": "b", "ftp/d/a": "da", "ftp/d/b": "db" });
  let isPut = false;
  store.fault = ({ operation }) => {
    if (operation === "copy" && !isPut) {
      isPut = true;
      store.set("ftp/b", "newer");
      store.set("ftp/e/b", "newer");
    }
    return undefined;
  };
  await assertRefused("busy", () => fileSystem.rename("/a", "/b", UNABORTED));
  assertEquals([store.text("ftp/a"), store.text("ftp/b")], ["a", "newer"]);
  isPut = false;
  await fileSystem.removeDirectory("/e", UNABORTED).catch(() => {});
  store.objects.delete("ftp/e/b");
  await assertRefused("busy", () => fileSystem.rename("/d", "/e", UNABORTED));
  assertEquals([store.text("ftp/d/b"), store.text("ftp/e/b"), store.text("ftp/e/a")], ["db", "newer", "da"]);
});

Deno.test("ObjectFileSystem.rename() removes no other version than the one that it has copied", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a": "a", "ftp/b": "b" });
  let isCopied = false;
  store.fault = ({ operation }) => {
    if (operation === "head" && isCopied) store.set("ftp/a", "newer");
    isCopied ||= operation === "copy";
    return undefined;
  };
  await fileSystem.rename("/a", "/c", UNABORTED);
  assertEquals([store.text("ftp/a"), store.text("ftp/c")], ["newer", "a"]);
  store.fault = ({ operation }) => {
    if (operation === "copy") store.set("ftp/b", "newer");
    return undefined;
  };
  await assertRefused("busy", () => fileSystem.rename("/b", "/d", UNABORTED));
  assertEquals([store.text("ftp/b"), store.text("ftp/d")], ["newer", undefined]);
});

Deno.test("ObjectFileSystem.rename() of a directory has a bound, and an error that says so", async () => {
  const objects = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`ftp/d/${index}`, ""]));
  const { another, store } = objectFixture(objects);
  const error = await assertRejects(
    () => another({ maxRenamedObjects: 29 }).rename("/d", "/e", UNABORTED),
    FileSystemError,
    "more than 29 objects",
  );
  assertStrictEquals(error.kind, "invalidName");
  assertStrictEquals(store.count("copy"), 0);
  await another({ maxRenamedObjects: 30 }).rename("/d", "/e", UNABORTED);
  assertStrictEquals((await listNames(another(), "/e")).length, 30);
  assertLessOrEqual(store.requests.length, 2 * 30 + 15);
});

Deno.test("ObjectFileSystem: a rename that is finished later takes nothing that has come since", async () => {
  let now = 1_000_000;
  const { fileSystem, store, records } = objectFixture({ "ftp/d/a": "a" }, {
    now: () => now,
    stored: { now: () => new Date(now) },
  });
  const drop = records.delete.bind(records);
  records.delete = (space, key) => {
    if (space === "renames") throw new Error("out of reach");
    drop(space, key);
  };
  await assertRefused("unavailable", () => fileSystem.rename("/d", "/e", UNABORTED));
  records.delete = drop;
  now += 60_000;
  await fileSystem.makeDirectory("/d", UNABORTED).catch(() => {});
  await writeText(fileSystem, "/d/a", "new", "replace");
  assertEquals(await fileSystem.sweepUploads(UNABORTED.signal), { uploads: 0, renames: 1 });
  assertEquals([store.text("ftp/d/a"), store.text("ftp/e/a")], ["new", "a"]);
});

Deno.test("ObjectFileSystem.sweepUploads() leaves alone what is written, is kept, or is elsewhere", async () => {
  let now = 1_000_000;
  const { another, store } = objectFixture({}, { now: () => now, stored: { now: () => new Date(now) } });
  const alice = another({ path: "/alice" });
  const begin = async (name: string) => {
    const file = await alice.openWrite(name, "replace", UNABORTED);
    await file.write(sampleBytes(2 * PART), UNABORTED);
    return file;
  };
  const running = await begin("/running");
  const cutLate = await begin("/late");
  await (await begin("/old")).close();
  for (const key of ["ftp/alice/foreign", "ftp/bob/foreign", "ftp/alice/other"]) {
    await store.beginUpload(key, UNABORTED);
  }
  now += DAY_MS;
  await cutLate.close();
  assertEquals(await alice.sweepUploads(UNABORTED.signal), { uploads: 3, renames: 0 });
  assertEquals([...store.uploads.values()].map(({ key }) => key), [
    "ftp/alice/running",
    "ftp/alice/late",
    "ftp/bob/foreign",
  ]);
  assertStrictEquals(await alice.resumable("/late", UNABORTED), 2 * PART);
  await running.finish(UNABORTED);
  await running.close();
});

Deno.test("sweepStore() removes old objects that were put to learn what the store can do, which nobody sees", async () => {
  let now = 1_000_000;
  const objects = { "ftp/.ftpsd-probe-1": "", "ftp/.ftpsd-note": "", "ftp/alice/a": "" };
  const { another, store, records, claims } = objectFixture(objects, { stored: { now: () => new Date(now) } });
  assertEquals(await listNames(another(), "/"), [".ftpsd-note", "alice"]);
  now += 2 * 3_600_000;
  store.set("ftp/.ftpsd-probe-2", "");
  const options = { claims, records, now: () => now, ...UNABORTED };
  await sweepStore(store, { ...options, prefix: "ftp/alice/" });
  assertEquals(store.objects.size, 4);
  await sweepStore(store, options);
  assertEquals([...store.objects.keys()].sort(), ["ftp/.ftpsd-note", "ftp/.ftpsd-probe-2", "ftp/alice/a"]);
});

Deno.test("ObjectSweeper sweeps again after a failure, and stops when it is disposed of", async () => {
  const { store, records } = objectFixture();
  await store.beginUpload("ftp/a", UNABORTED);
  const { promise: failed, resolve: fail } = Promise.withResolvers<unknown>();
  const { promise: swept, resolve: sweep } = Promise.withResolvers<SweepResult>();
  let faults = 1;
  store.fault = () => faults-- > 0 ? "before" : undefined;
  await using _sweeper = new ObjectSweeper(store, {
    claims: new WriteClaims(),
    records,
    keepPartsForSeconds: 0,
    intervalSeconds: 0.01,
    onError: fail,
    onSwept: sweep,
  });
  assert(await failed instanceof FileSystemError);
  assertEquals(await swept, { uploads: 1, renames: 0 });
});

Deno.test("ObjectSweeper sweeps on one of several nodes, and on another one when that is gone", async () => {
  const { store, records, claims } = objectFixture();
  const holder: { name?: string } = {};
  const events: string[] = [];
  const { promise: taken, resolve: take } = Promise.withResolvers<void>();
  const { promise: looked, resolve: look } = Promise.withResolvers<void>();
  const sweeperOf = (node: string) =>
    new ObjectSweeper(store, {
      ...{ claims, records, keepPartsForSeconds: 0, intervalSeconds: 0.02, lookSeconds: 0.001 },
      duties: {
        take: (name, forMs) => {
          assertEquals([name, forMs], [`sweep ${store.name}`, 40]);
          if (holder.name !== undefined && holder.name !== node) {
            if (events.push("refused") === 3) look();
            return false;
          }
          holder.name = node;
          events.push(node);
          if (node === "two") take();
          return true;
        },
      },
      onError: (error) => void events.push(String(error)),
    });
  {
    await using _one = sweeperOf("one");
    await using _two = sweeperOf("two");
    await looked;
    holder.name = "two"; // the lease of the first one has ended
    await taken;
  }
  assertEquals(events[0], "one");
});

Deno.test("ObjectSweeper looks again soon where nobody knows whose duty it is", async () => {
  const { store, records, claims } = objectFixture();
  const failures: unknown[] = [];
  const { promise: swept, resolve: sweep } = Promise.withResolvers<SweepResult>();
  await store.beginUpload("ftp/a", UNABORTED);
  await using _sweeper = new ObjectSweeper(store, {
    ...{ claims, records, keepPartsForSeconds: 0, lookSeconds: 0.001, onSwept: sweep },
    duties: { take: () => failures.length > 0 || Promise.reject(new Error("out of reach")) },
    onError: (error) => failures.push(error),
  });
  assertEquals(await swept, { uploads: 1, renames: 0 });
  assertEquals(failures.length, 1);
});

Deno.test("ObjectFileSystem never reads on in another version, nor takes half a body for all of it", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a": sampleBytes(40) }, { stored: { pieceBytes: 8 } });
  const file = await fileSystem.openRead("/a", UNABORTED);
  store.set("ftp/a", "another");
  await assertRefused("unavailable", () => file.read(new Uint8Array(8), UNABORTED));
  await file.close();
  const ending = objectFixture({ "ftp/a": sampleBytes(40) });
  ending.store.get = () => Promise.resolve(new Blob([sampleBytes(39).slice()]).stream());
  await assertRefused("unavailable", () => readText(ending.fileSystem, "/a"));
});

Deno.test("ObjectFileSystem.openRead() gets bytes when they are wanted, from the offset on, and cancels the rest", async () => {
  const { fileSystem, store } = objectFixture({ "ftp/a": sampleBytes(100) }, { stored: { pieceBytes: 10 } });
  const file = await fileSystem.openRead("/a", { ...UNABORTED, offset: 50 });
  assertEquals([file.size, store.count("get")], [100, 0]);
  const buffer = new Uint8Array(4);
  assertStrictEquals(await file.read(buffer, UNABORTED), 4);
  assertEquals(buffer, sampleBytes(100).slice(50, 54));
  assertStrictEquals(store.openBodies, 1);
  await file.close();
  assertStrictEquals(store.openBodies, 0);
  await assertRefused("unavailable", async () => await file.read(buffer, UNABORTED));
});

Deno.test("ObjectFileSystem tells every failure of the store and of the state as unavailable", async () => {
  const { fileSystem, store, records } = objectFixture({ "ftp/a": "a", "ftp/d/x": "" });
  const calls = [
    () => fileSystem.stat("/a", UNABORTED),
    () => listNames(fileSystem, "/d"),
    () => fileSystem.openRead("/a", UNABORTED),
    () => fileSystem.openWrite("/n", "replace", UNABORTED),
    () => fileSystem.remove("/a", UNABORTED),
    () => fileSystem.makeDirectory("/n", UNABORTED),
    () => fileSystem.removeDirectory("/d", UNABORTED),
    () => fileSystem.rename("/a", "/b", UNABORTED),
    () => fileSystem.setModified("/a", new Date(), UNABORTED),
    () => fileSystem.digest("/a", "SHA-256", UNABORTED),
    () => fileSystem.sweepUploads(UNABORTED.signal),
  ];
  store.fault = () => "before";
  for (const call of calls) await assertRefused("unavailable", call);
  store.fault = () => undefined;
  for (const method of ["get", "set", "delete", "list"] as const) {
    records[method] = () => {
      throw new TypeError("The engine is out of reach");
    };
  }
  const withState = [calls[0], calls[1], calls[3], calls[7], calls[8], calls[9], calls[10]];
  for (const call of withState) if (call !== undefined) await assertRefused("unavailable", call);
  assertEquals([store.text("ftp/a"), store.objects.size], ["a", 2]);
});
