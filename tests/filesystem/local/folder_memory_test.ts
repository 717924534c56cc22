import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FolderMemory, type RememberedFolder } from "../../../lib/filesystem/local/folder_memory.ts";
import { LocalFileSystem } from "../../../lib/filesystem/local/local_filesystem.ts";
import { PathSnapshot } from "../../../lib/filesystem/local/path_snapshot.ts";
import { assertRefused, readText, writeText } from "../../conformance/filesystem_conformance.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { clockAhead, nextSecond } from "./clock.ts";

/** So long ago that a change shows. */
const LATER_MS = 10_000;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn });
}

/** A folder with a file in a root, and another of the same form outside. */
class Scene implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly fileSystem: LocalFileSystem;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.fileSystem = new LocalFileSystem(this.at("root"));
  }

  static async create(): Promise<Scene> {
    const scene = new Scene(await TemporaryFolder.create());
    for (const path of ["root/dir", "outside"]) await Deno.mkdir(scene.at(path), { recursive: true });
    await Deno.writeTextFile(scene.at("root/dir/file"), "inside");
    await Deno.writeTextFile(scene.at("outside/file"), "far outside");
    await Deno.writeTextFile(scene.at("outside/other"), "far outside");
    return scene;
  }

  at(path: string): string {
    return `${this.#folder.path}/${path}`;
  }

  /** Looks into the folder, and lets a second go by in which nothing of it changes. */
  async remember(): Promise<void> {
    await nextSecond();
    assertStrictEquals((await this.fileSystem.stat("/dir/file")).size, 6);
  }

  /** Puts a link to the outside into the place of the folder. */
  swap(): void {
    Deno.renameSync(this.at("root/dir"), this.at("root/away"));
    Deno.symlinkSync("../outside", this.at("root/dir"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

test("A remembered folder is no way out once a link has taken its place", async () => {
  await using scene = await Scene.create();
  using _later = clockAhead(LATER_MS);
  const { fileSystem } = scene;
  const uses: Readonly<Record<string, () => Promise<unknown>>> = {
    stat: () => fileSystem.stat("/dir/file"),
    statOther: () => fileSystem.stat("/dir/other"),
    read: () => fileSystem.openRead("/dir/file"),
    append: () => fileSystem.openWrite("/dir/file", "append"),
    truncate: () => fileSystem.openWrite("/dir/other", "truncate"),
    create: () => fileSystem.openWrite("/dir/new", "truncate"),
  };
  for (const [name, use] of Object.entries(uses)) {
    await scene.remember();
    const { mtime } = Deno.statSync(scene.at("outside"));
    scene.swap();
    await assertRefused("notFound", use);
    assertEquals(Deno.statSync(scene.at("outside")).mtime, mtime, `${name}: nothing was made, not even for a moment`);
    assertStrictEquals(await Deno.readTextFile(scene.at("outside/file")), "far outside", name);
    Deno.removeSync(scene.at("root/dir"));
    Deno.renameSync(scene.at("root/away"), scene.at("root/dir"));
  }
});

test("A remembered folder whose place another has taken is looked up anew", async () => {
  await using scene = await Scene.create();
  using _later = clockAhead(LATER_MS);
  await scene.remember();
  Deno.renameSync(scene.at("root/dir"), scene.at("root/old"));
  Deno.renameSync(scene.at("outside"), scene.at("root/dir"));
  assertStrictEquals(await readText(scene.fileSystem, "/dir/other"), "far outside");
  assertStrictEquals((await scene.fileSystem.stat("/dir/file")).size, 11);
  await writeText(scene.fileSystem, "/dir/new", "new");
  assertStrictEquals(await Deno.readTextFile(scene.at("root/dir/new")), "new");
  assert(!(await Array.fromAsync(Deno.readDir(scene.at("root/old")))).some(({ name }) => name === "new"));
});

test("A remembered folder is as good as a look-up for all that is in it", async () => {
  await using scene = await Scene.create();
  using _later = clockAhead(LATER_MS);
  const { fileSystem } = scene;
  await Deno.mkdir(scene.at("root/dir/sub"));
  await Deno.symlink("file", scene.at("root/dir/link"));
  await Deno.symlink("../../outside/new", scene.at("root/dir/dangling"));
  await scene.remember();
  await assertRefused("notFound", () => fileSystem.stat("/dir/none"));
  await assertRefused("notFound", () => fileSystem.openRead("/dir/none"));
  await assertRefused("isDirectory", () => fileSystem.openRead("/dir/sub"));
  await assertRefused("exists", () => fileSystem.openWrite("/dir/file", "createNew"));
  await assertRefused("notFound", () => fileSystem.openWrite("/dir/none", { offset: 1 }));
  await assertRefused("notFound", () => fileSystem.openWrite("/dir/dangling", "truncate"));
  await assertRefused("invalidName", () => fileSystem.openWrite("/dir/.ftpsd-00000000.part", "truncate"));
  assertStrictEquals((await fileSystem.stat("/dir/sub")).type, "directory");
  assertStrictEquals((await fileSystem.stat("/dir/link")).size, 6);
  assertStrictEquals(await readText(fileSystem, "/dir/link"), "inside");
  await writeText(fileSystem, "/dir/file", "changed");
  assertStrictEquals(await readText(fileSystem, "/dir/file"), "changed");
  assert(![...Deno.readDirSync(scene.at("outside"))].some(({ name }) => name === "new"));
});

/** A snapshot of some settled folders; what it says later does not matter here. */
function settled(...hostPaths: readonly string[]): RememberedFolder {
  const folders = hostPaths.map((hostPath) => ({ hostPath, info: Deno.lstatSync(hostPath) }));
  return { hostPath: "/root/dir", snapshot: new PathSnapshot(folders) };
}

test("FolderMemory.recall() returns the last folder, for a moment and while the clock goes on", async () => {
  await using folder = await TemporaryFolder.create();
  const { path } = folder;
  const memory = new FolderMemory();
  using later = new DisposableStack();
  const clock = later.use(clockAhead(LATER_MS));
  const remembered = settled(path);
  memory.remember("/dir", remembered);
  assertStrictEquals(memory.recall("/dir"), remembered);
  assertStrictEquals(memory.recall("/other"), undefined);
  clock[Symbol.dispose]();
  assertStrictEquals(memory.recall("/dir"), undefined, "The clock was set back");
  later.use(clockAhead(LATER_MS));
  assertStrictEquals(memory.recall("/dir"), remembered);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assertStrictEquals(memory.recall("/dir"), undefined, "It is too long ago");
});

test("FolderMemory remembers nothing that could not be proven", async () => {
  await using folder = await TemporaryFolder.create();
  const memory = new FolderMemory();
  memory.remember("/dir", settled(folder.path));
  assertStrictEquals(memory.recall("/dir"), undefined, "It has just changed");
  using _later = clockAhead(LATER_MS);
  memory.remember("/dir", settled());
  assertStrictEquals(memory.recall("/dir"), undefined, "There is nothing to look at");
  memory.remember("/dir", settled(folder.path));
  memory.remember("/dir", { hostPath: "/root/dir", snapshot: new PathSnapshot(undefined) });
  assertStrictEquals(memory.recall("/dir"), undefined, "It is not known any more");
});
