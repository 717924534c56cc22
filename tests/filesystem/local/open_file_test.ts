import { assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { closeSync, fchmodSync } from "node:fs";
import { Containment } from "../../../lib/filesystem/local/containment.ts";
import type { HostLocation } from "../../../lib/filesystem/local/path_snapshot.ts";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import {
  APPEND,
  changeAttributes,
  createDirectory,
  createRegular,
  openRegular,
  READ,
  WRITE,
} from "../../../lib/filesystem/local/open_file.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";

/** A root with a directory that can be swapped for a link to the outside, as an attacker on the host would. */
class Race implements AsyncDisposable {
  readonly containment: Containment;
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.containment = new Containment(`${folder.path}/root`);
  }

  static async create(): Promise<Race> {
    const race = new Race(await TemporaryFolder.create());
    await Deno.mkdir(race.at("root/dir"), { recursive: true });
    await Deno.mkdir(race.at("outside"));
    await Deno.writeTextFile(race.at("root/dir/a"), "inside");
    await Deno.writeTextFile(race.at("outside/a"), "secret");
    return race;
  }

  at(path: string): string {
    return `${this.#folder.path}/${path}`;
  }

  swap(): void {
    Deno.renameSync(this.at("root/dir"), this.at("root/away"));
    Deno.symlinkSync("../outside", this.at("root/dir"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

function test(name: string, body: (race: Race) => Promise<void>): void {
  Deno.test({
    name,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using race = await Race.create();
      await body(race);
    },
  });
}

function assertKind(kind: string, operation: () => unknown): void {
  assertStrictEquals(assertThrows(operation, FileSystemError).kind, kind);
}

test("openRegular() opens what is inside", async (race) => {
  const place = race.containment.locate("/dir/a");
  const { fd, stats } = openRegular(race.containment, place, READ);
  closeSync(fd);
  assertStrictEquals(stats.ino, (await Deno.stat(place.hostPath)).ino);
});

test("openRegular() returns nothing outside when a directory was swapped for a link after look-up", async (race) => {
  const place = race.containment.locate("/dir/a");
  race.swap();
  for (const flags of [READ, WRITE, APPEND]) {
    assertKind("notFound", () => openRegular(race.containment, place, flags));
  }
  assertStrictEquals(await Deno.readTextFile(race.at("outside/a")), "secret");
});

test("openRegular() returns nothing outside when a file was swapped for a link after look-up", async (race) => {
  const place = race.containment.locate("/dir/a");
  await Deno.remove(place.hostPath);
  await Deno.symlink("../../outside/a", place.hostPath);
  assertThrows(() => openRegular(race.containment, place, WRITE));
  assertStrictEquals(await Deno.readTextFile(race.at("outside/a")), "secret");
});

test("openRegular() does not wait for the other end of a FIFO", async (race) => {
  const place = race.containment.locate("/dir/a");
  await Deno.remove(place.hostPath);
  await new Deno.Command("mkfifo", { args: [place.hostPath] }).output();
  assertKind("notRegularFile", () => openRegular(race.containment, place, READ));
  assertThrows(() => openRegular(race.containment, place, WRITE), Error, "ENXIO");
});

/** Somebody who swaps at the worst moment: when it has just been looked whether the path is stable. */
class SurprisedContainment extends Containment {
  readonly #swap: () => void;

  constructor(race: Race) {
    super(race.at("root"));
    this.#swap = () => race.swap();
  }

  override assertStable(name: HostLocation): void {
    super.assertStable(name);
    this.#swap();
  }
}

function namesOutside(race: Race): string[] {
  return Array.from(Deno.readDirSync(race.at("outside")), ({ name }) => name);
}

test("createRegular() creates nothing where a directory was swapped for a link after look-up", async (race) => {
  const name = race.containment.locateEntry("/dir/new");
  race.swap();
  assertKind("notFound", () => createRegular(race.containment, name, 0o600));
  assertEquals(namesOutside(race), ["a"]);
  await Promise.resolve();
});

test("createRegular() undoes what it created outside", async (race) => {
  const containment = new SurprisedContainment(race);
  const { mtime } = await Deno.stat(race.at("outside"));
  await new Promise((resolve) => setTimeout(resolve, 5)); // so that a change of the folder shows
  assertKind("notFound", () => createRegular(containment, containment.locateEntry("/dir/new"), 0o600));
  assertEquals(namesOutside(race), ["a"]);
  assertNotEquals((await Deno.stat(race.at("outside"))).mtime, mtime);
});

test("createRegular() takes no file that came to be there meanwhile", async (race) => {
  const name = race.containment.locateEntry("/dir/new");
  await Deno.symlink("../../outside/new", name.hostPath);
  assertThrows(() => createRegular(race.containment, name, 0o600), Error, "EEXIST");
  assertEquals(Array.from(Deno.readDirSync(race.at("outside")), ({ name }) => name), ["a"]);
});

test("createDirectory() undoes what it created outside", async (race) => {
  const containment = new SurprisedContainment(race);
  const { mtime } = await Deno.stat(race.at("outside"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertKind("notFound", () => createDirectory(containment, containment.locateEntry("/dir/new"), 0o700));
  assertEquals(namesOutside(race), ["a"]);
  assertNotEquals((await Deno.stat(race.at("outside"))).mtime, mtime);
});

test("createDirectory() creates nothing where a directory was swapped for a link after look-up", async (race) => {
  const name = race.containment.locateEntry("/dir/new");
  race.swap();
  assertKind("notFound", () => createDirectory(race.containment, name, 0o700));
  assertEquals(namesOutside(race), ["a"]);
  await Promise.resolve();
});

test("changeAttributes() changes nothing outside, by an open file or by its path", async (race) => {
  const place = race.containment.locate("/dir/a");
  const fifo = race.at("root/dir/fifo");
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  await Deno.writeTextFile(race.at("outside/fifo"), "");
  const special = race.containment.locate("/dir/fifo");
  race.swap();
  for (const it of [place, special]) {
    const change = {
      ofOpenFile: (fd: number) => fchmodSync(fd, 0o601),
      byPath: (path: string) => Deno.chmodSync(path, 0o601),
    };
    assertKind("notFound", () => changeAttributes(race.containment, it, change));
  }
  for (const name of ["a", "fifo"]) assertNotEquals((await Deno.stat(race.at(`outside/${name}`))).mode, 0o100601);
});

test("changeAttributes() changes what cannot be opened by its path", async (race) => {
  await new Deno.Command("mkfifo", { args: [race.at("root/dir/fifo")] }).output();
  const byPath = (path: string) => Deno.chmodSync(path, 0o601);
  changeAttributes(race.containment, race.containment.locate("/dir/fifo"), { ofOpenFile: () => {}, byPath });
  assertStrictEquals((await Deno.stat(race.at("root/dir/fifo"))).mode, 0o10601);
});
