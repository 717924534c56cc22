import { assertEquals, assertRejects } from "@std/assert";
import { abortable, delay } from "../../../lib/deadline.ts";
import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import { MountedFileSystem } from "../../../lib/filesystem/mounts/mounted_filesystem.ts";
import { objectFixture, PART } from "../../helpers/object_store/object_fixture.ts";
import { assertRefused, QuotaScene } from "../../helpers/quota_scene.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

Deno.test("withQuota() counts all of an object when an upload into it goes on after a cut", async () => {
  const { fileSystem } = objectFixture({ "ftp/a": "-".repeat(10 * PART) });
  await using scene = new QuotaScene(fileSystem, { bytes: 100 * PART });
  await scene.put("/a", { offset: 2 * PART }, [2 * PART], { isCut: true });
  assertEquals(await scene.used(), `${14 * PART} in 1`);
  await scene.put("/a", { offset: 4 * PART }, [1]);
  assertEquals(await scene.used(), `${10 * PART} in 1`);
});

for (const [what, bytes] of [["in one piece", PART - 1], ["in parts", 3 * PART]] as const) {
  Deno.test(`withQuota() counts an object ${what} that has appeared though the client left meanwhile`, async () => {
    const { fileSystem, store } = objectFixture();
    await using scene = new QuotaScene(fileSystem, { bytes: 100 * PART });
    await scene.put("/before", "replace", [1]);
    const leaving = new AbortController();
    for (const name of ["put", "completeUpload"] as const) {
      // deno-lint-ignore no-explicit-any -- of either
      const send = (store[name] as any).bind(store);
      // deno-lint-ignore no-explicit-any -- as above
      (store as any)[name] = async (...all: any[]) => {
        const etag = await send(...all);
        leaving.abort(new Error("left"));
        await abortable(delay(5, UNABORTED.signal), all.at(-1).signal);
        return etag;
      };
    }
    const file = await scene.files.openWrite("/a", "replace", UNABORTED);
    await file.write(new Uint8Array(bytes), UNABORTED);
    await assertRejects(() => file.finish({ sync: false, signal: leaving.signal }), Error, "left");
    await file.close();
    assertEquals(await scene.used(), `${bytes + 1} in 2`);
    assertEquals(await fileSystem.resumable("/a", UNABORTED), undefined);
  });
}

Deno.test("withQuota() lets no more files appear than may be when those that they replace are removed meanwhile", async () => {
  const { fileSystem } = objectFixture();
  await using scene = new QuotaScene(fileSystem, { files: 1 });
  await scene.put("/a", "replace", [1]);
  const file = await scene.files.openWrite("/a", "replace", UNABORTED);
  await file.write(new Uint8Array(1), UNABORTED);
  await scene.files.remove("/a", UNABORTED);
  await scene.put("/b", "replace", [1]);
  await assertRefused(() => file.finish({ sync: false, ...UNABORTED }));
  await file.close();
  assertEquals(await scene.used(), "1 in 1");
});

Deno.test("withQuota() counts the parts of an upload that replaces an object on a mount", async () => {
  const { fileSystem } = objectFixture({ "ftp/a": "-".repeat(10 * PART) });
  const mounted = new MountedFileSystem(new MemoryFileSystem(), [{ path: "/m", fileSystem }]);
  await using scene = new QuotaScene(mounted, { bytes: 15 * PART }, (path) => ({ fileSystem, path: path.slice(2) }));
  await assertRefused(() => scene.put("/m/a", "truncate", Array(10).fill(PART)));
  await scene.used();
});

Deno.test("withQuota() counts an object once that two accounts remove at the same time", async () => {
  const { fileSystem } = objectFixture();
  await using scene = new QuotaScene(
    fileSystem,
    { bytes: 100 },
    (path) => ({ fileSystem, path, name: `store${path}` }),
  );
  await scene.put("/a", "replace", [10]);
  await scene.put("/b", "replace", [10]);
  const bob = scene.as("bob");
  await Promise.allSettled([scene.files.remove("/a", UNABORTED), bob.remove("/a", UNABORTED)]);
  assertEquals(await scene.used(), "10 in 1");
});
