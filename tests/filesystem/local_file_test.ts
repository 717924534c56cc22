import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { closeSync } from "node:fs";
import { Containment } from "../../lib/filesystem/containment.ts";
import { FileSystemError } from "../../lib/filesystem/filesystem_error.ts";
import { APPEND, createDirectory, createRegular, openRegular, READ, WRITE } from "../../lib/filesystem/local_file.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

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

  async swap(): Promise<void> {
    await Deno.rename(this.at("root/dir"), this.at("root/away"));
    await Deno.symlink("../outside", this.at("root/dir"));
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
  const hostPath = race.containment.locate("/dir/a");
  const { fd, stats } = openRegular(race.containment, hostPath, READ);
  closeSync(fd);
  assertStrictEquals(stats.ino, (await Deno.stat(hostPath)).ino);
});

test("openRegular() gives nothing outside when a directory was swapped for a link after look-up", async (race) => {
  const hostPath = race.containment.locate("/dir/a");
  await race.swap();
  for (const flags of [READ, WRITE, APPEND]) {
    assertKind("notFound", () => openRegular(race.containment, hostPath, flags));
  }
  assertStrictEquals(await Deno.readTextFile(race.at("outside/a")), "secret");
});

test("openRegular() gives nothing outside when a file was swapped for a link after look-up", async (race) => {
  const hostPath = race.containment.locate("/dir/a");
  await Deno.remove(hostPath);
  await Deno.symlink("../../outside/a", hostPath);
  assertThrows(() => openRegular(race.containment, hostPath, WRITE));
  assertStrictEquals(await Deno.readTextFile(race.at("outside/a")), "secret");
});

test("openRegular() does not wait for the other end of a FIFO", async (race) => {
  const hostPath = race.containment.locate("/dir/a");
  await Deno.remove(hostPath);
  await new Deno.Command("mkfifo", { args: [hostPath] }).output();
  assertKind("notRegularFile", () => openRegular(race.containment, hostPath, READ));
  assertThrows(() => openRegular(race.containment, hostPath, WRITE), Error, "ENXIO");
});

test("createRegular() takes back what it created outside", async (race) => {
  const { hostPath } = race.containment.locateEntry("/dir/new");
  await race.swap();
  assertKind("notFound", () => createRegular(race.containment, hostPath, 0o600));
  assertEquals(Array.from(Deno.readDirSync(race.at("outside")), ({ name }) => name), ["a"]);
});

test("createRegular() takes no file that came to be there meanwhile", async (race) => {
  const { hostPath } = race.containment.locateEntry("/dir/new");
  await Deno.symlink("../../outside/new", hostPath);
  assertThrows(() => createRegular(race.containment, hostPath, 0o600), Error, "EEXIST");
  assertEquals(Array.from(Deno.readDirSync(race.at("outside")), ({ name }) => name), ["a"]);
});

test("createDirectory() takes back what it created outside", async (race) => {
  const { hostPath } = race.containment.locateEntry("/dir/new");
  await race.swap();
  assertKind("notFound", () => createDirectory(race.containment, hostPath, 0o700));
  assertEquals(Array.from(Deno.readDirSync(race.at("outside")), ({ name }) => name), ["a"]);
});
