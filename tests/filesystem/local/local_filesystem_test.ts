import { assert, assertEquals, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { dirname } from "node:path";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { LocalFileSystem } from "../../../lib/filesystem/local/local_filesystem.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import {
  assertRefused,
  type Fixture,
  listNames,
  readText,
  testFileSystem,
  writeText,
} from "../../conformance/filesystem_conformance.ts";
import { runFileSystemProgram } from "../../helpers/filesystem_program.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const IS_WINDOWS = Deno.build.os === "windows";

async function makeFiles(
  files: Readonly<Record<string, string>>,
): Promise<Fixture<LocalFileSystem> & { root: string }> {
  const folder = await TemporaryFolder.create();
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(dirname(folder.path + path), { recursive: true });
    await Deno.writeTextFile(folder.path + path, content);
  }
  return {
    root: folder.path,
    fileSystem: new LocalFileSystem(folder.path),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

testFileSystem("LocalFileSystem", makeFiles);

Deno.test("LocalFileSystem.stat() reports what the host knows", async () => {
  await using fixture = await makeFiles({ "/a": "12345" });
  const host = await Deno.stat(`${fixture.root}/a`);
  const info = await fixture.fileSystem.stat("/a");
  assertEquals(info.modified, host.mtime ?? undefined);
  assertStrictEquals(info.links, host.nlink ?? undefined);
  assertStrictEquals(info.uid, host.uid ?? undefined);
  assertStrictEquals(info.gid, host.gid ?? undefined);
  assertStrictEquals(info.mode, host.mode === null ? undefined : host.mode & 0o7777);
  if (host.ino) assertStrictEquals(info.unique, `${host.dev.toString(16)}g${host.ino.toString(16)}`);
});

Deno.test("LocalFileSystem looks its root up at first use, and needs it to be a directory then", async () => {
  await using folder = await TemporaryFolder.create();
  const fileSystem = new LocalFileSystem(`${folder.path}/later`);
  await assertRefused("notFound", () => fileSystem.stat("/"));
  await Deno.mkdir(`${folder.path}/later`);
  assertEquals(await listNames(fileSystem, "/"), []);
});

Deno.test({ name: "LocalFileSystem serves the whole system from the root /", ignore: IS_WINDOWS }, async () => {
  await using fixture = await makeFiles({ "/a": "12345" });
  assertStrictEquals(await readText(new LocalFileSystem("/"), `${fixture.root}/a`), "12345");
});

Deno.test({ name: "LocalFileSystem takes a link as its root", ignore: IS_WINDOWS }, async () => {
  await using fixture = await makeFiles({ "/real/a": "12345", "/real/d/b": "" });
  await Deno.symlink("real", `${fixture.root}/link`);
  const fileSystem = new LocalFileSystem(`${fixture.root}/link/`);
  assertStrictEquals(await readText(fileSystem, "/a"), "12345");
  assertEquals(await listNames(fileSystem, "/d"), ["b"]);
  await writeText(fileSystem, "/d/c", "new");
  assertStrictEquals(await Deno.readTextFile(`${fixture.root}/real/d/c`), "new");
});

Deno.test(
  { name: "LocalFileSystem.list() leaves out what cannot be sent or reached", ignore: IS_WINDOWS },
  async () => {
    await using fixture = await makeFiles({ "/good": "1", "/a\nb": "", "/a\rb": "", "/d/x": "" });
    await Deno.symlink("nothing", `${fixture.root}/dangling`);
    await Deno.symlink("loop", `${fixture.root}/loop`);
    await Deno.symlink("good", `${fixture.root}/link`);
    await Deno.symlink("d", `${fixture.root}/linkd`);
    // A name that is not UTF-8 can only be made by somebody else
    const make = new Deno.Command("sh", { args: ["-c", `: > "$(printf 'bad\\377')" || true`], cwd: fixture.root });
    assert((await make.output()).success);
    assertEquals(await listNames(fixture.fileSystem, "/"), ["d", "good", "link", "linkd"]);
    const types = (await Array.fromAsync(fixture.fileSystem.list("/"))).map(({ name, info }) => `${name} ${info.type}`);
    assertEquals(await Array.fromAsync(fixture.fileSystem.listNames("/")), ["d", "good", "link", "linkd"]);
    assertEquals(types.sort(), ["d directory", "good file", "link file", "linkd link"]);
  },
);

Deno.test("LocalFileSystem.list() is quick with 10,000 entries and lets others work meanwhile", async () => {
  await using fixture = await makeFiles({ "/a": "" });
  for (let count = 1; count < 10_000; count++) Deno.linkSync(`${fixture.root}/a`, `${fixture.root}/${count}`);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const started = performance.now();
  const names = await listNames(fixture.fileSystem, "/");
  const elapsedMs = performance.now() - started;
  clearInterval(timer);
  assertStrictEquals(names.length, 10_000);
  // About 100 ms on an idle machine
  assertLess(elapsedMs, 5000);
  assert(ticks > 5, `Timers ran ${ticks} times in ${elapsedMs} ms`);
});

Deno.test("LocalFileSystem.openRead() reads the same file to the end while its name goes to another", async () => {
  await using fixture = await makeFiles({ "/a": "old text", "/b": "new text" });
  const file = await fixture.fileSystem.openRead("/a");
  const buffer = new Uint8Array(3);
  assertStrictEquals(await file.read(buffer, UNABORTED), 3);
  if (!IS_WINDOWS) await fixture.fileSystem.rename("/b", "/a");
  assertStrictEquals(await file.read(buffer, UNABORTED), 3);
  assertEquals(new TextDecoder().decode(buffer), " te");
  file.close();
});

Deno.test("LocalFileSystem.openRead() returns a file that may be closed during a read", async () => {
  await using fixture = await makeFiles({ "/a": "first", "/b": "other" });
  const file = await fixture.fileSystem.openRead("/a");
  const buffer = new Uint8Array(5);
  const reading = file.read(buffer, UNABORTED);
  file.close();
  // Would get the number of the first at once, were that free
  const other = await fixture.fileSystem.openRead("/b");
  assertStrictEquals(await reading, 5);
  assertStrictEquals(new TextDecoder().decode(buffer), "first");
  await assertRejects(() => file.read(buffer, UNABORTED), TypeError);
  other.close();
});

Deno.test("LocalFileSystem shares write claims among overlapping roots", async () => {
  await using fixture = await makeFiles({ "/home/a": "old" });
  const writeClaims = new WriteClaims();
  const outer = new LocalFileSystem(fixture.root, { writeClaims });
  const inner = new LocalFileSystem(`${fixture.root}/home`, { writeClaims });
  const file = await outer.openWrite("/home/a", "append");
  await assertRefused("busy", () => inner.openWrite("/a", "truncate"));
  assertStrictEquals(await Deno.readTextFile(`${fixture.root}/home/a`), "old");
  file.close();
  await writeText(inner, "/a", "new");
});

Deno.test({ name: "LocalFileSystem claims a file, not a name", ignore: IS_WINDOWS }, async () => {
  await using fixture = await makeFiles({ "/a": "old" });
  await Deno.link(`${fixture.root}/a`, `${fixture.root}/hard`);
  await Deno.symlink("a", `${fixture.root}/soft`);
  const file = await fixture.fileSystem.openWrite("/a", "append");
  for (const path of ["/hard", "/soft"]) {
    await assertRefused("busy", () => fixture.fileSystem.openWrite(path, "truncate"));
  }
  await fixture.fileSystem.rename("/a", "/moved");
  await assertRefused("busy", () => fixture.fileSystem.openWrite("/moved", "truncate"));
  await writeText(fixture.fileSystem, "/a", "another");
  file.close();
  assertStrictEquals(await Deno.readTextFile(`${fixture.root}/moved`), "old");
});

Deno.test("LocalFileSystem.openWrite() appends at the end as it is then", async () => {
  await using fixture = await makeFiles({ "/log": "1" });
  const file = await fixture.fileSystem.openWrite("/log", "append");
  await Deno.writeTextFile(`${fixture.root}/log`, "2", { append: true });
  await file.write(new TextEncoder().encode("3"), UNABORTED);
  file.close();
  assertStrictEquals(await Deno.readTextFile(`${fixture.root}/log`), "123");
});

Deno.test({ name: "LocalFileSystem refuses names that are too long", ignore: IS_WINDOWS }, async () => {
  await using fixture = await makeFiles({});
  const path = `/${"x".repeat(300)}`;
  await assertRefused("invalidName", () => fixture.fileSystem.openWrite(path, "truncate"));
  await assertRefused("invalidName", () => fixture.fileSystem.makeDirectory(path));
});

Deno.test({ name: "LocalFileSystem reports a full disk while writing", ignore: IS_WINDOWS }, async () => {
  await using fixture = await makeFiles({});
  // A limit on the size of files is the full disk that needs no rights to make
  const program = `
    const file = await new LocalFileSystem(${JSON.stringify(fixture.root)}).openWrite("/a", "truncate");
    console.log(await kind(() => file.write(new Uint8Array(3_000_000))));
    file.close();`;
  assertStrictEquals(
    await runFileSystemProgram(program, { flags: ["-A"], shell: "trap '' XFSZ; ulimit -f 2048" }),
    "noSpace",
  );
});

Deno.test("LocalFileSystem works with permissions for its root alone", async () => {
  await using fixture = await makeFiles({ "/root/d/a": "12345", "/out": "secret" });
  const root = `${fixture.root}/root`;
  if (!IS_WINDOWS) await Deno.symlink("../out", `${root}/escape`);
  const program = `
    const it = new LocalFileSystem(${JSON.stringify(root)});
    const file = await it.openWrite("/d/b", "truncate");
    await file.write(new Uint8Array(3));
    await file.finish({ sync: true });
    file.close();
    (await it.openWrite("/d/b", "append")).close();
    await it.makeDirectory("/e");
    await it.rename("/d/b", "/e/c");
    await it.setModified("/e/c", new Date(0));
    await it.setMode("/e/c", 0o600);
    const reader = await it.openRead("/e/c");
    console.log(await reader.read(new Uint8Array(9)), reader.size);
    await it.remove("/e/c");
    await it.removeDirectory("/e");
    for await (const { name } of it.list("/")) console.log(name);
    console.log(await kind(() => it.openRead("/escape")), await kind(() => it.stat("/escape")));`;
  const output = await runFileSystemProgram(program, { flags: [`--allow-read=${root}`, `--allow-write=${root}`] });
  assertEquals(output.split("\n"), ["3 3", "d", "notFound notFound"]);
});

Deno.test({ name: "LocalFileSystem works with permissions for a link to its root", ignore: IS_WINDOWS }, async () => {
  await using fixture = await makeFiles({ "/real/d/a": "12345" });
  const root = `${fixture.root}/link`;
  await Deno.symlink("real", root);
  await Deno.symlink("d", `${fixture.root}/real/e`);
  const program = `
    const it = new LocalFileSystem(${JSON.stringify(root)});
    (await it.openWrite("/e/b", "truncate")).close();
    (await it.openRead("/e/a")).close();
    for await (const { name, info } of it.list("/")) console.log(name, info.type);`;
  const output = await runFileSystemProgram(program, { flags: [`--allow-read=${root}`, `--allow-write=${root}`] });
  assertEquals(output.split("\n").sort(), ["d directory", "e link"]);
});

Deno.test("LocalFileSystem reads with --allow-read alone and refuses to write", async () => {
  await using fixture = await makeFiles({ "/d/a": "12345" });
  const program = `
    const it = new LocalFileSystem(${JSON.stringify(fixture.root)});
    const reader = await it.openRead("/d/a");
    console.log(await reader.read(new Uint8Array(9)));
    for await (const { name, info } of it.list("/d")) console.log(name, info.size);
    console.log(new Set([
      await kind(() => it.openWrite("/d/a", "truncate")),
      await kind(() => it.openWrite("/d/b", "truncate")),
      await kind(() => it.remove("/d/a")),
      await kind(() => it.makeDirectory("/e")),
      await kind(() => it.removeDirectory("/d")),
      await kind(() => it.rename("/d/a", "/d/b")),
      await kind(() => it.setModified("/d/a", new Date(0))),
      await kind(() => it.setMode("/d/a", 0)),
    ]));`;
  const output = await runFileSystemProgram(program, { flags: [`--allow-read=${fixture.root}`] });
  assertEquals(output.split("\n"), ["5", "a 5", 'Set(1) { "permissionDenied" }']);
  assertStrictEquals(await Deno.readTextFile(`${fixture.root}/d/a`), "12345");
});

Deno.test("LocalFileSystem says permissionDenied without any permission", async () => {
  await using fixture = await makeFiles({ "/a": "" });
  const program = `console.log(await kind(() => new LocalFileSystem(${JSON.stringify(fixture.root)}).stat("/a")));`;
  assertStrictEquals(await runFileSystemProgram(program, { flags: [] }), "permissionDenied");
});

Deno.test("LocalFileSystem keeps the runtime's error as the cause", async () => {
  await using fixture = await makeFiles({});
  const error = await assertRejects(() => fixture.fileSystem.stat("/none"), FileSystemError);
  assert(error.cause instanceof Deno.errors.NotFound);
});
