import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { batchesOf } from "../../../lib/filesystem/entry_batches.ts";
import { type FileInfo, type FileSystem, FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { homeOpener } from "../../../lib/filesystem/local/probed_filesystem.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import type { Mount } from "../../../lib/filesystem/mounts/mount_table.ts";
import { MountedFileSystem } from "../../../lib/filesystem/mounts/mounted_filesystem.ts";
import {
  assertRefused,
  listNames,
  readText,
  testFileSystem,
  testReading,
  testWholeUploads,
  type WritableFileSystem,
  writeText,
} from "../../conformance/filesystem_conformance.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";
import { viewBelow } from "./mounted_view.ts";

const dispose = { [Symbol.asyncDispose]: () => Promise.resolve() };

testFileSystem("MountedFileSystem with all in a mount", (files) =>
  Promise.resolve({
    fileSystem: viewBelow(
      new MountedFileSystem(MemoryFileSystem.of({ "/mnt/deep/hidden": "hidden" }), [
        { path: "/mnt/deep", fileSystem: MemoryFileSystem.of(files) },
      ]),
      "/mnt/deep",
    ),
    ...dispose,
  }));

testWholeUploads("MountedFileSystem with all in a mount of whole uploads", (files) => {
  const whole = MemoryFileSystem.of(files, { uploadsAppearWhole: true });
  const mounted = new MountedFileSystem(whole, [{ path: "/mnt", fileSystem: whole }]);
  return Promise.resolve({ fileSystem: viewBelow(mounted, "/mnt"), ...dispose });
});

testReading("MountedFileSystem with one folder in a mount", (files) => {
  const point = "/dir/sub";
  const isMounted = ([path]: [string, string]) => path.startsWith(`${point}/`);
  const entries = Object.entries(files);
  const inMount = entries.filter(isMounted).map(([path, text]) => [path.slice(point.length), text]);
  const root = MemoryFileSystem.of(Object.fromEntries(entries.filter((entry) => !isMounted(entry))));
  const mounts = [{ path: point, fileSystem: MemoryFileSystem.of(Object.fromEntries(inMount)) }];
  return Promise.resolve({ fileSystem: new MountedFileSystem(root, mounts), ...dispose });
});

/** A root, one mount in a folder of it, one below that, and one in a folder that exists nowhere. */
function scene(): Record<"root" | "shared" | "deep" | "far", MemoryFileSystem> & { fileSystem: WritableFileSystem } {
  const root = MemoryFileSystem.of({
    "/a.txt": "root",
    "/docs/own.txt": "own",
    "/docs/shared/hidden.txt": "hidden",
    "/docs/zzz.txt": "last",
  });
  const shared = MemoryFileSystem.of({ "/s.txt": "shared", "/deep/hidden.txt": "hidden", "/folder/x": "x" });
  const deep = MemoryFileSystem.of({ "/d.txt": "deep" });
  const far = MemoryFileSystem.of({ "/f.txt": "far" });
  const fileSystem = new MountedFileSystem(root, [
    { path: "/docs/shared/deep", fileSystem: deep },
    { path: "/docs/shared", fileSystem: shared },
    { path: "/no/where/far", fileSystem: far },
  ]) as MountedFileSystem & WritableFileSystem;
  return { root, shared, deep, far, fileSystem };
}

Deno.test("MountedFileSystem gives each path to the deepest mount, which hides what is below", async () => {
  const { fileSystem } = scene();
  assertStrictEquals(await readText(fileSystem, "/a.txt"), "root");
  assertStrictEquals(await readText(fileSystem, "/docs/shared/s.txt"), "shared");
  assertStrictEquals(await readText(fileSystem, "/docs/shared/deep/d.txt"), "deep");
  assertStrictEquals(await readText(fileSystem, "/no/where/far/f.txt"), "far");
  for (const path of ["/docs/shared/hidden.txt", "/docs/shared/deep/hidden.txt", "/docs/sharedx", "/no/f.txt"]) {
    await assertRefused("notFound", () => fileSystem.stat(path, UNABORTED));
    await assertRefused("notFound", () => fileSystem.openRead(path, UNABORTED));
  }
});

Deno.test("MountedFileSystem lists mount points, and what leads to them, whether or not it exists", async () => {
  const { fileSystem } = scene();
  assertEquals(await listNames(fileSystem, "/"), ["a.txt", "docs", "no"]);
  assertEquals(await listNames(fileSystem, "/docs"), ["own.txt", "shared", "zzz.txt"]);
  assertEquals(await listNames(fileSystem, "/docs/shared"), ["deep", "folder", "s.txt"]);
  assertEquals(await listNames(fileSystem, "/no"), ["where"]);
  assertEquals(await listNames(fileSystem, "/no/where"), ["far"]);
  for (const path of ["/no", "/no/where", "/no/where/far", "/docs/shared"]) {
    assertStrictEquals((await fileSystem.stat(path, UNABORTED)).type, "directory");
    await assertRefused("isDirectory", () => fileSystem.openRead(path, UNABORTED));
  }
  await assertRefused("notFound", () => listNames(fileSystem, "/no/there"));
});

Deno.test("MountedFileSystem shows a directory where a file is in the way of a mount", async () => {
  const root = MemoryFileSystem.of({ "/in": "a file", "/point": "another" });
  const fileSystem = new MountedFileSystem(root, [
    { path: "/in/side", fileSystem: MemoryFileSystem.of({ "/x": "reached" }) },
    { path: "/point", fileSystem: new MemoryFileSystem() },
  ]);
  assertStrictEquals((await fileSystem.stat("/in", UNABORTED)).type, "directory");
  const entries = await Array.fromAsync(fileSystem.list("/", UNABORTED), ({ name, info }) => `${name} ${info.type}`);
  assertEquals(entries.sort(), ["in directory", "point directory"]);
  assertEquals(await listNames(fileSystem, "/in"), ["side"]);
  assertStrictEquals(await readText(fileSystem, "/in/side/x"), "reached");
});

Deno.test("MountedFileSystem keeps mount points and what leads to them", async () => {
  const { fileSystem, root, shared } = scene();
  for (const path of ["/docs/shared", "/docs", "/no/where/far", "/no", "/docs/shared/deep", "/"]) {
    await assertRefused("permissionDenied", () => fileSystem.remove(path, UNABORTED));
    await assertRefused("permissionDenied", () => fileSystem.removeDirectory(path, UNABORTED));
    await assertRefused("permissionDenied", () => fileSystem.rename(path, "/new", UNABORTED));
    await assertRefused("permissionDenied", () => fileSystem.rename("/a.txt", path, UNABORTED));
    await assertRefused("exists", () => fileSystem.makeDirectory(path, UNABORTED));
    await assertRefused("exists", () => fileSystem.openWrite(path, "createNew", UNABORTED));
    await assertRefused("isDirectory", () => fileSystem.openWrite(path, "truncate", UNABORTED));
  }
  assertStrictEquals(await readText(root, "/docs/shared/hidden.txt"), "hidden");
  assertStrictEquals(await readText(shared, "/deep/hidden.txt"), "hidden");
});

Deno.test("MountedFileSystem.rename() moves within a mount, and not to another", async () => {
  const { fileSystem, shared } = scene();
  await fileSystem.rename("/docs/shared/s.txt", "/docs/shared/folder/t.txt", UNABORTED);
  assertStrictEquals(await readText(shared, "/folder/t.txt"), "shared");
  for (
    const [from, to] of [
      ["/a.txt", "/docs/shared/a.txt"],
      ["/docs/shared/folder", "/folder"],
      ["/docs/shared/folder/x", "/docs/shared/deep/x"],
      ["/none", "/no/where/far/none"],
    ] as const
  ) await assertRefused("permissionDenied", () => fileSystem.rename(from, to, UNABORTED));
});

Deno.test("MountedFileSystem refuses in a mount what that has not, and has what one of them has", async () => {
  const { remove: _remove, ...methods } = viewBelow(
    scene().fileSystem as MountedFileSystem & WritableFileSystem,
    "/docs",
  );
  const fileSystem = new MountedFileSystem(new MemoryFileSystem(), [
    { path: "/ro", fileSystem: MemoryFileSystem.of({ "/x": "x" }), readOnly: true },
    { path: "/kept", fileSystem: methods },
  ]);
  assert(fileSystem.remove && fileSystem.openWrite && fileSystem.rename && fileSystem.setMode);
  assertStrictEquals(fileSystem.digest, undefined);
  const { remove, openWrite, rename, setMode } = fileSystem;
  await assertRefused("unsupported", () => openWrite("/ro/new", "truncate", UNABORTED));
  await assertRefused("unsupported", () => rename("/ro/x", "/ro/y", UNABORTED));
  await assertRefused("unsupported", () => setMode("/ro/x", 0o600, UNABORTED));
  await assertRefused("unsupported", () => remove("/kept/own.txt", UNABORTED));
  const readers = new MountedFileSystem({
    stat: scene().root.stat,
    list: scene().root.list,
    openRead: scene().root.openRead,
  }, []);
  assertEquals(Object.values(readers).filter((value) => value !== undefined), []);
});

Deno.test("MountedFileSystem asks file systems with and without whole uploads as each wants it", async () => {
  const modes: string[] = [];
  const whole = MemoryFileSystem.of({ "/old": "old" }, { uploadsAppearWhole: true });
  const spied = new Proxy(whole, {
    get(target, key) {
      if (key !== "openWrite") {
        const value = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (...args: Parameters<MemoryFileSystem["openWrite"]>) => {
        modes.push(String(args[1]));
        return target.openWrite(...args);
      };
    },
  });
  const fileSystem = new MountedFileSystem(MemoryFileSystem.of({ "/old": "old" }), [
    { path: "/store", fileSystem: spied },
  ]) as MountedFileSystem & WritableFileSystem;
  assertStrictEquals(fileSystem.uploadsAppearWhole, undefined);
  for (const mode of ["truncate", "createNew", "replace", "place", "append"] as const) {
    const file = await fileSystem.openWrite(`/store/${mode}`, mode, UNABORTED);
    await file.write(new TextEncoder().encode("new"), UNABORTED);
    await assertRefused("notFound", () => fileSystem.stat(`/store/${mode}`, UNABORTED));
    await file.finish(UNABORTED);
    await file.close();
    assertStrictEquals(await readText(whole, `/${mode}`), "new");
  }
  assertEquals(modes, ["replace", "place", "replace", "place", "append"]);
  await assertRefused("exists", () => fileSystem.openWrite("/store/old", "createNew", UNABORTED));
  await writeText(fileSystem, "/old", "new");
  assertStrictEquals(await readText(fileSystem, "/old"), "new");
});

Deno.test("MountedFileSystem says that uploads appear whole where all that take any do so", () => {
  const whole = () => new MemoryFileSystem({ uploadsAppearWhole: true });
  const areWhole = (root: FileSystem, mount: Omit<Mount, "path">) =>
    new MountedFileSystem(root, [{ path: "/m", ...mount }]).uploadsAppearWhole ?? false;
  assert(areWhole(whole(), { fileSystem: whole() }));
  assert(areWhole(whole(), { fileSystem: new MemoryFileSystem(), readOnly: true }));
  assert(!areWhole(whole(), { fileSystem: new MemoryFileSystem() }));
  assert(!areWhole(new MemoryFileSystem(), { fileSystem: whole() }));
});

Deno.test("MountedFileSystem tells files of two mounts apart, and links where their mount is", async () => {
  const withLink = (files: FileSystem): FileSystem => ({
    stat: (path, options) => files.stat(path, options),
    openRead: (path, options) => files.openRead(path, options),
    async *list() {
      yield { name: "link", info: await this.lstat?.("/link", UNABORTED) as FileInfo };
    },
    lstat: () => Promise.resolve({ type: "link", size: 0, target: "/there" }),
  });
  const make = () => MemoryFileSystem.of({ "/x": "x" });
  const [root, one, two] = [make(), make(), make()];
  const fileSystem = new MountedFileSystem(root, [
    { path: "/one", fileSystem: one },
    { path: "/again", fileSystem: one },
    { path: "/two", fileSystem: two },
    { path: "/linked/here", fileSystem: withLink(make()) },
  ]);
  const uniqueOf = async (path: string) => (await fileSystem.stat(path, UNABORTED)).unique;
  assertStrictEquals(new Set([await uniqueOf("/x"), await uniqueOf("/one/x"), await uniqueOf("/two/x")]).size, 3);
  assertStrictEquals(await uniqueOf("/one/x"), await uniqueOf("/again/x"));
  const target = "/linked/here/there";
  assertStrictEquals((await fileSystem.lstat?.("/linked/here/link", UNABORTED))?.target, target);
  const [entry] = await Array.fromAsync(fileSystem.list("/linked/here", UNABORTED));
  assertStrictEquals(entry?.info.target, target);
  assertStrictEquals((await fileSystem.lstat?.("/linked/here", UNABORTED))?.type, "directory");
});

Deno.test("MountedFileSystem lists in order and in batches where the file systems do", async () => {
  await using folder = await TemporaryFolder.create();
  const names = Array.from({ length: 1200 }, (_, index) => `n${String(index).padStart(4, "0")}`);
  await Deno.mkdir(`${folder.path}/root`);
  await Deno.mkdir(`${folder.path}/mount`);
  for (const name of names) await Deno.writeTextFile(`${folder.path}/root/${name}`, "");
  const openHome = homeOpener(new WriteClaims());
  const mount = openHome(`${folder.path}/mount`);
  const paths = ["/a", "/n0000", "/n0600x/y", "/zz"];
  const fileSystem = new MountedFileSystem(
    openHome(`${folder.path}/root`),
    paths.map((path) => ({ path, fileSystem: mount })),
  );
  assert(fileSystem.listsSorted);
  const expected = [...new Set([...names, "a", "n0000", "n0600x", "zz"])].sort();
  const batches = await Array.fromAsync(
    batchesOf(fileSystem.list("/", UNABORTED)) as AsyncIterable<{ name: string }[]>,
  );
  assertEquals(batches.flat().map(({ name }) => name), expected);
  assert(batches.length < 50, `${batches.length} batches`);
  assertEquals(await Array.fromAsync(fileSystem.listNames?.("/", UNABORTED) ?? []), expected);
  const types = await Array.fromAsync(fileSystem.listTypes?.("/", UNABORTED) ?? []);
  assertEquals(types.map(({ name }) => name), expected);
  assertEquals(types.filter(({ info }) => info.type === "directory").length, 4);
});

Deno.test("MountedFileSystem lists a mount that does not answer", async () => {
  const gone = MemoryFileSystem.of({});
  gone.stat = () => Promise.reject(new FileSystemError("unavailable", "The store is away"));
  const fileSystem = new MountedFileSystem(MemoryFileSystem.of({ "/x": "" }), [{ path: "/gone", fileSystem: gone }]);
  assertEquals(await listNames(fileSystem, "/"), ["gone", "x"]);
  await assertRefused("unavailable", () => fileSystem.stat("/gone", UNABORTED));
});

Deno.test("MountedFileSystem refuses mounts that are no path, the root, or taken", () => {
  const make = (...paths: string[]) =>
    new MountedFileSystem(new MemoryFileSystem(), paths.map((path) => ({ path, fileSystem: new MemoryFileSystem() })));
  for (const path of ["/", "", "a", "/a/", "/a/../b", "/./a", "//a", "/a\n"]) {
    assertThrows(() => make(path), SyntaxError);
  }
  assertThrows(() => make("/a", "/b", "/a"), TypeError);
  make("/a", "/a/b", "/ab");
});
