/**
 * What every file system has to do: one suite, run by the tests of each adapter.
 *
 * @module
 */

import { assert, assertEquals, assertGreater, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type DirectoryEntry,
  type FileSystem,
  FileSystemError,
  type FileSystemErrorKind,
  type ReadableFile,
  type WriteMode,
} from "../../lib/filesystem/filesystem.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

/** A file system under test; disposing of it takes its files away. */
export interface Fixture<T extends FileSystem> extends AsyncDisposable {
  readonly fileSystem: T;
}

/** Makes a file system with the given files (path to content) and the directories they need. */
export type MakeFileSystem<T extends FileSystem> = (files: Readonly<Record<string, string>>) => Promise<Fixture<T>>;

const FILES = { "/a.txt": "alpha", "/dir/b.txt": "beta", "/dir/sub/c.txt": "", '/dir/ sp "%*~': "odd" };

/** Reads what is left of a file and closes it. */
export async function readAll(file: ReadableFile, bufferBytes = 3): Promise<string> {
  const buffer = new Uint8Array(bufferBytes);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let count = await file.read(buffer, UNABORTED); count !== null; count = await file.read(buffer, UNABORTED)) {
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
    return text + decoder.decode();
  } finally {
    file.close();
  }
}

/** Reads a file. */
export async function readText(fileSystem: FileSystem, path: string, bufferBytes = 3): Promise<string> {
  return await readAll(await fileSystem.openRead(path, UNABORTED), bufferBytes);
}

/** A file system with all methods that make commands work. */
export type WritableFileSystem =
  & Required<Omit<FileSystem, Unneeded>>
  & Pick<FileSystem, Unneeded>;

/** What no command fails without. */
type Unneeded =
  | "availableBytes"
  | "digest"
  | "listNames"
  | "listTypes"
  | "listsSorted"
  | "lstat"
  | "quotas"
  | "resumable"
  | "setMode"
  | "uploadsAppearWhole";

/** Writes a file. */
export async function writeText(
  fileSystem: WritableFileSystem,
  path: string,
  text: string,
  mode: WriteMode = "truncate",
): Promise<void> {
  const file = await fileSystem.openWrite(path, mode, UNABORTED);
  try {
    await file.write(new TextEncoder().encode(text), UNABORTED);
    if (mode === "truncate" || fileSystem.uploadsAppearWhole) await file.finish(UNABORTED);
  } finally {
    await file.close();
  }
}

/** Names of a directory's entries, sorted. */
export async function listNames(fileSystem: FileSystem, path: string): Promise<string[]> {
  return (await Array.fromAsync(fileSystem.list(path, UNABORTED))).map(({ name }) => name).sort();
}

/** Fails unless the operation is refused with an error of the given kind; what it opened is closed. */
export async function assertRefused(kind: FileSystemErrorKind, operation: () => Promise<unknown>): Promise<void> {
  const error = await assertRejects(async () => {
    const result = await operation() as { close?(): void } | undefined;
    result?.close?.();
  }, FileSystemError);
  assertStrictEquals(error.kind, kind, error.message);
}

/** Tests the methods that every file system has. */
export function testReading(name: string, makeFileSystem: MakeFileSystem<FileSystem>): void {
  function test(criterion: string, body: (fileSystem: FileSystem) => Promise<void>): void {
    Deno.test(`${name}${criterion}`, async () => {
      await using fixture = await makeFileSystem(FILES);
      await body(fixture.fileSystem);
    });
  }

  test(".stat() reports type and size", async (fileSystem) => {
    const info = await fileSystem.stat("/a.txt", UNABORTED);
    assertStrictEquals(info.type, "file");
    assertStrictEquals(info.size, 5);
    assertStrictEquals((await fileSystem.stat("/dir", UNABORTED)).type, "directory");
    assertStrictEquals((await fileSystem.stat("/", UNABORTED)).type, "directory");
    assertStrictEquals((await fileSystem.stat('/dir/ sp "%*~', UNABORTED)).size, 3);
  });

  test(".stat() reports the same unique value for the same file alone", async (fileSystem) => {
    const { unique } = await fileSystem.stat("/a.txt", UNABORTED);
    assertStrictEquals((await fileSystem.stat("/a.txt", UNABORTED)).unique, unique);
    assert(unique === undefined || (await fileSystem.stat("/dir/b.txt", UNABORTED)).unique !== unique);
  });

  test(" refuses to read what is not there", async (fileSystem) => {
    for (const path of ["/none", "/none/x", "/dir/none"]) {
      await assertRefused("notFound", () => fileSystem.stat(path, UNABORTED));
      await assertRefused("notFound", () => fileSystem.openRead(path, UNABORTED));
      await assertRefused("notFound", () => listNames(fileSystem, path));
    }
  });

  test(" refuses a path through a file", async (fileSystem) => {
    await assertRefused("notDirectory", () => fileSystem.stat("/a.txt/x", UNABORTED));
    await assertRefused("notDirectory", () => fileSystem.openRead("/a.txt/x", UNABORTED));
    await assertRefused("notDirectory", () => listNames(fileSystem, "/a.txt"));
  });

  test(" refuses a path that is not normalised", async (fileSystem) => {
    for (const path of ["/..", "/../a.txt", "/dir/../a.txt", "/./a.txt", "//a.txt", "/dir/", "a.txt", ""]) {
      await assertRefused("notFound", () => fileSystem.stat(path, UNABORTED));
      await assertRefused("notFound", () => fileSystem.openRead(path, UNABORTED));
      await assertRefused("notFound", () => listNames(fileSystem, path));
    }
  });

  test(" refuses names with NUL, CR and LF", async (fileSystem) => {
    for (const path of ["/a\0", "/a\r", "/a\nb/c"]) {
      await assertRefused("invalidName", () => fileSystem.stat(path, UNABORTED));
      await assertRefused("invalidName", () => fileSystem.openRead(path, UNABORTED));
    }
  });

  test(".list() returns each entry with its attributes", async (fileSystem) => {
    assertEquals(await listNames(fileSystem, "/"), ["a.txt", "dir"]);
    assertEquals(await listNames(fileSystem, "/dir"), [' sp "%*~', "b.txt", "sub"]);
    for await (const { name, info } of fileSystem.list("/dir", UNABORTED)) {
      assertEquals(info, await fileSystem.stat(`/dir/${name}`, UNABORTED));
    }
  });

  test(".list() and .listNames() keep the order that .listsSorted promises", async (fileSystem) => {
    for (const path of ["/", "/dir"]) {
      const names = await Array.fromAsync(fileSystem.list(path, UNABORTED), ({ name }) => name);
      if (fileSystem.listsSorted) assertEquals(names, names.toSorted());
      if (fileSystem.listNames === undefined) continue;
      const given = await Array.fromAsync(fileSystem.listNames(path, UNABORTED));
      assertEquals(fileSystem.listsSorted ? given : given.sort(), fileSystem.listsSorted ? names : names.sort());
    }
  });

  test(".list() may be left early", async (fileSystem) => {
    const seen: DirectoryEntry[] = [];
    for await (const entry of fileSystem.list("/dir", UNABORTED)) {
      seen.push(entry);
      break;
    }
    assertStrictEquals(seen.length, 1);
  });

  test(".openRead() reads to the end, and from an offset", async (fileSystem) => {
    const file = await fileSystem.openRead("/a.txt", UNABORTED);
    assertStrictEquals(file.size, 5);
    assertStrictEquals(await readAll(file), "alpha");
    assertStrictEquals(await readAll(await fileSystem.openRead("/a.txt", { ...UNABORTED, offset: 3 })), "ha");
    assertStrictEquals(await readAll(await fileSystem.openRead("/a.txt", { ...UNABORTED, offset: 5 })), "");
    assertStrictEquals(await readAll(await fileSystem.openRead("/a.txt", { ...UNABORTED, offset: 99 })), "");
    assertStrictEquals(await readText(fileSystem, "/dir/sub/c.txt"), "");
  });

  test(".openRead() refuses a directory", async (fileSystem) => {
    await assertRefused("isDirectory", () => fileSystem.openRead("/dir", UNABORTED));
    await assertRefused("isDirectory", () => fileSystem.openRead("/", UNABORTED));
  });

  test(".openRead() returns a file that may be closed twice", async (fileSystem) => {
    const file = await fileSystem.openRead("/a.txt", UNABORTED);
    file.close();
    file.close();
  });
}

/** Tests a file system that has all methods, and where uploads are seen while they are written. */
export function testFileSystem(name: string, makeFileSystem: MakeFileSystem<WritableFileSystem>): void {
  testReading(name, makeFileSystem);
  testOpening(name, makeFileSystem);
  testWriting(name, makeFileSystem);
  testChanging(name, makeFileSystem);
}

/** Tests a file system where uploads appear when they are finished, in every mode. */
export function testWholeUploads(
  name: string,
  makeFileSystem: MakeFileSystem<WritableFileSystem>,
  options: WholeUploadOptions = {},
): void {
  testReading(name, makeFileSystem);
  testOpening(name, makeFileSystem);
  testWholeWriting(name, makeFileSystem, options);
  testChanging(name, makeFileSystem);
}

/** How writing begins, wherever it goes. */
function testOpening(name: string, makeFileSystem: MakeFileSystem<WritableFileSystem>): void {
  const test = testWith(name, makeFileSystem);

  test(".openWrite() and .makeDirectory() obey the umask, for what is made only", async (fileSystem) => {
    const made = await fileSystem.openWrite("/made.txt", "truncate", { ...UNABORTED, umask: 0o077 });
    await made.finish(UNABORTED);
    await made.close();
    await fileSystem.makeDirectory("/made", { ...UNABORTED, umask: 0o027 });
    const modeOf = async (path: string) => (await fileSystem.stat(path, UNABORTED)).mode;
    const { mode } = await fileSystem.stat("/a.txt", UNABORTED);
    await (await fileSystem.openWrite("/a.txt", "append", { ...UNABORTED, umask: 0o777 })).close();
    if (mode === undefined) return; // a system without permission bits
    assertEquals([await modeOf("/made.txt"), await modeOf("/made")], [0o600, 0o750]);
    assertStrictEquals(await modeOf("/a.txt"), mode);
  });

  test(".availableBytes(), where it is, tells the room that is left", async (fileSystem) => {
    if (fileSystem.availableBytes === undefined) return;
    assertGreater(await fileSystem.availableBytes("/", UNABORTED), 0);
    await assertRefused("notFound", () => fileSystem.availableBytes?.("/missing", UNABORTED) ?? Promise.resolve());
  });

  test(".openWrite() truncates or creates", async (fileSystem) => {
    await writeText(fileSystem, "/a.txt", "new");
    assertStrictEquals(await readText(fileSystem, "/a.txt"), "new");
    await writeText(fileSystem, "/dir/n.txt", "made");
    assertStrictEquals(await readText(fileSystem, "/dir/n.txt"), "made");
  });

  test(".openWrite() appends or creates", async (fileSystem) => {
    await writeText(fileSystem, "/a.txt", "+", "append");
    assertStrictEquals(await readText(fileSystem, "/a.txt"), "alpha+");
    await writeText(fileSystem, "/n.txt", "made", "append");
    assertStrictEquals(await readText(fileSystem, "/n.txt"), "made");
  });

  test(".openWrite() creates new files only, if asked", async (fileSystem) => {
    await writeText(fileSystem, "/n.txt", "made", "createNew");
    assertStrictEquals(await readText(fileSystem, "/n.txt"), "made");
    await assertRefused("exists", () => fileSystem.openWrite("/a.txt", "createNew", UNABORTED));
    await assertRefused("exists", () => fileSystem.openWrite("/dir", "createNew", UNABORTED));
    assertStrictEquals(await readText(fileSystem, "/a.txt"), "alpha");
  });

  test(".openWrite() goes on at an offset and keeps the rest", async (fileSystem) => {
    await writeText(fileSystem, "/a.txt", "LP", { ...UNABORTED, offset: 1 });
    assertStrictEquals(await readText(fileSystem, "/a.txt"), "aLPha");
    await writeText(fileSystem, "/a.txt", "!!", { ...UNABORTED, offset: 4 });
    assertStrictEquals(await readText(fileSystem, "/a.txt"), "aLPh!!");
    await assertRefused("notFound", () => fileSystem.openWrite("/n.txt", { offset: 0 }, UNABORTED));
    await assertRefused("notFound", () => fileSystem.stat("/n.txt", UNABORTED));
  });

  test(".openWrite() writes chunks one after the other, in every mode", async (fileSystem) => {
    const results = { truncate: "123", append: "123123", offset: "123123" };
    for (const mode of ["truncate", "append", { offset: 3 }] as const) {
      const file = await fileSystem.openWrite("/n.txt", mode, UNABORTED);
      for (const chunk of ["1", "", "2", "3"]) await file.write(new TextEncoder().encode(chunk), UNABORTED);
      await file.finish({ ...UNABORTED, sync: true });
      await file.close();
      const key = typeof mode === "string" ? mode : "offset";
      assertStrictEquals(await readText(fileSystem, "/n.txt"), results[key]);
    }
  });

  test(".openWrite() with replace shows nothing until it is finished", async (fileSystem) => {
    for (const path of ["/a.txt", "/dir/n.txt"]) {
      const before = await listNames(fileSystem, path === "/a.txt" ? "/" : "/dir");
      const file = await fileSystem.openWrite(path, "replace", { ...UNABORTED, umask: 0o077 });
      await file.write(new TextEncoder().encode("new "), UNABORTED);
      await file.write(new TextEncoder().encode("content"), UNABORTED);
      assertEquals(await listNames(fileSystem, path === "/a.txt" ? "/" : "/dir"), before);
      if (path === "/a.txt") assertStrictEquals(await readText(fileSystem, path), "alpha");
      else await assertRefused("notFound", () => fileSystem.stat(path, UNABORTED));
      await file.finish({ ...UNABORTED, sync: true });
      assertStrictEquals(await readText(fileSystem, path), "new content");
      await file.close();
      assertStrictEquals(await readText(fileSystem, path), "new content");
      const { mode = 0o600 } = await fileSystem.stat(path, UNABORTED);
      if (path !== "/a.txt") assertStrictEquals(mode, 0o600);
    }
  });

  test(".openWrite() with replace leaves nothing when it is closed before", async (fileSystem) => {
    for (const path of ["/a.txt", "/n.txt"]) {
      const file = await fileSystem.openWrite(path, "replace", UNABORTED);
      await file.write(new TextEncoder().encode("part"), UNABORTED);
      await file.close();
      await file.close();
    }
    assertStrictEquals(await readText(fileSystem, "/a.txt"), "alpha");
    assertEquals(await listNames(fileSystem, "/"), ["a.txt", "dir"]);
  });

  test(".openWrite() refuses directories, missing parents and paths through files", async (fileSystem) => {
    for (const mode of ["truncate", "replace", "append", { offset: 0 }] as const) {
      await assertRefused("isDirectory", () => fileSystem.openWrite("/dir", mode, UNABORTED));
      await assertRefused("isDirectory", () => fileSystem.openWrite("/", mode, UNABORTED));
      await assertRefused("notFound", () => fileSystem.openWrite("/none/x", mode, UNABORTED));
      await assertRefused("notDirectory", () => fileSystem.openWrite("/a.txt/x", mode, UNABORTED));
    }
  });

  test(".openWrite() takes large files in large chunks", async (fileSystem) => {
    const chunk = new Uint8Array(300_000).map((_, index) => index % 251);
    const file = await fileSystem.openWrite("/large", "truncate", UNABORTED);
    for (let count = 0; count < 5; count++) await file.write(chunk, UNABORTED);
    await file.finish(UNABORTED);
    await file.close();
    assertStrictEquals((await fileSystem.stat("/large", UNABORTED)).size, 1_500_000);
    const reader = await fileSystem.openRead("/large", { ...UNABORTED, offset: 1_200_000 });
    const buffer = new Uint8Array(300_000);
    let length = 0;
    for (
      let count = await reader.read(buffer, UNABORTED);
      count !== null;
      count = await reader.read(buffer.subarray(length), UNABORTED)
    ) {
      length += count;
      if (length === buffer.length) break;
    }
    reader.close();
    assertEquals(buffer, chunk);
  });
}

function testWriting(name: string, makeFileSystem: MakeFileSystem<WritableFileSystem>): void {
  const test = testWith(name, makeFileSystem);

  test(".openWrite() keeps the old content until something is written, or the end has come", async (fileSystem) => {
    const content = async () => (await fileSystem.stat("/old.txt", UNABORTED)).size;
    await writeText(fileSystem, "/old.txt", "old");
    const unused = await fileSystem.openWrite("/old.txt", "truncate", UNABORTED);
    assertEquals(await content(), 3);
    await unused.write(new Uint8Array(0), UNABORTED);
    await unused.close();
    assertEquals(await content(), 3);
    const written = await fileSystem.openWrite("/old.txt", "truncate", UNABORTED);
    await written.write(new Uint8Array(1), UNABORTED);
    assertEquals(await content(), 1);
    await written.close();
    const empty = await fileSystem.openWrite("/old.txt", "truncate", UNABORTED);
    await empty.finish(UNABORTED);
    await empty.close();
    assertEquals(await content(), 0);
  });

  test(".openWrite() with replace may be done by two at once, the last of whom wins", async (fileSystem) => {
    const first = await fileSystem.openWrite("/a.txt", "replace", UNABORTED);
    const second = await fileSystem.openWrite("/a.txt", "replace", UNABORTED);
    await first.write(new TextEncoder().encode("first"), UNABORTED);
    await second.write(new TextEncoder().encode("2nd"), UNABORTED);
    await second.finish(UNABORTED);
    assertStrictEquals(await readText(fileSystem, "/a.txt"), "2nd");
    await first.finish(UNABORTED);
    for (const file of [first, second]) file.close();
    assertStrictEquals(await readText(fileSystem, "/a.txt"), "first");
  });

  test(".openWrite() with replace refuses what has come to be in its place", async (fileSystem) => {
    const file = await fileSystem.openWrite("/n.txt", "replace", UNABORTED);
    await fileSystem.makeDirectory("/n.txt", UNABORTED);
    await assertRefused("isDirectory", () => file.finish(UNABORTED));
    file.close();
    const lost = await fileSystem.openWrite("/n.txt/x", "replace", UNABORTED);
    await fileSystem.rename("/n.txt", "/moved", UNABORTED);
    await assertRefused("notFound", () => lost.finish(UNABORTED));
    lost.close();
    assertStrictEquals((await fileSystem.stat("/moved", UNABORTED)).type, "directory");
  });

  test(".openWrite() with place shows nothing until it is finished, and takes a free name alone", async (fileSystem) => {
    await assertRefused("exists", () => fileSystem.openWrite("/a.txt", "place", UNABORTED));
    await assertRefused("exists", () => fileSystem.openWrite("/dir", "place", UNABORTED));
    const first = await fileSystem.openWrite("/n.txt", "place", { ...UNABORTED, umask: 0o077 });
    const second = await fileSystem.openWrite("/n.txt", "place", UNABORTED);
    await first.write(new TextEncoder().encode("first"), UNABORTED);
    await second.write(new TextEncoder().encode("2nd"), UNABORTED);
    await assertRefused("notFound", () => fileSystem.stat("/n.txt", UNABORTED));
    await first.finish({ ...UNABORTED, sync: true });
    await assertRefused("exists", () => second.finish(UNABORTED));
    for (const file of [first, second]) file.close();
    assertStrictEquals(await readText(fileSystem, "/n.txt"), "first");
    const { mode = 0o600 } = await fileSystem.stat("/n.txt", UNABORTED);
    assertStrictEquals(mode, 0o600);
    assertEquals(await listNames(fileSystem, "/"), ["a.txt", "dir", "n.txt"]);
  });

  test(".openWrite() returns a file that is not finished once it was removed", async (fileSystem) => {
    const removed = await fileSystem.openWrite("/n.txt", "truncate", UNABORTED);
    await removed.write(new Uint8Array(3), UNABORTED);
    await fileSystem.remove("/n.txt", UNABORTED);
    await writeText(fileSystem, "/n.txt", "another");
    await assertRefused("notFound", () => removed.finish(UNABORTED));
    removed.close();
  });

  test(" lets nothing take the place of a file that is being written", async (fileSystem) => {
    const file = await fileSystem.openWrite("/dir/b.txt", "append", UNABORTED);
    await file.write(new TextEncoder().encode("!"), UNABORTED);
    await assertRefused("busy", () => fileSystem.rename("/a.txt", "/dir/b.txt", UNABORTED));
    await assertRefused("busy", () => fileSystem.rename("/dir/b.txt", "/dir/b.txt", UNABORTED));
    const replacement = await fileSystem.openWrite("/dir/b.txt", "replace", UNABORTED);
    await assertRefused("busy", () => replacement.finish(UNABORTED));
    await file.finish(UNABORTED);
    file.close();
    assertStrictEquals(await readText(fileSystem, "/dir/b.txt"), "beta!");
    await replacement.finish(UNABORTED);
    replacement.close();
    assertStrictEquals(await readText(fileSystem, "/dir/b.txt"), "");
    await fileSystem.rename("/a.txt", "/dir/b.txt", UNABORTED);
    assertStrictEquals(await readText(fileSystem, "/dir/b.txt"), "alpha");
  });

  test(".openWrite() with replace takes over the permission bits", async (fileSystem) => {
    const { mode } = await fileSystem.stat("/a.txt", UNABORTED);
    if (mode === undefined || Deno.build.os === "windows") return;
    for (const bits of [0o600, 0o755, 0o666, 0o400]) {
      await fileSystem.setMode?.("/a.txt", bits, UNABORTED);
      const file = await fileSystem.openWrite("/a.txt", "replace", { ...UNABORTED, umask: 0o027 });
      await file.write(new TextEncoder().encode("new"), UNABORTED);
      await file.finish(UNABORTED);
      file.close();
      assertStrictEquals((await fileSystem.stat("/a.txt", UNABORTED)).mode, bits);
      assertStrictEquals(await readText(fileSystem, "/a.txt"), "new");
    }
    const file = await fileSystem.openWrite("/a.txt", "replace", UNABORTED);
    await fileSystem.setMode?.("/a.txt", 0o640, UNABORTED);
    await file.finish(UNABORTED);
    file.close();
    assertStrictEquals((await fileSystem.stat("/a.txt", UNABORTED)).mode, 0o640);
  });

  test(".openWrite() returns a file that is finished though it was renamed, and not once it is closed", async (fileSystem) => {
    const file = await fileSystem.openWrite("/n.txt", "truncate", UNABORTED);
    await file.write(new TextEncoder().encode("all"), UNABORTED);
    await fileSystem.rename("/n.txt", "/m.txt", UNABORTED);
    await file.finish(UNABORTED);
    file.close();
    assertStrictEquals(await readText(fileSystem, "/m.txt"), "all");
    await assertRejects(() => file.finish(UNABORTED), TypeError);
  });

  test(".openWrite() lets one writer at a file and leaves it as it is for others", async (fileSystem) => {
    const file = await fileSystem.openWrite("/n.txt", "createNew", UNABORTED);
    await file.write(new TextEncoder().encode("first"), UNABORTED);
    for (const mode of ["truncate", "append", { offset: 0 }] as const) {
      await assertRefused("busy", () => fileSystem.openWrite("/n.txt", mode, UNABORTED));
    }
    assertStrictEquals(await readText(fileSystem, "/n.txt"), "first");
    file.close();
    await writeText(fileSystem, "/n.txt", "second");
    file.close();
    assertStrictEquals(await readText(fileSystem, "/n.txt"), "second");
  });

  test(".openWrite() creates a file that goes if it is closed before anything is written", async (fileSystem) => {
    for (const mode of ["truncate", "append", "createNew"] as const) {
      const unused = await fileSystem.openWrite("/n.txt", mode, UNABORTED);
      await unused.write(new Uint8Array(0), UNABORTED);
      unused.close();
      await assertRefused("notFound", () => fileSystem.stat("/n.txt", UNABORTED));
      unused.close();

      const replaced = await fileSystem.openWrite("/n.txt", mode, UNABORTED);
      await fileSystem.remove("/n.txt", UNABORTED);
      await writeText(fileSystem, "/n.txt", "another", "createNew");
      replaced.close();
      (await fileSystem.openWrite("/n.txt", "append", UNABORTED)).close();
      assertStrictEquals(await readText(fileSystem, "/n.txt"), "another");
      await fileSystem.remove("/n.txt", UNABORTED);
    }
  });

  test(".openWrite() returns a file that refuses bytes once it is closed", async (fileSystem) => {
    const file = await fileSystem.openWrite("/n.txt", "truncate", UNABORTED);
    await file.write(new Uint8Array(1), UNABORTED);
    file.close();
    await assertRejects(() => file.write(new Uint8Array(1), UNABORTED), TypeError);
    assertStrictEquals((await fileSystem.stat("/n.txt", UNABORTED)).size, 1);
  });
}

/** What files with pieces of a size show of the bytes that are kept. */
export interface WholeUploadOptions {
  /** Pieces in which bytes are kept: of an interrupted upload as many as are whole. @default {1} */
  readonly partBytes?: number;
}

function testWholeWriting(
  name: string,
  makeFileSystem: MakeFileSystem<WritableFileSystem>,
  { partBytes = 1 }: WholeUploadOptions,
): void {
  const test = testWith(name, makeFileSystem);
  const whole = (size: number) => Uint8Array.from({ length: size }, (_, index) => 97 + index % 23);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const bytes = whole(Math.max(20, 2 * partBytes + Math.ceil(partBytes / 2)));

  const read = (fileSystem: WritableFileSystem, path: string) =>
    readText(fileSystem, path, Math.max(3, Math.ceil(partBytes / 8)));

  /** Begins to upload, and is interrupted; returns how many bytes are kept. */
  async function interrupt(fileSystem: WritableFileSystem, path: string, mode: WriteMode): Promise<number> {
    const file = await fileSystem.openWrite(path, mode, UNABORTED);
    await file.write(bytes, UNABORTED);
    await file.close();
    const kept = await fileSystem.resumable?.(path, UNABORTED) ?? 0;
    assertGreater(kept, 0);
    return kept;
  }

  test(".openWrite() shows nothing until it is finished, in any mode", async (fileSystem) => {
    for (const mode of ["replace", "append", { offset: 2 }, "truncate"] as const) {
      const before = await read(fileSystem, "/a.txt");
      const file = await fileSystem.openWrite("/a.txt", mode, UNABORTED);
      await file.write(bytes, UNABORTED);
      assertStrictEquals(await read(fileSystem, "/a.txt"), before);
      await file.finish(UNABORTED);
      await file.close();
      const kept = mode === "append" ? before : typeof mode === "object" ? before.slice(0, mode.offset) : "";
      const behind = typeof mode === "object" ? before.slice(mode.offset + bytes.length) : "";
      assertStrictEquals(await read(fileSystem, "/a.txt"), kept + text(bytes) + behind);
    }
  });

  test(".openWrite() keeps what came of an upload that was interrupted, and goes on with it", async (fileSystem) => {
    for (const how of ["append", "offset"] as const) {
      const path = `/${how}`;
      const kept = await interrupt(fileSystem, path, "replace");
      assert(kept <= bytes.length && kept > bytes.length - partBytes, `${kept} of ${bytes.length}`);
      await assertRefused("notFound", () => fileSystem.stat(path, UNABORTED));
      const file = await fileSystem.openWrite(path, how === "append" ? how : { offset: kept }, UNABORTED);
      await file.write(bytes.subarray(kept), UNABORTED);
      await file.finish(UNABORTED);
      await file.close();
      assertStrictEquals(await read(fileSystem, path), text(bytes));
      assertStrictEquals(await fileSystem.resumable?.(path, UNABORTED), undefined);
    }
  });

  test(".openWrite() goes on as the interrupted upload was opened", async (fileSystem) => {
    await interrupt(fileSystem, "/n.txt", "place");
    const file = await fileSystem.openWrite("/n.txt", "append", UNABORTED);
    const other = await fileSystem.openWrite("/other", "replace", UNABORTED);
    await other.finish(UNABORTED);
    await other.close();
    await fileSystem.rename("/other", "/n.txt", UNABORTED);
    await assertRefused("exists", () => file.finish(UNABORTED));
    await file.close();
    assertStrictEquals(await read(fileSystem, "/n.txt"), "");
  });

  test(".openWrite() leaves the old file to readers while an upload in its place is interrupted", async (fileSystem) => {
    await interrupt(fileSystem, "/a.txt", "replace");
    assertStrictEquals(await read(fileSystem, "/a.txt"), "alpha");
    assertStrictEquals((await fileSystem.stat("/a.txt", UNABORTED)).size, 5);
  });

  test(".openWrite() refuses an offset behind what is kept, and keeps that", async (fileSystem) => {
    const kept = await interrupt(fileSystem, "/n.txt", "replace");
    await assertRefused("invalidOffset", () => fileSystem.openWrite("/n.txt", { offset: kept + 1 }, UNABORTED));
    assertStrictEquals(await fileSystem.resumable?.("/n.txt", UNABORTED), kept);
  });

  test(".openWrite() from the beginning forgets what was interrupted", async (fileSystem) => {
    await interrupt(fileSystem, "/n.txt", "replace");
    await writeText(fileSystem, "/n.txt", "short", "replace");
    assertStrictEquals(await read(fileSystem, "/n.txt"), "short");
    assertStrictEquals(await fileSystem.resumable?.("/n.txt", UNABORTED), undefined);
  });

  test(".openWrite() keeps nothing of an upload of which nothing came", async (fileSystem) => {
    for (const mode of ["replace", "place", "append"] as const) {
      await (await fileSystem.openWrite("/n.txt", mode, UNABORTED)).close();
      assertStrictEquals(await fileSystem.resumable?.("/n.txt", UNABORTED), undefined);
      await assertRefused("notFound", () => fileSystem.stat("/n.txt", UNABORTED));
    }
  });

  test(".openWrite() lets one upload at a name, and others when it is closed", async (fileSystem) => {
    const file = await fileSystem.openWrite("/n.txt", "replace", UNABORTED);
    for (const mode of ["replace", "place", "append"] as const) {
      await assertRefused("busy", () => fileSystem.openWrite("/n.txt", mode, UNABORTED));
    }
    await file.close();
    await writeText(fileSystem, "/n.txt", "second", "place");
    assertStrictEquals(await read(fileSystem, "/n.txt"), "second");
  });

  test(".openWrite() returns a file that cannot be used once it is closed", async (fileSystem) => {
    const file = await fileSystem.openWrite("/n.txt", "replace", UNABORTED);
    await file.close();
    await file.close();
    await assertRejects(() => file.write(new Uint8Array(1), UNABORTED), TypeError);
    await assertRejects(() => file.finish(UNABORTED), TypeError);
  });
}

function testChanging(name: string, makeFileSystem: MakeFileSystem<WritableFileSystem>): void {
  const test = testWith(name, makeFileSystem);

  test(".remove() removes a file, not a directory", async (fileSystem) => {
    await fileSystem.remove("/a.txt", UNABORTED);
    await assertRefused("notFound", () => fileSystem.stat("/a.txt", UNABORTED));
    await assertRefused("notFound", () => fileSystem.remove("/a.txt", UNABORTED));
    await assertRefused("isDirectory", () => fileSystem.remove("/dir", UNABORTED));
    await assertRefused("notDirectory", () => fileSystem.remove("/dir/b.txt/x", UNABORTED));
  });

  test(".makeDirectory() makes one directory", async (fileSystem) => {
    await fileSystem.makeDirectory("/dir/new", UNABORTED);
    assertEquals(await listNames(fileSystem, "/dir/new"), []);
    await assertRefused("exists", () => fileSystem.makeDirectory("/dir/new", UNABORTED));
    await assertRefused("exists", () => fileSystem.makeDirectory("/a.txt", UNABORTED));
    await assertRefused("exists", () => fileSystem.makeDirectory("/", UNABORTED));
    await assertRefused("notFound", () => fileSystem.makeDirectory("/none/new", UNABORTED));
    await assertRefused("notDirectory", () => fileSystem.makeDirectory("/a.txt/new", UNABORTED));
  });

  test(".removeDirectory() removes an empty directory alone", async (fileSystem) => {
    await assertRefused("directoryNotEmpty", () => fileSystem.removeDirectory("/dir/sub", UNABORTED));
    await assertRefused("notDirectory", () => fileSystem.removeDirectory("/a.txt", UNABORTED));
    await assertRefused("notFound", () => fileSystem.removeDirectory("/none", UNABORTED));
    await fileSystem.remove("/dir/sub/c.txt", UNABORTED);
    await fileSystem.removeDirectory("/dir/sub", UNABORTED);
    await assertRefused("notFound", () => fileSystem.stat("/dir/sub", UNABORTED));
  });

  test(".rename() moves files and directories", async (fileSystem) => {
    await fileSystem.rename("/a.txt", "/dir/moved.txt", UNABORTED);
    await assertRefused("notFound", () => fileSystem.stat("/a.txt", UNABORTED));
    await fileSystem.rename("/dir", "/other", UNABORTED);
    assertStrictEquals(await readText(fileSystem, "/other/moved.txt"), "alpha");
    assertStrictEquals(await readText(fileSystem, "/other/b.txt"), "beta");
  });

  test(".rename() replaces a file, never a directory, and no file by a directory", async (fileSystem) => {
    await fileSystem.rename("/a.txt", "/dir/b.txt", UNABORTED);
    assertStrictEquals(await readText(fileSystem, "/dir/b.txt"), "alpha");
    await fileSystem.makeDirectory("/empty", UNABORTED);
    await assertRefused("exists", () => fileSystem.rename("/dir/b.txt", "/empty", UNABORTED));
    await assertRefused("exists", () => fileSystem.rename("/dir/sub", "/empty", UNABORTED));
    await assertRefused("exists", () => fileSystem.rename("/empty", "/dir/b.txt", UNABORTED));
    assertEquals(await listNames(fileSystem, "/"), ["dir", "empty"]);
  });

  test(".rename() to the same name changes nothing", async (fileSystem) => {
    await fileSystem.rename("/a.txt", "/a.txt", UNABORTED);
    await fileSystem.rename("/dir", "/dir", UNABORTED);
    assertStrictEquals(await readText(fileSystem, "/a.txt"), "alpha");
    assertStrictEquals(await readText(fileSystem, "/dir/b.txt"), "beta");
  });

  test(".rename() refuses to move a directory into itself", async (fileSystem) => {
    await assertRefused("invalidName", () => fileSystem.rename("/dir", "/dir/x", UNABORTED));
    await assertRefused("invalidName", () => fileSystem.rename("/dir", "/dir/sub/x", UNABORTED));
    assertStrictEquals(await readText(fileSystem, "/dir/b.txt"), "beta");
  });

  test(".rename() needs a source and a place", async (fileSystem) => {
    await assertRefused("notFound", () => fileSystem.rename("/none", "/x", UNABORTED));
    await assertRefused("notFound", () => fileSystem.rename("/a.txt", "/none/x", UNABORTED));
    await assertRefused("notDirectory", () => fileSystem.rename("/dir", "/a.txt/x", UNABORTED));
  });

  test(" keeps the root", async (fileSystem) => {
    await assertRefused("permissionDenied", () => fileSystem.remove("/", UNABORTED));
    await assertRefused("permissionDenied", () => fileSystem.removeDirectory("/", UNABORTED));
    await assertRefused("permissionDenied", () => fileSystem.rename("/", "/x", UNABORTED));
    await assertRefused("permissionDenied", () => fileSystem.rename("/dir", "/", UNABORTED));
    assertEquals(await listNames(fileSystem, "/"), ["a.txt", "dir"]);
  });

  test(".setModified() sets the time of files and directories", async (fileSystem) => {
    const modified = new Date("2001-02-03T04:05:06Z");
    for (const path of ["/a.txt", "/dir"]) {
      await fileSystem.setModified(path, modified, UNABORTED);
      assertEquals((await fileSystem.stat(path, UNABORTED)).modified, modified);
    }
    await assertRefused("notFound", () => fileSystem.setModified("/none", modified, UNABORTED));
  });

  test(".setMode() sets the permission bits, where there are any", async (fileSystem) => {
    if ((await fileSystem.stat("/a.txt", UNABORTED)).mode === undefined) return;
    await fileSystem.setMode?.("/a.txt", 0o640, UNABORTED);
    assertStrictEquals((await fileSystem.stat("/a.txt", UNABORTED)).mode, 0o640);
    await assertRefused("notFound", () => fileSystem.setMode?.("/none", 0o640, UNABORTED) ?? Promise.resolve());
  });

  test(" refuses to write names with NUL, CR and LF", async (fileSystem) => {
    for (const path of ["/a\0", "/a\r", "/dir/a\nb"]) {
      await assertRefused("invalidName", () => fileSystem.openWrite(path, "truncate", UNABORTED));
      await assertRefused("invalidName", () => fileSystem.makeDirectory(path, UNABORTED));
      await assertRefused("invalidName", () => fileSystem.rename("/a.txt", path, UNABORTED));
    }
    assertEquals(await listNames(fileSystem, "/"), ["a.txt", "dir"]);
  });
}

type Test = (criterion: string, body: (fileSystem: WritableFileSystem) => Promise<void>) => void;

function testWith(name: string, makeFileSystem: MakeFileSystem<WritableFileSystem>): Test {
  return (criterion, body) =>
    Deno.test(`${name}${criterion}`, async () => {
      await using fixture = await makeFileSystem(FILES);
      await body(fixture.fileSystem);
    });
}
