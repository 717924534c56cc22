import { assertEquals, assertLess, assertLessOrEqual, assertRejects, assertStrictEquals } from "@std/assert";
import { FileSystemError, type WriteMode } from "../../lib/filesystem/filesystem.ts";
import { LocalFileSystem } from "../../lib/filesystem/local/local_filesystem.ts";
import { assertRefused, listNames, readText, writeText } from "../conformance/filesystem_conformance.ts";
import { runFileSystemProgram } from "../helpers/filesystem_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const WRITE_MODES: readonly WriteMode[] = ["truncate", "append", "createNew", { offset: 0 }];

/** A root to be kept in, with things beside it that must stay as they are. */
class Jail implements AsyncDisposable {
  readonly fileSystem: LocalFileSystem;
  readonly #folder: TemporaryFolder;
  #before: unknown;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
    this.fileSystem = new LocalFileSystem(`${folder.path}/root`);
  }

  static async create(): Promise<Jail> {
    const jail = new Jail(await TemporaryFolder.create());
    for (const path of ["root/dir/deep", "outside/full", "outside/empty", "root2"]) {
      await Deno.mkdir(jail.at(path), { recursive: true });
    }
    for (const path of ["root/in.txt", "root/dir/b.txt"]) await Deno.writeTextFile(jail.at(path), "inside");
    for (const path of ["outside/secret", "outside/full/x", "root2/secret"]) {
      await Deno.writeTextFile(jail.at(path), "secret");
    }
    jail.#before = await jail.#snapshot();
    return jail;
  }

  /** Host path of something beside or in the root. */
  at(path: string): string {
    return `${this.#folder.path}/${path}`;
  }

  /** Makes a link in the root; `target` may hold `{}` for the folder around it. */
  async link(path: string, target: string): Promise<void> {
    await Deno.symlink(target.replace("{}", this.#folder.path), this.at(`root/${path}`));
  }

  async assertUntouched(): Promise<void> {
    assertEquals(await this.#snapshot(), this.#before);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }

  async #snapshot(): Promise<unknown> {
    const found: Record<string, unknown> = {};
    const names = await Array.fromAsync(Deno.readDir(this.at("")), ({ name }) => name);
    const walk = async (path: string) => {
      const { isDirectory, mtime, mode, ino, nlink } = await Deno.lstat(this.at(path));
      const content = isDirectory ? undefined : await Deno.readTextFile(this.at(path));
      found[path] = { mtime, mode, ino, nlink, content };
      if (!isDirectory) return;
      for await (const { name } of Deno.readDir(this.at(path))) await walk(`${path}/${name}`);
    };
    for (const name of names) if (name !== "root") await walk(name);
    return found;
  }
}

type Operation = (fileSystem: LocalFileSystem, path: string) => Promise<unknown>;

/** Each thing that can be done with a path. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  stat: (it, path) => it.stat(path),
  lstat: (it, path) => it.lstat(path),
  list: (it, path) => listNames(it, path),
  openRead: (it, path) => it.openRead(path),
  ...Object.fromEntries(WRITE_MODES.map((mode): [string, Operation] => {
    return [`openWrite ${JSON.stringify(mode)}`, (it, path) => it.openWrite(path, mode)];
  })),
  remove: (it, path) => it.remove(path),
  makeDirectory: (it, path) => it.makeDirectory(path),
  removeDirectory: (it, path) => it.removeDirectory(path),
  "rename from": (it, path) => it.rename(path, "/taken.txt"),
  "rename to": (it, path) => it.rename("/in.txt", path),
  "rename directory to": (it, path) => it.rename("/dir", path),
  setModified: (it, path) => it.setModified(path, new Date(0)),
  setMode: (it, path) => it.setMode(path, 0o777),
};

/** What is done to a link itself, wherever it leads. */
const OF_THE_NAME: readonly string[] = [
  "remove",
  "makeDirectory",
  "removeDirectory",
  "rename to",
  "rename directory to",
];

/** Links (name to target) and the paths that leave the root through them. */
const ESCAPES: Readonly<Record<string, { links: Record<string, string>; paths: string[] }>> = {
  "an absolute link to a file": { links: { l: "{}/outside/secret" }, paths: ["/l", "/l/x"] },
  "a relative link to a file": { links: { l: "../outside/secret" }, paths: ["/l", "/l/x"] },
  "a link to a full directory": {
    links: { l: "{}/outside" },
    paths: ["/l", "/l/secret", "/l/full", "/l/empty", "/l/full/x", "/l/new", "/l/new/x", "/l/secret/x"],
  },
  "a link to an empty directory": { links: { l: "../outside/empty" }, paths: ["/l", "/l/new"] },
  "a link in a directory": { links: { "dir/l": "../../outside" }, paths: ["/dir/l", "/dir/l/secret", "/dir/l/new"] },
  "a link to a link": {
    links: { a: "dir/b", "dir/b": "../c", c: "../outside" },
    paths: ["/a", "/a/secret", "/a/new", "/dir/b/empty", "/c/new"],
  },
  "a link to an escaping middle": { links: { m: "../outside", l: "m/secret" }, paths: ["/l", "/m/secret"] },
  "a link to what is around the root": { links: { l: ".." }, paths: ["/l", "/l/outside/secret", "/l/new"] },
  "a link to a name that begins like the root's": { links: { l: "../root2" }, paths: ["/l", "/l/secret", "/l/new"] },
  "a link to the system's root": { links: { l: "/" }, paths: ["/l", "/l/etc"] },
  "a link through the root's own parent": { links: { l: "../outside/../root2/secret" }, paths: ["/l"] },
  "dots": {
    links: {},
    paths: ["/..", "/../outside/secret", "/dir/../../outside/secret", "/../root2/new", "/dir/..", "/.", "//etc", ""],
  },
};

for (const [escape, { links, paths }] of Object.entries(ESCAPES)) {
  Deno.test({ name: `LocalFileSystem does not leave its root by ${escape}`, ignore: IS_WINDOWS }, async (context) => {
    await using jail = await Jail.create();
    for (const [link, target] of Object.entries(links)) await jail.link(link, target);
    for (const [name, operation] of Object.entries(OPERATIONS)) {
      await context.step(name, async () => {
        const through = OF_THE_NAME.includes(name) ? paths.filter((path) => !(path.slice(1) in links)) : paths;
        for (const path of through) await assertRefused("notFound", () => operation(jail.fileSystem, path));
        await jail.assertUntouched();
        assertStrictEquals(await readText(jail.fileSystem, "/in.txt"), "inside");
        assertStrictEquals(await readText(jail.fileSystem, "/dir/b.txt"), "inside");
        for (const link of Object.keys(links)) await Deno.lstat(jail.at(`root/${link}`));
      });
    }
  });
}

/** Where links lead that lead nowhere inside. */
const NOWHERE = [
  "../outside/secret",
  "{}/outside/full",
  "../outside/empty",
  "../outside/new",
  "../outside/none/new",
  "../outside/secret/x",
  `../outside/${"n".repeat(300)}`,
  "none",
  "loop",
];

for (const [name, operation] of Object.entries(OPERATIONS)) {
  Deno.test({
    name: `LocalFileSystem answers ${name} alike, whatever a link out of its root leads to`,
    ignore: IS_WINDOWS,
    fn: async () => {
      const answers = new Map<string, string[]>();
      for (const target of NOWHERE) {
        await using jail = await Jail.create();
        await jail.link("loop", target);
        const answer = await operation(jail.fileSystem, "/loop").then(() => "done", ({ kind }) => `${kind}`);
        answers.set(answer, [...answers.get(answer) ?? [], target]);
        await jail.assertUntouched();
      }
      assertStrictEquals(answers.size, 1, Deno.inspect(answers));
    },
  });
}

Deno.test({ name: "LocalFileSystem.list() shows no escaping link", ignore: IS_WINDOWS }, async () => {
  await using jail = await Jail.create();
  await jail.link("a", "{}/outside/secret");
  await jail.link("b", "../outside");
  await jail.link("c", "../outside/none");
  await jail.link("d", "../root/in.txt");
  await jail.link("e", "{}/root/dir");
  assertEquals(await listNames(jail.fileSystem, "/"), ["d", "dir", "e", "in.txt"]);
});

/** Checks the types of what is in a directory, where links to directories stand as the path that they lead to. */
async function assertLinks(fileSystem: LocalFileSystem, path: string, types: Record<string, string>): Promise<void> {
  const entries = await Array.fromAsync(fileSystem.list(path));
  assertEquals(Object.fromEntries(entries.map(({ name, info }) => [name, info.target ?? info.type])), types);
  for (const { name, info } of entries) {
    assertStrictEquals(info.type === "link", info.target !== undefined);
    const own = path === "/" ? `/${name}` : `${path}/${name}`;
    assertEquals(await fileSystem.lstat(own), info);
    assertStrictEquals((await fileSystem.stat(own)).type, info.type === "link" ? "directory" : info.type);
    if (info.type === "link") assertStrictEquals(info.size, 0);
  }
}

Deno.test({ name: "LocalFileSystem follows links that stay inside", ignore: IS_WINDOWS }, async () => {
  await using jail = await Jail.create();
  await jail.link("file", "{}/root/in.txt");
  await jail.link("dir/up", "..");
  await jail.link("out-and-in", "../outside/../root/dir");
  assertStrictEquals(await readText(jail.fileSystem, "/file"), "inside");
  assertStrictEquals(await readText(jail.fileSystem, "/dir/up/dir/up/in.txt"), "inside");
  await writeText(jail.fileSystem, "/out-and-in/new", "made");
  assertStrictEquals(await readText(jail.fileSystem, "/dir/new"), "made");
  await writeText(jail.fileSystem, "/file", "changed");
  assertStrictEquals(await readText(jail.fileSystem, "/in.txt"), "changed");
  await assertLinks(jail.fileSystem, "/", { dir: "directory", file: "file", "in.txt": "file", "out-and-in": "/dir" });
  await assertLinks(jail.fileSystem, "/dir/up/out-and-in", {
    "b.txt": "file",
    deep: "directory",
    new: "file",
    up: "/",
  });
  await jail.fileSystem.makeDirectory("/dir/up/made");
  await jail.fileSystem.rename("/dir/up/made", "/out-and-in/made");
  await jail.fileSystem.removeDirectory("/dir/made");
});

Deno.test(
  { name: "LocalFileSystem removes and renames a link itself, not its target", ignore: IS_WINDOWS },
  async () => {
    await using jail = await Jail.create();
    await jail.link("file", "in.txt");
    await jail.link("folder", "dir");
    await jail.fileSystem.rename("/file", "/other");
    assertStrictEquals(await Deno.readLink(jail.at("root/other")), "in.txt");
    await jail.fileSystem.remove("/other");
    await jail.link("file", "in.txt");
    await assertRefused("notDirectory", () => jail.fileSystem.removeDirectory("/file"));
    await assertRefused("exists", () => jail.fileSystem.rename("/in.txt", "/folder"));
    await jail.fileSystem.remove("/folder");
    await jail.link("folder", "dir");
    await jail.fileSystem.removeDirectory("/folder");
    assertEquals(await listNames(jail.fileSystem, "/"), ["dir", "file", "in.txt"]);
    assertStrictEquals(await readText(jail.fileSystem, "/dir/b.txt"), "inside");
  },
);

for (const target of ["../outside/new", "{}/outside/new", "none", "loop", "../outside/none/new"]) {
  Deno.test({ name: `LocalFileSystem creates nothing through a link to ${target}`, ignore: IS_WINDOWS }, async () => {
    await using jail = await Jail.create();
    await jail.link("loop", target);
    for (const mode of WRITE_MODES) await assertRefused("notFound", () => jail.fileSystem.openWrite("/loop", mode));
    await assertRefused("exists", () => jail.fileSystem.makeDirectory("/loop"));
    await assertRefused("notFound", () => jail.fileSystem.makeDirectory("/loop/x"));
    await assertRefused("notFound", () => jail.fileSystem.stat("/loop"));
    await assertRefused("notFound", () => jail.fileSystem.setMode("/loop", 0o777));
    await assertRefused("notFound", () => jail.fileSystem.rename("/loop", "/moved"));
    await jail.fileSystem.rename("/in.txt", "/loop");
    await jail.fileSystem.rename("/loop", "/moved");
    assertStrictEquals(await readText(jail.fileSystem, "/moved"), "inside");
    await jail.link("loop", target);
    await jail.fileSystem.remove("/loop");
    await jail.assertUntouched();
    assertEquals(await listNames(jail.fileSystem, "/"), ["dir", "moved"]);
  });
}

Deno.test(
  { name: "LocalFileSystem notices a directory swapped for a link between calls", ignore: IS_WINDOWS },
  async () => {
    await using jail = await Jail.create();
    await Deno.writeTextFile(jail.at("root/dir/secret"), "inside");
    assertStrictEquals(await readText(jail.fileSystem, "/dir/secret"), "inside");
    await Deno.rename(jail.at("root/dir"), jail.at("root/away"));
    await jail.link("dir", "../outside");
    for (const operation of Object.values(OPERATIONS)) {
      await assertRefused("notFound", () => operation(jail.fileSystem, "/dir/secret"));
      await assertRefused("notFound", () => operation(jail.fileSystem, "/dir/new"));
    }
    await jail.assertUntouched();
  },
);

Deno.test(
  { name: "LocalFileSystem.list() stops when its directory is swapped for a link", ignore: IS_WINDOWS },
  async () => {
    await using jail = await Jail.create();
    for (let count = 0; count < 300; count++) {
      await Deno.writeTextFile(jail.at(`root/dir/${count}`), "");
      await Deno.writeTextFile(jail.at(`outside/${count}`), "secret");
    }
    let bytes = 0;
    let entries = 0;
    for await (const { info } of jail.fileSystem.list("/dir")) {
      if (info.type === "file") bytes += info.size;
      if (++entries > 1) continue;
      await Deno.rename(jail.at("root/dir"), jail.at("root/away"));
      await jail.link("dir", "../outside");
    }
    // "b.txt" alone has a size inside
    assertLessOrEqual(bytes, "inside".length);
    assertLess(entries, 300);
  },
);

Deno.test({ name: "LocalFileSystem keeps writing to the file it opened", ignore: IS_WINDOWS }, async () => {
  await using jail = await Jail.create();
  const file = await jail.fileSystem.openWrite("/in.txt", "truncate");
  await Deno.remove(jail.at("root/in.txt"));
  await jail.link("in.txt", "../outside/secret");
  await file.write(new TextEncoder().encode("attack"), UNABORTED);
  file.close();
  await jail.assertUntouched();
});

Deno.test({ name: "LocalFileSystem takes a hard link for the file it is", ignore: IS_WINDOWS }, async () => {
  await using jail = await Jail.create();
  await Deno.link(jail.at("root/in.txt"), jail.at("root/dir/hard"));
  assertStrictEquals(await readText(jail.fileSystem, "/dir/hard"), "inside");
  const [one, other] = await Promise.all(["/in.txt", "/dir/hard"].map((path) => jail.fileSystem.stat(path)));
  assertStrictEquals(one?.unique, other?.unique);
});

Deno.test({ name: "LocalFileSystem opens no FIFO", ignore: IS_WINDOWS }, async () => {
  await using jail = await Jail.create();
  await new Deno.Command("mkfifo", { args: [jail.at("root/fifo")] }).output();
  await jail.link("link", "fifo");
  for (const path of ["/fifo", "/link"]) {
    assertStrictEquals((await jail.fileSystem.stat(path)).type, "other");
    await assertRefused("notRegularFile", () => jail.fileSystem.openRead(path));
    for (const mode of ["truncate", "append", { offset: 0 }] as const) {
      await assertRefused("notRegularFile", () => jail.fileSystem.openWrite(path, mode));
    }
    await assertRefused("exists", () => jail.fileSystem.openWrite(path, "createNew"));
  }
  await jail.fileSystem.remove("/fifo");
});

Deno.test({ name: "LocalFileSystem opens no device and no socket", ignore: IS_WINDOWS }, async () => {
  await using folder = await TemporaryFolder.create();
  const program = `
    const devices = new LocalFileSystem("/dev");
    const sockets = new LocalFileSystem(${JSON.stringify(folder.path)});
    using _listener = Deno.listen({ transport: "unix", path: ${JSON.stringify(folder.path)} + "/socket" });
    console.log(new Set([
      await kind(() => devices.openRead("/zero")),
      await kind(() => devices.openWrite("/null", "truncate")),
      await kind(() => sockets.openRead("/socket")),
      await kind(() => sockets.openWrite("/socket", "append")),
    ]));`;
  assertStrictEquals(await runFileSystemProgram(program, { flags: ["-A"] }), 'Set(1) { "notRegularFile" }');
});

Deno.test("LocalFileSystem refuses a name that is a path on some system", async () => {
  await using jail = await Jail.create();
  for (const path of ["/..\\outside\\secret", "/dir\\..\\..\\outside\\secret", "/C:\\x", "/\\\\server\\share"]) {
    await assertRejects(() => jail.fileSystem.openRead(path), FileSystemError);
  }
});

Deno.test(
  { name: "LocalFileSystem.removeDirectory() is not kept by links that nobody sees", ignore: IS_WINDOWS },
  async () => {
    await using jail = await Jail.create();
    const targets = ["{}/outside/full", "../../outside/secret", "none", "one"];
    await Deno.mkdir(jail.at("root/box"));
    for (const [index, target] of targets.entries()) await jail.link(`box/${index}`, target);
    await jail.link("box/seen", "../in.txt");
    await assertRefused("directoryNotEmpty", () => jail.fileSystem.removeDirectory("/box"));
    assertStrictEquals(Array.from(Deno.readDirSync(jail.at("root/box"))).length, 5);
    await jail.fileSystem.remove("/box/seen");
    await jail.fileSystem.removeDirectory("/box");
    await jail.assertUntouched();
    assertEquals(await listNames(jail.fileSystem, "/"), ["dir", "in.txt"]);
  },
);
