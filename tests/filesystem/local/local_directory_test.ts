import { assert, assertEquals, assertLess } from "@std/assert";
import { Containment } from "../../../lib/filesystem/local/containment.ts";
import type { LocatedFile } from "../../../lib/filesystem/local/path_snapshot.ts";
import type { DirectoryEntry } from "../../../lib/filesystem/filesystem.ts";
import { EntryBatches } from "../../../lib/filesystem/entry_batches.ts";
import {
  listEntries as listEntryBatches,
  listEntryNames as listNameBatches,
  listEntryTypes as listTypeBatches,
} from "../../../lib/filesystem/local/local_directory.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { clockAhead, nextSecond } from "./clock.ts";

/** A root whose directory can be exchanged for a link to another. */
class Scene implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly containment: Containment;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.containment = new Containment(`${folder.path}/root`);
  }

  static async create(names: readonly string[]): Promise<Scene> {
    const scene = new Scene(await TemporaryFolder.create());
    for (const path of ["root/dir", "outside"]) await Deno.mkdir(scene.at(path), { recursive: true });
    for (const name of names) await Deno.writeTextFile(scene.at(`root/dir/${name}`), "inside");
    for (const name of [...names, "only-outside"]) await Deno.writeTextFile(scene.at(`outside/${name}`), "outside");
    return scene;
  }

  at(path: string): string {
    return `${this.#folder.path}/${path}`;
  }

  swap(): void {
    Deno.renameSync(this.at("root/dir"), this.at("root/away"));
    Deno.symlinkSync("../outside", this.at("root/dir"));
  }

  swapBack(): void {
    Deno.removeSync(this.at("root/dir"));
    Deno.renameSync(this.at("root/away"), this.at("root/dir"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

function listEntries(containment: Containment, path: string): AsyncGenerator<DirectoryEntry> {
  return new EntryBatches(listEntryBatches(containment, path))[Symbol.asyncIterator]();
}

function listEntryNames(containment: Containment, path: string): AsyncGenerator<string> {
  return new EntryBatches(listNameBatches(containment, path))[Symbol.asyncIterator]();
}

function listEntryTypes(containment: Containment, path: string): AsyncGenerator<DirectoryEntry> {
  return new EntryBatches(listTypeBatches(containment, path))[Symbol.asyncIterator]();
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn });
}

for (const [when, aheadMs] of [["has just changed", 0], ["has been the same for long", 10_000]] as const) {
  test(`listEntries() and listEntryNames() yield all entries by name where the snapshot ${when}`, async () => {
    for (const count of [0, 1, 150]) {
      const names = Array.from({ length: count }, (_, index) => `file ${index}`).sort();
      await using scene = await Scene.create(names);
      using _later = clockAhead(aheadMs);
      const entries = await Array.fromAsync(listEntries(scene.containment, "/dir"));
      assertEquals(entries.map(({ name, info }) => `${name} ${info.size}`), names.map((name) => `${name} 6`));
      assertEquals(await Array.fromAsync(listEntryNames(scene.containment, "/dir")), names);
    }
  });

  for (const list of [listEntries, listEntryNames, listEntryTypes]) {
    test(`${list.name}() says nothing of another directory where the snapshot ${when}`, async () => {
      await using scene = await Scene.create(["a", "b"]);
      using _later = clockAhead(aheadMs);
      await nextSecond();
      const listing = list(scene.containment, "/dir");
      const first = listing.next(); // finds the directory at once, and reads it later
      scene.swap();
      assertEquals(await restOf(first, listing), []);
    });

    test(`${list.name}() returns only what is in the directory, whatever was read, where the snapshot ${when}`, async () => {
      await using scene = await Scene.create(["a", "b"]);
      using _later = clockAhead(aheadMs);
      const containment = new RememberingContainment(scene.at("root"));
      containment.remember("/dir");
      await nextSecond();
      scene.swap();
      const listing = list(containment, "/dir");
      const first = listing.next(); // reads the other directory, or this one
      scene.swapBack();
      assert(!JSON.stringify(await restOf(first, listing)).includes("only-outside"));
    });
  }
}

/** What a listing gives; between the two steps of a swap there is no directory at all. */
async function restOf(first: Promise<IteratorResult<unknown>>, listing: AsyncGenerator<unknown>): Promise<unknown[]> {
  try {
    const { value, done } = await first;
    return done ? [] : [value, ...await Array.fromAsync(listing)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Finds a directory once more as it was. */
class RememberingContainment extends Containment {
  #place: LocatedFile | undefined;

  remember(path: string): void {
    this.#place = super.locateDirectory(path);
  }

  override locateDirectory(path: string): LocatedFile {
    const place = this.#place ?? super.locateDirectory(path);
    this.#place = undefined;
    return place;
  }
}

test("listEntries() goes on with a way that has come to rest, and stops where the directory is gone", async () => {
  const names = Array.from({ length: 600 }, (_, index) => `file ${index}`).sort();
  await using scene = await Scene.create(names);
  const listing = listEntries(scene.containment, "/dir");
  assertEquals((await listing.next()).value?.name, names[0]);
  using _later = clockAhead(10_000);
  assertEquals((await Array.fromAsync(listing)).map(({ name }) => name), names.slice(1));
  const other = listEntries(scene.containment, "/dir");
  assertEquals((await other.next()).value?.name, names[0]);
  await nextSecond();
  scene.swap();
  assertLess((await Array.fromAsync(other)).length, 256);
});

test("listEntryTypes() knows what each entry is, and looks links up", async () => {
  await using scene = await Scene.create(["file"]);
  await Deno.mkdir(scene.at("root/dir/sub"));
  for (
    const [name, target] of [["to-file", "file"], ["to-sub", "sub"], ["out", "../../outside"], ["dangling", "none"]]
  ) {
    await Deno.symlink(target ?? "", scene.at(`root/dir/${name}`));
  }
  const fifo = new Deno.Command("mkfifo", { args: [scene.at("root/dir/fifo")] });
  assert((await fifo.output()).success);
  for (const aheadMs of [0, 10_000]) {
    using _later = clockAhead(aheadMs);
    const found = await Array.fromAsync(listEntryTypes(scene.containment, "/dir"));
    assertEquals(found.map(({ name, info }) => `${name} ${info.type}`), [
      "fifo other",
      "file file",
      "sub directory",
      "to-file file",
      "to-sub link",
    ]);
  }
});

test("listEntryTypes() looks up no entry but links where the snapshot is settled", async () => {
  const names = Array.from({ length: 50 }, (_, index) => `file ${index}`).sort();
  await using scene = await Scene.create(names);
  using _later = clockAhead(10_000);
  const original = Deno.lstatSync;
  using restored = new DisposableStack();
  restored.defer(() => void (Deno.lstatSync = original));
  let count = 0;
  Deno.lstatSync = (path) => {
    if (String(path).includes("/file ")) count++;
    return original(path);
  };
  for (const list of [listEntryTypes, listEntryNames]) {
    assertEquals((await Array.fromAsync<unknown>(list(scene.containment, "/dir"))).length, names.length);
    assertEquals(count, 0, list.name);
  }
  await Array.fromAsync(listEntries(scene.containment, "/dir"));
  assertEquals(count, names.length);
});

test("listEntries() leaves out what is removed meanwhile", async () => {
  await using scene = await Scene.create(["a", "b", "c"]);
  const listing = listEntries(scene.containment, "/dir");
  const first = listing.next();
  Deno.removeSync(scene.at("root/dir/b"));
  const names = [(await first).value, ...await Array.fromAsync(listing)].map((entry) => entry?.name);
  assertEquals(names, ["a", "c"]);
});
