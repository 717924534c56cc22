import { assertEquals } from "@std/assert";
import { Containment } from "../../lib/filesystem/containment.ts";
import { listEntries, listEntryNames } from "../../lib/filesystem/local_directory.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
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

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn });
}

for (const [when, aheadMs] of [["has just changed", 0], ["has been the same for long", 10_000]] as const) {
  test(`listEntries() and listEntryNames() give all entries by name where the way ${when}`, async () => {
    for (const names of [[], ["a"], Array.from({ length: 150 }, (_, index) => `file ${index}`).sort()]) {
      await using scene = await Scene.create(names);
      using _later = clockAhead(aheadMs);
      const directory = scene.containment.locateDirectory("/dir");
      const entries = await Array.fromAsync(listEntries(scene.containment, directory));
      assertEquals(entries.map(({ name, info }) => `${name} ${info.size}`), names.map((name) => `${name} 6`));
      assertEquals(await Array.fromAsync(listEntryNames(scene.containment, directory)), names);
    }
  });

  test(`listEntries() and listEntryNames() tell nothing of another directory where the way ${when}`, async () => {
    await using scene = await Scene.create(["a", "b"]);
    using _later = clockAhead(aheadMs);
    const directory = scene.containment.locateDirectory("/dir");
    await nextSecond();
    scene.swap();
    assertEquals(await Array.fromAsync(listEntries(scene.containment, directory)), []);
    assertEquals(await Array.fromAsync(listEntryNames(scene.containment, directory)), []);
  });

  test(`listEntries() gives only what is in the directory, whatever the names were read of, where the way ${when}`, async () => {
    await using scene = await Scene.create(["a", "b"]);
    using _later = clockAhead(aheadMs);
    const directory = scene.containment.locateDirectory("/dir");
    await nextSecond();
    for (const list of [listEntries, listEntryNames]) {
      scene.swap();
      const listing = list(scene.containment, directory);
      const first = listing.next(); // reads the names at once, of the other directory
      scene.swapBack();
      const rest = [(await first).value, ...await Array.fromAsync<unknown>(listing)];
      assertEquals(JSON.stringify(rest).includes("only-outside"), false);
    }
  });
}

test("listEntries() leaves out what is removed meanwhile", async () => {
  await using scene = await Scene.create(["a", "b", "c"]);
  const listing = listEntries(scene.containment, scene.containment.locateDirectory("/dir"));
  const first = listing.next();
  Deno.removeSync(scene.at("root/dir/b"));
  const names = [(await first).value, ...await Array.fromAsync(listing)].map((entry) => entry?.name);
  assertEquals(names, ["a", "c"]);
});
