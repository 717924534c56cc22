import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { LocalFileSystem } from "../../../lib/filesystem/local/local_filesystem.ts";
import { assertRefused, readText } from "../../conformance/filesystem_conformance.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const NEW = new TextEncoder().encode("new");

interface Scene {
  readonly fileSystem: LocalFileSystem;
  /** Host path of something in the folder around the root. */
  readonly at: (path: string) => string;
  /** Names in the root or a folder in it. */
  readonly names: (path?: string) => string[];
}

function test(name: string, body: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using folder = await TemporaryFolder.create();
      const at = (path: string) => `${folder.path}/${path}`;
      await Deno.mkdir(at("root/dir"), { recursive: true });
      await Deno.writeTextFile(at("root/old"), "old");
      const names = (path = "") => Array.from(Deno.readDirSync(at(`root/${path}`)), ({ name }) => name).sort();
      await body({ fileSystem: new LocalFileSystem(at("root")), at, names });
    },
  });
}

test("LocalReplacement is beside its future place under a hidden name that nobody can use", async (scene) => {
  const { fileSystem, names } = scene;
  const file = await fileSystem.openWrite("/old", "replace");
  const [part = ""] = names();
  assertMatch(part, /^\.ftpsd-[0-9a-z]{8}\.part$/);
  for (const operation of ["stat", "openRead", "remove"] as const) {
    await assertRefused("invalidName", () => fileSystem[operation](`/${part}`));
  }
  await assertRefused("invalidName", () => fileSystem.rename(`/${part}`, "/mine"));
  await assertRefused("invalidName", () => fileSystem.rename("/old", `/${part}`));
  assertEquals(await Array.fromAsync(fileSystem.listNames("/")), ["dir", "old"]);
  file.close();
  assertEquals(names(), ["dir", "old"]);
});

test("LocalReplacement takes the place of a link's target, not of the link", async ({ fileSystem, at, names }) => {
  await Deno.writeTextFile(at("root/dir/target"), "old");
  await Deno.symlink("dir/target", at("root/link"));
  const file = await fileSystem.openWrite("/link", "replace");
  await file.write(NEW, UNABORTED);
  await file.finish({ ...UNABORTED, sync: true });
  file.close();
  assertStrictEquals(await Deno.readLink(at("root/link")), "dir/target");
  assertStrictEquals(await readText(fileSystem, "/dir/target"), "new");
  await Deno.symlink("none", at("root/dangling"));
  await assertRefused("notFound", () => fileSystem.openWrite("/dangling", "replace"));
  assertEquals([names(), names("dir")], [["dangling", "dir", "link", "old"], ["target"]]);
});

test("LocalReplacement does not finish when its file was taken away, whatever has its name now", async (scene) => {
  const { fileSystem, at, names } = scene;
  for (const content of [undefined, "foreign"]) {
    const file = await fileSystem.openWrite("/old", "replace");
    const part = at(`root/${names()[0]}`);
    await Deno.remove(part);
    if (content !== undefined) await Deno.writeTextFile(part, content);
    await assertRefused("notFound", () => file.finish(UNABORTED));
    file.close();
    assertStrictEquals(await readText(fileSystem, "/old"), "old");
  }
  const [foreign = ""] = names();
  assertStrictEquals(await Deno.readTextFile(at(`root/${foreign}`)), "foreign");
});

test("LocalReplacement leads nowhere when its folder is swapped for a link", async ({ fileSystem, at, names }) => {
  await Deno.mkdir(at("outside"));
  const file = await fileSystem.openWrite("/dir/new", "replace");
  await file.write(NEW, UNABORTED);
  const [part = ""] = names("dir");
  await Deno.rename(at("root/dir"), at("root/away"));
  await Deno.symlink("../outside", at("root/dir"));
  await Deno.writeTextFile(at(`outside/${part}`), "foreign");
  await assertRefused("notFound", () => file.finish(UNABORTED));
  file.close();
  assertStrictEquals(await Deno.readTextFile(at(`outside/${part}`)), "foreign");
  assertEquals(Array.from(Deno.readDirSync(at("outside")), ({ name }) => name), [part]);
});

test("LocalReplacement syncs where the root is a link", async ({ at }) => {
  await Deno.symlink("root", at("link"));
  const fileSystem = new LocalFileSystem(at("link"));
  const file = await fileSystem.openWrite("/new", "replace");
  await file.write(NEW, UNABORTED);
  await file.finish({ ...UNABORTED, sync: true });
  file.close();
  assertStrictEquals(await Deno.readTextFile(at("root/new")), "new");
});

test("LocalFileSystem removes left-overs where a replacement begins, once a day", async (scene) => {
  const { fileSystem, at, names } = scene;
  const leave = async (path: string) => {
    await Deno.writeTextFile(at(`root/${path}`), "part");
    await Deno.utime(at(`root/${path}`), 0, new Date(Date.now() - 2 * DAY_MS));
  };
  for (const path of [".ftpsd-00000001.part", "dir/.ftpsd-00000002.part"]) await leave(path);
  (await fileSystem.openWrite("/new", "replace")).close();
  assertEquals([names(), names("dir")], [["dir", "old"], [".ftpsd-00000002.part"]]);
  (await fileSystem.openWrite("/dir/new", "replace")).close();
  assertEquals(names("dir"), []);
  await leave(".ftpsd-00000003.part");
  (await fileSystem.openWrite("/new", "replace")).close();
  assertEquals(names(), [".ftpsd-00000003.part", "dir", "old"]);
});

test("LocalFileSystem removes a directory in which only left-overs are", async ({ fileSystem, at }) => {
  const part = at("root/dir/.ftpsd-00000001.part");
  await Deno.writeTextFile(part, "part");
  await assertRefused("directoryNotEmpty", () => fileSystem.removeDirectory("/dir"));
  await Deno.utime(part, 0, new Date(Date.now() - 2 * DAY_MS));
  await fileSystem.removeDirectory("/dir");
  await assertRefused("notFound", () => fileSystem.stat("/dir"));
});
