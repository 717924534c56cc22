import { assert, assertEquals, assertLessOrEqual, assertMatch, assertStrictEquals } from "@std/assert";
import { DropBoxFileSystem } from "../../../lib/filesystem/drop_box/drop_box_filesystem.ts";
import type { FileSystem, WriteMode } from "../../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import { homeOpener } from "../../../lib/filesystem/local/probed_filesystem.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { assertRefused, listNames, readText } from "../../conformance/filesystem_conformance.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

/** Stores a file and returns the path that it got. */
async function bring(
  box: DropBoxFileSystem,
  path: string,
  text: string,
  mode: WriteMode = "truncate",
): Promise<string> {
  const file = await box.openWrite(path, mode, UNABORTED);
  await file.write(new TextEncoder().encode(text), UNABORTED);
  await file.finish(UNABORTED);
  await file.close();
  assert(file.path !== undefined);
  return file.path;
}

async function kinds(
  names: Record<string, () => FileSystem | Promise<FileSystem>>,
  body: (files: FileSystem) => Promise<void>,
) {
  for (const make of Object.values(names)) await body(await make());
}

Deno.test("DropBoxFileSystem gives another name to a file whose name is taken, in every mode", async () => {
  await using folder = await TemporaryFolder.create();
  await kinds({
    memory: () => new MemoryFileSystem(),
    whole: () => new MemoryFileSystem({ uploadsAppearWhole: true }),
    local: () => homeOpener(new WriteClaims())(folder.path),
  }, async (files) => {
    await files.makeDirectory?.("/folder.pdf", UNABORTED);
    const box = new DropBoxFileSystem(files);
    assertStrictEquals(await bring(box, "/a.pdf", "first"), "/a.pdf");
    for (const mode of ["truncate", "replace", "place", "createNew"] as const) {
      const path = await bring(box, "/a.pdf", mode, mode);
      assertMatch(path, /^\/a\.[0-9a-z]{8}\.pdf$/);
      assertStrictEquals(await readText(files, path), mode);
    }
    assertMatch(await bring(box, "/folder.pdf", "x"), /^\/folder\.[0-9a-z]{8}\.pdf$/);
    assertStrictEquals(await readText(files, "/a.pdf"), "first");
    assertEquals(await listNames(box, "/"), []);
  });
});

Deno.test("DropBoxFileSystem keeps the file that a name belongs to, also while that is written", async () => {
  await using folder = await TemporaryFolder.create();
  await kinds({
    memory: () => new MemoryFileSystem(),
    whole: () => new MemoryFileSystem({ uploadsAppearWhole: true }),
    local: () => homeOpener(new WriteClaims())(folder.path),
  }, async (files) => {
    for (const mode of ["truncate", "replace"] as const) {
      const box = new DropBoxFileSystem(files);
      const name = `/${mode}.pdf`;
      const slow = await box.openWrite(name, mode, UNABORTED);
      await slow.write(new TextEncoder().encode("slow"), UNABORTED);
      const fast = await bring(box, name, "fast", mode);
      await slow.finish(UNABORTED);
      await slow.close();
      assertStrictEquals(await readText(files, name), "slow");
      assert(fast !== name);
      assertStrictEquals(await readText(files, fast), "fast");
    }
  });
});

Deno.test("DropBoxFileSystem gives a name free again when its upload was given up", async () => {
  const box = new DropBoxFileSystem(new MemoryFileSystem({ uploadsAppearWhole: true }));
  const file = await box.openWrite("/a", "truncate", UNABORTED);
  await file.write(new Uint8Array(3), UNABORTED);
  await file.close();
  assertStrictEquals(await bring(box, "/a", "again"), "/a");
});

Deno.test("DropBoxFileSystem tells no more of a name that was taken meanwhile than that it failed", async () => {
  const files = new MemoryFileSystem();
  const box = new DropBoxFileSystem(files);
  const file = await box.openWrite("/a", "place", UNABORTED);
  await file.write(new Uint8Array(3), UNABORTED);
  await bring(new DropBoxFileSystem(files), "/a", "another process");
  await assertRefused("unavailable", () => file.finish(UNABORTED));
  await file.close();
  assertStrictEquals(await readText(files, "/a"), "another process");
});

Deno.test("DropBoxFileSystem answers the same whether or not something has a name", async () => {
  const files = MemoryFileSystem.of({ "/taken": "x", "/dir/taken": "x", "/in/taken": "x" });
  const box = new DropBoxFileSystem(files, { folders: ["/in"] });
  for (const path of ["/taken", "/free", "/dir", "/dir/taken", "/in/taken", "/in/free", "/none/x", "/taken/x"]) {
    await assertRefused("notFound", () => box.stat(path, UNABORTED));
    await assertRefused("notFound", () => listNames(box, path));
    await assertRefused("notFound", () => box.openRead(path, UNABORTED));
    for (const mode of ["append", { offset: 0 }, { offset: 1 }] as const) {
      await assertRefused("notFound", () => box.openWrite(path, mode, UNABORTED));
    }
  }
  for (const path of ["/dir/taken", "/dir/free", "/none/x", "/taken/x"]) {
    await assertRefused("notFound", () => box.openWrite(path, "truncate", UNABORTED));
  }
  for (const name of ["remove", "rename", "makeDirectory", "removeDirectory", "setModified", "setMode", "digest"]) {
    assert(!(name in box), name);
  }
});

Deno.test("DropBoxFileSystem shows the directories of its options and nothing of what is in them", async () => {
  const box = new DropBoxFileSystem(MemoryFileSystem.of({ "/a/in/x": "x", "/out/y": "y" }), {
    folders: ["/a/in", "/b"],
  });
  assertEquals(await listNames(box, "/"), ["a", "b"]);
  assertEquals(await listNames(box, "/a"), ["in"]);
  assertEquals(await listNames(box, "/a/in"), []);
  for (const path of ["/", "/a", "/a/in", "/b"]) {
    assertEquals(await box.stat(path, UNABORTED), { type: "directory", size: 0 });
    await assertRefused("isDirectory", () => box.openRead(path, UNABORTED));
    await assertRefused("isDirectory", () => box.openWrite(path, "truncate", UNABORTED));
  }
  assertStrictEquals(await bring(box, "/a/in/z", "z"), "/a/in/z");
});

Deno.test("DropBoxFileSystem answers a long name that is taken like one that is free", async () => {
  await using folder = await TemporaryFolder.create();
  const box = new DropBoxFileSystem(homeOpener(new WriteClaims())(folder.path));
  for (
    const name of [
      "a".repeat(255),
      `${"b".repeat(251)}.pdf`,
      `${"ü".repeat(125)}.${"x".repeat(4)}`,
      `.${"c".repeat(254)}`,
    ]
  ) {
    await bring(box, `/${name}`, "first");
    const other = (await bring(box, `/${name}`, "second")).slice(1);
    assertLessOrEqual(new TextEncoder().encode(other).length, 255);
    assert(!other.includes("\ufffd"));
  }
  for (const name of ["a".repeat(256), "d".repeat(300)]) {
    await assertRefused("invalidName", () => box.openWrite(`/${name}`, "truncate", UNABORTED));
  }
});

Deno.test({
  name: "DropBoxFileSystem answers names of links and other things like those that are free",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.create();
    await Deno.symlink("/etc/passwd", `${folder.path}/out`);
    await Deno.symlink("nowhere", `${folder.path}/dangling`);
    await Deno.symlink("loop", `${folder.path}/loop`);
    const box = new DropBoxFileSystem(homeOpener(new WriteClaims())(folder.path));
    for (const mode of ["truncate", "replace"] as const) {
      for (const name of ["out", "dangling", "loop"]) {
        assertMatch(await bring(box, `/${name}`, "brought", mode), new RegExp(`^/${name}\\.[0-9a-z]{8}$`));
      }
    }
  },
});

Deno.test("DropBoxFileSystem hands on what has nothing to do with a name", async () => {
  const full = new DropBoxFileSystem(new MemoryFileSystem({ maxBytes: 1 }));
  const file = await full.openWrite("/a", "truncate", UNABORTED);
  await assertRefused("noSpace", () => file.write(new Uint8Array(2), UNABORTED));
  await file.close();
  const { stat, list, openRead } = MemoryFileSystem.prototype;
  const reader = new DropBoxFileSystem({ stat, list, openRead });
  await assertRefused("unsupported", () => reader.openWrite("/a", "truncate", UNABORTED));
});
