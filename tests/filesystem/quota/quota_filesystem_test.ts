import { assert, assertEquals, assertRejects } from "@std/assert";
import { type FileSystem, FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { LocalFileSystem } from "../../../lib/filesystem/local/local_filesystem.ts";
import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import { QuotaLedger, type QuotaScope } from "../../../lib/filesystem/quota/quota_ledger.ts";
import { createTableMemory, SharedTable } from "../../../lib/state/shared_table.ts";
import { TableQuotaCounts } from "../../../lib/state/table_quotas.ts";
import { assertRefused, QuotaScene } from "../../helpers/quota_scene.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

/** Runs a test on files in memory and on those of the host. */
function onBoth(
  name: string,
  limits: { readonly bytes?: number; readonly files?: number },
  run: (scene: QuotaScene) => Promise<void>,
): void {
  Deno.test(`withQuota() ${name}, in memory`, async () => {
    await using scene = new QuotaScene(new MemoryFileSystem(), limits);
    await run(scene);
  });
  Deno.test(`withQuota() ${name}, on the host`, async () => {
    await using folder = await TemporaryFolder.create();
    await using scene = new QuotaScene(new LocalFileSystem(folder.path), limits);
    await run(scene);
  });
}

onBoth("takes files to the last byte and not beyond", { bytes: 100 }, async (scene) => {
  await scene.put("/a", "truncate", [40, 20]);
  await assertRefused(() => scene.put("/b", "createNew", [30, 11]));
  assertEquals(await scene.used(), "90 in 2");
  await scene.put("/b", "append", [10]);
  assertEquals(await scene.used(), "100 in 2");
  await assertRefused(() => scene.put("/c", "truncate", [1]));
  assertEquals(await scene.used(), "100 in 2");
  await scene.put("/c", "truncate", []);
  assertEquals(await scene.used(), "100 in 3");
});

onBoth("takes no more files than may be", { files: 2 }, async (scene) => {
  await scene.put("/a", "truncate", [5]);
  await scene.put("/b", "replace", [5]);
  await assertRefused(() => scene.files.openWrite("/c", "createNew", UNABORTED));
  await assertRefused(() => scene.files.openWrite("/c", "place", UNABORTED));
  await scene.put("/a", "truncate", [7]);
  await scene.put("/b", "replace", [7]);
  assertEquals(await scene.used(), "14 in 2");
  await scene.files.remove("/a", UNABORTED);
  await scene.put("/c", "place", [1]);
  assertEquals(await scene.used(), "8 in 2");
});

onBoth("lets a place for a file go when nothing comes", { files: 1 }, async (scene) => {
  await scene.put("/a", "truncate", [], { isCut: true });
  await scene.put("/b", "replace", [9], { isCut: true });
  assertEquals(await scene.used(), "0 in 0");
  await scene.put("/c", "truncate", [9], { isCut: true });
  assertEquals(await scene.used(), "9 in 1");
});

onBoth("counts what goes beyond an old file, and frees what a shorter one leaves", { bytes: 100 }, async (scene) => {
  await scene.put("/a", "truncate", [90]);
  await scene.put("/a", "truncate", [50, 50]);
  assertEquals(await scene.used(), "100 in 1");
  await scene.put("/a", "truncate", [30]);
  assertEquals(await scene.used(), "30 in 1");
  await scene.put("/a", { offset: 10 }, [10]);
  assertEquals(await scene.used(), "30 in 1");
  await scene.put("/a", { offset: 30 }, [70]);
  assertEquals(await scene.used(), "100 in 1");
  await assertRefused(() => scene.put("/a", { offset: 99 }, [2]));
  await scene.put("/a", "truncate", []);
  assertEquals(await scene.used(), "0 in 1");
});

onBoth("counts the old file until a new one takes its place", { bytes: 100 }, async (scene) => {
  await scene.put("/a", "replace", [60]);
  await assertRefused(() => scene.put("/a", "replace", [41]));
  assertEquals(await scene.used(), "60 in 1");
  await scene.put("/a", "replace", [40]);
  assertEquals(await scene.used(), "40 in 1");
});

onBoth("counts all of a hole that writing beyond the end makes", { bytes: 1000 }, async (scene) => {
  await scene.put("/a", "truncate", [10]);
  await assertRefused(() => scene.put("/a", { offset: 990 }, [11]));
  await scene.put("/a", { offset: 990 }, [10]);
  assertEquals(await scene.used(), "1000 in 1");
});

onBoth("frees what is removed, and what a renamed file takes the name of", { bytes: 100 }, async (scene) => {
  await scene.put("/a", "truncate", [40]);
  await scene.put("/b", "truncate", [60]);
  await scene.files.rename("/b", "/c", UNABORTED);
  assertEquals(await scene.used(), "100 in 2");
  await scene.files.rename("/c", "/a", UNABORTED);
  assertEquals(await scene.used(), "60 in 1");
  await scene.files.rename("/a", "/a", UNABORTED).catch(() => {});
  assertEquals(await scene.used(), "60 in 1");
  await scene.files.remove("/a", UNABORTED);
  assertEquals(await scene.used(), "0 in 0");
  await assertRefused(() => scene.files.remove("/a", UNABORTED), "notFound");
  assertEquals(await scene.used(), "0 in 0");
});

onBoth("lets nobody remove or rename a file that is being written", { bytes: 100 }, async (scene) => {
  await scene.base.makeDirectory?.("/in", UNABORTED);
  await scene.put("/in/old", "truncate", [10]);
  for (const path of ["/in/new", "/in/old"]) {
    const file = await scene.files.openWrite(path, "truncate", UNABORTED);
    await file.write(new Uint8Array(30), UNABORTED);
    await assertRefused(() => scene.files.remove(path, UNABORTED), "busy");
    await assertRefused(() => scene.files.rename(path, "/elsewhere", UNABORTED), "busy");
    await assertRefused(() => scene.files.openWrite(path, "append", UNABORTED), "busy");
    await file.close();
    assertEquals(await scene.used(), path === "/in/new" ? "40 in 2" : "60 in 2");
  }
});

onBoth("counts an upload that is cut after its directory got another name", { bytes: 100 }, async (scene) => {
  await scene.base.makeDirectory?.("/in", UNABORTED);
  const file = await scene.files.openWrite("/in/a", "truncate", UNABORTED);
  await file.write(new Uint8Array(30), UNABORTED);
  await scene.files.rename("/in", "/out", UNABORTED);
  await scene.base.makeDirectory?.("/in", UNABORTED);
  await file.close();
  assertEquals(await scene.used(), "30 in 1");
});

onBoth(
  "frees the room of an upload that is refused in the middle or cut, for others",
  { bytes: 100 },
  async (scene) => {
    const first = await scene.files.openWrite("/a", "replace", UNABORTED);
    await first.write(new Uint8Array(70), UNABORTED);
    await assertRefused(() => scene.put("/b", "replace", [31]));
    await first.close();
    await first.close();
    await scene.put("/b", "replace", [100]);
    assertEquals(await scene.used(), "100 in 1");
  },
);

onBoth("tells what is left", { bytes: 100 }, async (scene) => {
  assertEquals(await scene.files.availableBytes("/", UNABORTED), 0);
  await scene.put("/a", "truncate", [30]);
  assertEquals(await scene.files.availableBytes("/", UNABORTED), 70);
});

onBoth("counts what was there before the first change, which waits for that", { bytes: 100 }, async (scene) => {
  await scene.base.makeDirectory?.("/old", UNABORTED);
  await scene.base.makeDirectory?.("/old/deep", UNABORTED);
  const file = await scene.base.openWrite?.("/old/deep/file", "truncate", UNABORTED);
  await file?.write(new Uint8Array(80), UNABORTED);
  await file?.finish(UNABORTED);
  await file?.close();
  assertEquals((await scene.files.quotas(UNABORTED))[0]?.used, undefined);
  await assertRefused(() => scene.put("/a", "truncate", [21]));
  await scene.put("/a", "truncate", [20]);
  assertEquals(await scene.used(), "100 in 2");
});

Deno.test("withQuota() counts the parts that an interrupted upload keeps, as long as they are kept", async () => {
  const base = new MemoryFileSystem({ uploadsAppearWhole: true });
  await using scene = new QuotaScene(base, { bytes: 100 });
  await scene.put("/a", "replace", [60], { isCut: true });
  assertEquals(await scene.used(), "60 in 0");
  await assertRefused(() => scene.put("/b", "replace", [41]));
  await scene.put("/a", "append", [20], { isCut: true });
  await scene.put("/a", { offset: 80 }, [20]);
  assertEquals(await scene.used(), "100 in 1");
  await scene.put("/a", "replace", [], { isCut: true });
  assertEquals(await scene.used(), "100 in 1");
});

Deno.test("QuotaLedger counts in the background, however soon the first who wants it gives up", async () => {
  const base = MemoryFileSystem.of({ "/a": "12345" });
  const listed = Promise.withResolvers<void>();
  const slow: FileSystem = {
    stat: (path) => base.stat(path),
    openRead: (path) => base.openRead(path),
    async *list(path) {
      await listed.promise;
      yield* base.list(path);
    },
  };
  const counts = new TableQuotaCounts(new SharedTable(createTableMemory(16)));
  await using ledger = new QuotaLedger(counts);
  const scope: QuotaScope = {
    name: "user alice",
    limits: { bytes: 100, files: 0 },
    files: () => [{ fileSystem: slow }],
  };
  const impatient = new AbortController();
  const first = ledger.begin([scope], { bytes: 1, files: 0 }, { signal: impatient.signal });
  const second = ledger.begin([scope], { bytes: 1, files: 0 }, UNABORTED);
  await Promise.resolve();
  impatient.abort(new Error("left"));
  await assertRejects(() => first, Error, "left");
  listed.resolve();
  using _reservation = await second;
  assertEquals((await counts.use("user alice"))?.stored, { bytes: 5, files: 1 });
});

Deno.test("QuotaLedger tells what keeps it from counting, and counts when it can", async () => {
  const counts = new TableQuotaCounts(new SharedTable(createTableMemory(16)));
  await using ledger = new QuotaLedger(counts);
  let isAway = true;
  const fileSystem: FileSystem = {
    ...MemoryFileSystem.of({ "/a": "12345" }),
    stat: () => Promise.reject(new Error("not asked")),
    openRead: () => Promise.reject(new Error("not asked")),
    async *list() {
      if (isAway) throw new FileSystemError("unavailable", "away");
      yield { name: "a", info: { type: "file", size: 5 } } as const;
    },
  };
  const scope: QuotaScope = { name: "user alice", limits: { bytes: 100, files: 0 }, files: () => [{ fileSystem }] };
  const begin = () => ledger.begin([scope], { bytes: 1, files: 0 }, UNABORTED);
  await assertRefused(begin, "unavailable");
  isAway = false;
  using reservation = await begin();
  assert(await reservation.grow(94));
  assert(!await reservation.grow(1));
});
