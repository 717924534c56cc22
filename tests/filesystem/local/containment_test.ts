import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { Containment } from "../../../lib/filesystem/local/containment.ts";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { clockAhead, nextSecond } from "./clock.ts";

function test(name: string, body: (containment: Containment, folder: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using folder = await TemporaryFolder.create();
      await Deno.mkdir(`${folder.path}/real/dir`, { recursive: true });
      await Deno.writeTextFile(`${folder.path}/real/dir/a`, "inside");
      await Deno.writeTextFile(`${folder.path}/secret`, "outside");
      await Deno.symlink("real", `${folder.path}/root`);
      await body(new Containment(`${folder.path}/root`), folder.path);
    },
  });
}

function kindOf(operation: () => unknown): string {
  return assertThrows(operation, FileSystemError).kind;
}

test("Containment.locate() returns paths without links, below the root as configured", async (containment, folder) => {
  await Deno.symlink("dir", `${folder}/real/link`);
  assertStrictEquals(containment.locate("/").hostPath, `${folder}/root`);
  assertStrictEquals(containment.locate("/link/a").hostPath, `${folder}/root/dir/a`);
});

test("Containment.locate() says what is wrong inside, and nothing about the outside", async (containment, folder) => {
  await Deno.symlink("../secret", `${folder}/real/file`);
  await Deno.symlink("../none", `${folder}/real/none`);
  assertStrictEquals(kindOf(() => containment.locate("/dir/a/x")), "notDirectory");
  assertStrictEquals(kindOf(() => containment.locate(`/${"x".repeat(300)}`)), "invalidName");
  for (const path of ["/file/x", "/none/x", "/file", "/none", `/file/${"x".repeat(300)}`]) {
    assertStrictEquals(kindOf(() => containment.locate(path)), "notFound", path);
  }
});

test("Containment.locateEntry() distinguishes a link, its target, and a dangling one", async (containment, folder) => {
  await Deno.symlink("dir", `${folder}/real/link`);
  await Deno.symlink("none", `${folder}/real/dangling`);
  const link = containment.locateEntry("/link");
  assert(link.info?.isSymlink && link.target?.info.isDirectory);
  const dangling = containment.locateEntry("/dangling");
  assert(dangling.info?.isSymlink && dangling.target === undefined);
  const missing = containment.locateEntry("/dir/new");
  assertStrictEquals(missing.info, undefined);
  assertStrictEquals(missing.hostPath, `${folder}/root/dir/new`);
  assertStrictEquals(kindOf(() => containment.locateEntry("/")), "permissionDenied");
});

test("Containment.isInside() compares what is there with what was opened", async (containment, folder) => {
  const { hostPath } = containment.locate("/dir/a");
  const file = await Deno.stat(hostPath);
  assert(containment.isInside(hostPath, file));
  assert(!containment.isInside(hostPath, await Deno.stat(`${folder}/secret`)));
  await Deno.remove(hostPath);
  assert(!containment.isInside(hostPath, file));
});

test("Containment.isInside() refuses the right file by a path that leads outside now", async (containment, folder) => {
  const { hostPath } = containment.locate("/dir/a");
  await Deno.rename(`${folder}/real/dir`, `${folder}/away`);
  await Deno.symlink("../away", `${folder}/real/dir`);
  assert(!containment.isInside(hostPath));
  assert(!containment.isInside(hostPath, await Deno.stat(`${folder}/away/a`)));
});

test(
  "Containment.locate() refuses a path that leaves the root on the way and comes back",
  async (containment, folder) => {
    await Deno.symlink("..", `${folder}/real/around`);
    await Deno.symlink("../real/dir", `${folder}/real/round`);
    for (const path of ["/around/real/dir/a", "/around/root/dir", "/around"]) {
      assertStrictEquals(kindOf(() => containment.locate(path)), "notFound", path);
    }
    assertStrictEquals(containment.locate("/round/a").hostPath, `${folder}/root/dir/a`);
  },
);

/** Counts how often it had to look many times. */
class CountingContainment extends Containment {
  looks = 0;

  override isInside(...args: Parameters<Containment["isInside"]>): boolean {
    this.looks++;
    return super.isInside(...args);
  }
}

async function swap(folder: string): Promise<void> {
  await Deno.rename(`${folder}/real/dir`, `${folder}/away`);
  await Deno.symlink("../away", `${folder}/real/dir`);
}

test("Containment.contains() looks once where the path has been the same for long", async (_, folder) => {
  const containment = new CountingContainment(`${folder}/root`);
  using _later = clockAhead(10_000);
  const place = containment.locate("/dir/a");
  assert(containment.contains(place, await Deno.stat(place.hostPath)));
  assert(containment.contains(place));
  assertStrictEquals(containment.looks, 0);
  // What happens in the folder itself does not matter
  await Deno.writeTextFile(`${folder}/real/dir/new`, "");
  assert(containment.contains(place));
  assertStrictEquals(containment.looks, 0);
  assert(!containment.contains(place, await Deno.stat(`${folder}/secret`)));
  assertStrictEquals(containment.looks, 1);
});

test("Containment.contains() looks many times where the path has changed lately", async (_, folder) => {
  const containment = new CountingContainment(`${folder}/root`);
  const place = containment.locate("/dir/a");
  assert(containment.contains(place, await Deno.stat(place.hostPath)));
  assert(containment.contains(place));
  assertStrictEquals(containment.looks, 2);
});

test("Containment.contains() notices a path that changes after a long time", async (_, folder) => {
  const containment = new CountingContainment(`${folder}/root`);
  using _later = clockAhead(10_000);
  const place = containment.locate("/dir/a");
  const file = await Deno.stat(place.hostPath);
  const name = containment.locateEntry("/dir/new");
  await nextSecond();
  await Deno.writeTextFile(`${folder}/real/other`, "");
  assert(containment.contains(place, file), "It is the same file all the same");
  assertStrictEquals(containment.looks, 1);
  containment.assertStable(name);
  await swap(folder);
  assert(!containment.contains(place, file));
  assert(!containment.contains(place));
  assert(!containment.containsCreated(name, file));
  assertStrictEquals(kindOf(() => containment.assertStable(name)), "notFound");
});

test("Containment keeps to a root that is made anew, and leaves one that is a link elsewhere", async (_, folder) => {
  const containment = new Containment(`${folder}/root`);
  containment.locate("/dir/a");
  await Deno.rename(`${folder}/real`, `${folder}/old`);
  await Deno.mkdir(`${folder}/real`);
  await Deno.writeTextFile(`${folder}/real/b`, "");
  containment.locate("/b");
  await Deno.remove(`${folder}/root`);
  await Deno.symlink("old", `${folder}/root`);
  assertStrictEquals(kindOf(() => containment.locate("/dir/a")), "notFound");
  assertStrictEquals(kindOf(() => containment.locate("/b")), "notFound");
});

test("Containment lets nobody use the name of an upload that runs", async (containment, folder) => {
  const name = ".ftpsd-0a1b2c3d.part";
  await Deno.writeTextFile(`${folder}/real/${name}`, "part");
  for (const path of [`/${name}`, `/${name.toUpperCase()}`, `/dir/${name}`, `/${name}/x`]) {
    assertStrictEquals(kindOf(() => containment.locate(path)), "invalidName", path);
    assertStrictEquals(kindOf(() => containment.locateEntry(path)), "invalidName", path);
    assertStrictEquals(kindOf(() => containment.locateDirectory(path)), "invalidName", path);
  }
  assert(!containment.isListed(name) && containment.isListed(`${name}x`));
});
