import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { Containment } from "../../lib/filesystem/containment.ts";
import { FileSystemError } from "../../lib/filesystem/filesystem_error.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

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

test("Containment.locate() gives paths without links, below the root as configured", async (containment, folder) => {
  await Deno.symlink("dir", `${folder}/real/link`);
  assertStrictEquals(containment.locate("/"), `${folder}/root`);
  assertStrictEquals(containment.locate("/link/a"), `${folder}/root/dir/a`);
});

test("Containment.locate() tells what is wrong inside, and nothing about the outside", async (containment, folder) => {
  await Deno.symlink("../secret", `${folder}/real/file`);
  await Deno.symlink("../none", `${folder}/real/none`);
  assertStrictEquals(kindOf(() => containment.locate("/dir/a/x")), "notDirectory");
  assertStrictEquals(kindOf(() => containment.locate(`/${"x".repeat(300)}`)), "invalidName");
  for (const path of ["/file/x", "/none/x", "/file", "/none", `/file/${"x".repeat(300)}`]) {
    assertStrictEquals(kindOf(() => containment.locate(path)), "notFound", path);
  }
});

test("Containment.locateEntry() tells a link, its target, and a dangling one apart", async (containment, folder) => {
  await Deno.symlink("dir", `${folder}/real/link`);
  await Deno.symlink("none", `${folder}/real/dangling`);
  const link = containment.locateEntry("/link");
  assert(link.info?.isSymlink && link.target?.isDirectory);
  const dangling = containment.locateEntry("/dangling");
  assert(dangling.info?.isSymlink && dangling.target === undefined);
  const missing = containment.locateEntry("/dir/new");
  assertStrictEquals(missing.info, undefined);
  assertStrictEquals(missing.hostPath, `${folder}/root/dir/new`);
  assertStrictEquals(kindOf(() => containment.locateEntry("/")), "permissionDenied");
});

test("Containment.holdsFile() compares what is there with what was opened", async (containment, folder) => {
  const hostPath = containment.locate("/dir/a");
  const file = await Deno.stat(hostPath);
  assert(containment.holdsFile(hostPath, file));
  assert(!containment.holdsFile(hostPath, await Deno.stat(`${folder}/secret`)));
  await Deno.remove(hostPath);
  assert(!containment.holdsFile(hostPath, file));
});

test("Containment.holdsFile() refuses the right file by a path that leads outside now", async (containment, folder) => {
  const hostPath = containment.locate("/dir/a");
  await Deno.rename(`${folder}/real/dir`, `${folder}/away`);
  await Deno.symlink("../away", `${folder}/real/dir`);
  assert(!containment.holds(hostPath));
  assert(!containment.holdsFile(hostPath, await Deno.stat(`${folder}/away/a`)));
});

test("Containment.inspect() follows the root's own link alone", async (containment, folder) => {
  await Deno.symlink("dir", `${folder}/real/link`);
  assert(containment.inspect(`${folder}/root`).isDirectory);
  assert(containment.inspect(`${folder}/root/link`).isSymlink);
});

test(
  "Containment.locate() refuses a path that leaves the root on the way and comes back",
  async (containment, folder) => {
    await Deno.symlink("..", `${folder}/real/around`);
    await Deno.symlink("../real/dir", `${folder}/real/round`);
    for (const path of ["/around/real/dir/a", "/around/root/dir", "/around"]) {
      assertStrictEquals(kindOf(() => containment.locate(path)), "notFound", path);
    }
    assertStrictEquals(containment.locate("/round/a"), `${folder}/root/dir/a`);
  },
);
