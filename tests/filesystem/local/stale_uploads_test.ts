import { assertEquals, assertStrictEquals } from "@std/assert";
import { Containment } from "../../../lib/filesystem/local/containment.ts";
import { StaleUploads } from "../../../lib/filesystem/local/stale_uploads.ts";
import { unique } from "../../../lib/filesystem/local/path_snapshot.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { SteppedClock } from "../../helpers/stepped_clock.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { clockAhead } from "./clock.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A folder with files of several ages, and what cleans it. */
class Scene implements AsyncDisposable {
  readonly claims: WriteClaims = new WriteClaims();
  readonly #containment: Containment;
  readonly #staleUploads: StaleUploads;
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.#containment = new Containment(folder.path);
    this.#staleUploads = new StaleUploads(this.#containment, this.claims);
  }

  static async create(): Promise<Scene> {
    return new Scene(await TemporaryFolder.create());
  }

  at(name: string): string {
    return `${this.#folder.path}/${name}`;
  }

  /** Makes a file that was last written to so many days ago. */
  async put(name: string, days: number): Promise<void> {
    await Deno.writeTextFile(this.at(name), "part");
    const time = new Date(Date.now() - days * DAY_MS);
    await Deno.utime(this.at(name), time, time);
  }

  names(): string[] {
    return Array.from(Deno.readDirSync(this.#folder.path), ({ name }) => name).sort();
  }

  clean(): Promise<number> {
    return this.#staleUploads.clean(this.#containment.locateDirectory("/"));
  }

  cleanOnce(): Promise<void> {
    return this.#staleUploads.cleanOnce(this.#containment.locateDirectory("/"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

Deno.test("StaleUploads.clean() removes files with the name of an upload that nobody wrote to for a day", async () => {
  await using scene = await Scene.create();
  await scene.put(".ftpsd-00000001.part", 1.01);
  await scene.put(".ftpsd-00000002.part", 400);
  await scene.put(".ftpsd-00000003.part", 0.99);
  await scene.put(".ftpsd-00000004.part", -2);
  for (const name of ["file", ".ftpsd-1.part", ".ftpsd-00000001.part.txt"]) await scene.put(name, 400);
  assertStrictEquals(await scene.clean(), 2);
  const kept = [".ftpsd-00000001.part.txt", ".ftpsd-00000003.part", ".ftpsd-00000004.part", ".ftpsd-1.part", "file"];
  assertEquals(scene.names(), kept);
  assertStrictEquals(await scene.clean(), 0);
});

Deno.test("StaleUploads.cleanOnce() cleans again after a day, also when the clock was set back by a year", async () => {
  await using scene = await Scene.create();
  using clock = new SteppedClock();
  await scene.cleanOnce();
  clock.set(-365 * DAY_MS);
  await scene.put(".ftpsd-00000001.part", 2);
  await scene.cleanOnce();
  assertEquals(scene.names(), [".ftpsd-00000001.part"]);
  clock.passDays(1.01);
  await scene.cleanOnce();
  assertEquals(scene.names(), []);
});

Deno.test("StaleUploads.clean() keeps what is being written, however long ago the last byte came", async () => {
  await using scene = await Scene.create();
  await scene.put(".ftpsd-00000001.part", 2);
  const info = await Deno.lstat(scene.at(".ftpsd-00000001.part"));
  const claim = scene.claims.claim(unique(info) ?? scene.at(".ftpsd-00000001.part"));
  assertStrictEquals(await scene.clean(), 0);
  claim[Symbol.dispose]();
  assertStrictEquals(await scene.clean(), 1);
});

Deno.test({
  name: "StaleUploads.clean() removes no folder and no link of such a name, nor what a link leads to",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using scene = await Scene.create();
    await Deno.mkdir(scene.at(".ftpsd-00000001.part"));
    await scene.put("old", 400);
    await Deno.symlink("old", scene.at(".ftpsd-00000002.part"));
    await Deno.utime(scene.at(".ftpsd-00000001.part"), 0, 0);
    using _later = clockAhead(2 * DAY_MS);
    assertStrictEquals(await scene.clean(), 0);
    assertEquals(scene.names(), [".ftpsd-00000001.part", ".ftpsd-00000002.part", "old"]);
  },
});

Deno.test("StaleUploads.cleanOnce() reads a folder once a day", async () => {
  await using scene = await Scene.create();
  await scene.cleanOnce();
  await scene.put(".ftpsd-00000001.part", 2);
  await scene.cleanOnce();
  assertEquals(scene.names(), [".ftpsd-00000001.part"]);
  using clock = new SteppedClock();
  clock.passDays(1.01);
  await scene.cleanOnce();
  assertEquals(scene.names(), []);
});

Deno.test("StaleUploads.cleanOnce() lets an upload go on where the folder is gone", async () => {
  await using scene = await Scene.create();
  const missing = { ...new Containment(scene.at("..")).locateDirectory("/"), hostPath: scene.at("missing") };
  await new StaleUploads(new Containment(scene.at("")), scene.claims).cleanOnce(missing);
});
