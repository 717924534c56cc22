import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { batchesOf, EntryBatches } from "../../../lib/filesystem/entry_batches.ts";
import type { FileInfo, FileSystem, FileSystemErrorKind, WriteMode } from "../../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import { type ClosedNames, PatternFileSystem } from "../../../lib/filesystem/patterns/pattern_filesystem.ts";
import { homeOpener } from "../../../lib/filesystem/local/probed_filesystem.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import {
  assertRefused,
  listNames,
  readText,
  testFileSystem,
  testWholeUploads,
  type WritableFileSystem,
  writeText,
} from "../../conformance/filesystem_conformance.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

function view(files: FileSystem, names: ClosedNames): PatternFileSystem & WritableFileSystem {
  return new PatternFileSystem(files, names) as PatternFileSystem & WritableFileSystem;
}

const OTHERS = { hide: [".*", "*.hidden"], deny: ["*.exe", "denied*"] };

for (const [how, names] of [["without patterns", {}], ["whose patterns match nothing", OTHERS]] as const) {
  testFileSystem(`PatternFileSystem ${how}`, (files) =>
    Promise.resolve({
      fileSystem: view(MemoryFileSystem.of(files), names),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }));
}

testWholeUploads("PatternFileSystem of whole uploads", (files) =>
  Promise.resolve({
    fileSystem: view(MemoryFileSystem.of(files, { uploadsAppearWhole: true }), OTHERS),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

testFileSystem("PatternFileSystem of a folder", async (files) => {
  const folder = await TemporaryFolder.create();
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(folder.path + path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(folder.path + path, text);
  }
  return {
    fileSystem: view(homeOpener(new WriteClaims())(folder.path), OTHERS),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

const FILES = {
  "/.ssh/key": "key",
  "/docs/.git/config": "config",
  "/docs/a.txt": "a",
  "/setup.exe": "old",
  "/x/.only": "",
};
const HIDDEN = ["/.ssh", "/.ssh/key", "/docs/.git", "/docs/.git/config", "/x/.only"];
/** The same where nothing is. */
const ABSENT = ["/.none", "/.none/key", "/docs/.none", "/docs/.none/config", "/none/.x", "/docs/a.txt/.x"];
const MODES: readonly WriteMode[] = ["truncate", "replace", "place", "append", "createNew", { offset: 0 }];

Deno.test("PatternFileSystem hides names from every method, as if nothing were there", async () => {
  const files = MemoryFileSystem.of(FILES);
  const fileSystem = view(files, { hide: [".*"] });
  for (const path of [...HIDDEN, ...ABSENT]) {
    const calls: readonly (readonly [FileSystemErrorKind, () => Promise<unknown>])[] = [
      ["notFound", () => fileSystem.stat(path, UNABORTED)],
      ["notFound", () => Array.fromAsync(fileSystem.list(path, UNABORTED))],
      ["notFound", () => fileSystem.openRead(path, UNABORTED)],
      ["notFound", () => fileSystem.remove(path, UNABORTED)],
      ["notFound", () => fileSystem.removeDirectory(path, UNABORTED)],
      ["notFound", () => fileSystem.rename(path, "/new", UNABORTED)],
      ["notFound", () => fileSystem.setModified(path, new Date(0), UNABORTED)],
      ["notFound", () => fileSystem.setMode?.(path, 0o600, UNABORTED) ?? Promise.resolve()],
      ["permissionDenied", () => fileSystem.rename("/docs/a.txt", path, UNABORTED)],
      ["permissionDenied", () => fileSystem.makeDirectory(path, UNABORTED)],
      ...MODES.map((mode) => ["permissionDenied", () => fileSystem.openWrite(path, mode, UNABORTED)] as const),
    ];
    for (const [kind, call] of calls) await assertRefused(kind, call);
  }
  assertStrictEquals(await readText(files, "/docs/.git/config"), "config");
  assertEquals(await listNames(files, "/"), [".ssh", "docs", "setup.exe", "x"]);
});

Deno.test("PatternFileSystem lists no hidden name, and in batches", async () => {
  await using folder = await TemporaryFolder.create();
  for (let index = 0; index < 600; index++) {
    await Deno.writeTextFile(`${folder.path}/${index % 2 ? "." : ""}f${index}`, "");
  }
  const fileSystem = new PatternFileSystem(homeOpener(new WriteClaims())(folder.path), { hide: [".*"] });
  assert(fileSystem.listsSorted);
  for (const listed of [fileSystem.list("/", UNABORTED), fileSystem.listTypes?.("/", UNABORTED) ?? []]) {
    assert(listed instanceof EntryBatches);
    const batches = await Array.fromAsync(batchesOf(listed) as AsyncIterable<{ name: string }[]>);
    assertStrictEquals(batches.flat().length, 300);
    assert(batches.length < 30);
    assertEquals(batches.flat().filter(({ name }) => name.startsWith(".")), []);
  }
  assertStrictEquals((await Array.fromAsync(fileSystem.listNames?.("/", UNABORTED) ?? [])).length, 300);
});

Deno.test("PatternFileSystem leaves out of attributes what tells of hidden names", async () => {
  const info: FileInfo = { type: "directory", size: 0, links: 7, mode: 0o755 };
  const link: FileInfo = { type: "link", size: 0, links: 1, target: "/docs/.git" };
  const files = Object.assign(MemoryFileSystem.of({}), {
    stat: () => Promise.resolve(info),
    lstat: () => Promise.resolve(link),
  });
  const hiding = new PatternFileSystem(files, { hide: [".*"] });
  assertEquals({ ...await hiding.stat("/d", UNABORTED) }, { ...info, links: undefined });
  assertEquals({ ...await hiding.lstat?.("/l", UNABORTED) }, { ...link, target: undefined });
  const denying = new PatternFileSystem(files, { deny: [".*"] });
  assertEquals(await denying.stat("/d", UNABORTED), info);
  assertEquals(await denying.lstat?.("/l", UNABORTED), link);
});

Deno.test("PatternFileSystem lets denied names be read and removed, and not be made in any way", async () => {
  const fileSystem = view(MemoryFileSystem.of(FILES), { deny: ["*.exe"] });
  for (const name of ["/new.exe", "/NEW.EXE", "/docs/.exe", "/setup.exe", "/Setup.Exe. "]) {
    for (const mode of MODES) await assertRefused("invalidName", () => fileSystem.openWrite(name, mode, UNABORTED));
    await assertRefused("invalidName", () => fileSystem.makeDirectory(name, UNABORTED));
    await assertRefused("invalidName", () => fileSystem.rename("/docs/a.txt", name, UNABORTED));
    await assertRefused("invalidName", () => fileSystem.rename("/docs", name, UNABORTED));
  }
  assertEquals(await listNames(fileSystem, "/"), [".ssh", "docs", "setup.exe", "x"]);
  assertStrictEquals(await readText(fileSystem, "/setup.exe"), "old");
  await fileSystem.setModified("/setup.exe", new Date(0), UNABORTED);
  await fileSystem.rename("/setup.exe", "/setup.txt", UNABORTED);
  assertStrictEquals(await readText(fileSystem, "/setup.txt"), "old");
  await writeText(fileSystem, "/docs/exe", "fine");
});

Deno.test("PatternFileSystem moves a directory with all that is in it", async () => {
  const files = MemoryFileSystem.of(FILES);
  const fileSystem = view(files, { hide: [".*"], deny: ["*.exe"] });
  await fileSystem.rename("/docs", "/papers", UNABORTED);
  assertStrictEquals(await readText(files, "/papers/.git/config"), "config");
  await assertRefused("notFound", () => fileSystem.stat("/papers/.git", UNABORTED));
  await assertRefused("directoryNotEmpty", () => fileSystem.removeDirectory("/x", UNABORTED));
});

Deno.test("PatternFileSystem has what the file system has", () => {
  const { stat, list, openRead } = MemoryFileSystem.prototype;
  const reader = new PatternFileSystem({ stat, list, openRead }, OTHERS);
  assertStrictEquals(reader.openWrite, undefined);
  assertStrictEquals(reader.resumable, undefined);
  assertStrictEquals(reader.listsSorted, undefined);
});
