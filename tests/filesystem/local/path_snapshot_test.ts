import { assert, assertStrictEquals } from "@std/assert";
import { type Folder, isOtherFile, isSameFile, PathSnapshot } from "../../../lib/filesystem/local/path_snapshot.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { clockAhead, nextSecond } from "./clock.ts";

/** So long ago that a change shows. */
const LATER_MS = 10_000;

/** Two folders, one in the other, as they are now. */
async function withFolders(body: (folders: readonly Folder[], inner: string) => Promise<void>): Promise<void> {
  await using folder = await TemporaryFolder.create();
  const inner = `${folder.path}/inner`;
  await Deno.mkdir(inner);
  await body([folder.path, inner].map((hostPath) => ({ hostPath, info: Deno.lstatSync(hostPath) })), inner);
}

function test(name: string, body: Parameters<typeof withFolders>[0]): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn: () => withFolders(body) });
}

test(
  "PathSnapshot.isUnchanged() where no folder has changed for some seconds, until one does",
  async (folders, inner) => {
    using _later = clockAhead(LATER_MS);
    const snapshot = new PathSnapshot(folders);
    assertStrictEquals(snapshot.state, "settled");
    assert(snapshot.isUnchanged());
    await nextSecond();
    const { atime, mtime } = await Deno.stat(inner);
    await Deno.writeTextFile(`${inner}/new`, "");
    assert(!snapshot.isUnchanged());
    await Deno.remove(`${inner}/new`);
    await Deno.utime(inner, atime ?? 0, mtime ?? 0);
    assert(!snapshot.isUnchanged(), "The time of the change cannot be set back");
  },
);

test("PathSnapshot.isUnchanged() no more once a folder is another or gone", async (folders, inner) => {
  using _later = clockAhead(LATER_MS);
  const snapshot = new PathSnapshot(folders.slice(0, 1));
  const whole = new PathSnapshot(folders);
  await nextSecond();
  await Deno.remove(inner);
  assert(!whole.isUnchanged());
  await Deno.mkdir(inner);
  assert(!whole.isUnchanged());
  assert(!snapshot.isUnchanged());
});

test("PathSnapshot.isInPlace() while each folder is where it was, whatever changes in it", async (folders, inner) => {
  const snapshot = new PathSnapshot(folders);
  assert(snapshot.isInPlace());
  await Deno.writeTextFile(`${inner}/new`, "");
  assert(snapshot.isInPlace());
  await Deno.rename(inner, `${inner}2`);
  assert(!snapshot.isInPlace());
  await Deno.symlink(`${inner}2`, inner);
  assert(!snapshot.isInPlace());
  assert(new PathSnapshot([]).isInPlace() && !new PathSnapshot(undefined).isInPlace());
});

test("PathSnapshot.isUnchanged() nowhere where a folder has just changed", async (folders) => {
  const snapshot = new PathSnapshot(folders);
  assertStrictEquals(snapshot.state, "changing");
  assert(!snapshot.isUnchanged());
  await Promise.resolve();
});

test("PathSnapshot.isUnchanged() nowhere where a folder is on another device or unknown", async ([root, inner]) => {
  using _later = clockAhead(LATER_MS);
  assert(root !== undefined && inner !== undefined);
  const mounted = { ...inner, info: { ...inner.info, dev: inner.info.dev + 1 } };
  for (const folders of [[root, mounted], undefined]) {
    assertStrictEquals(new PathSnapshot(folders).state, "changing");
    assert(!new PathSnapshot(folders).isUnchanged());
  }
  await Promise.resolve();
});

test("PathSnapshot.isUnchanged() always where there is no folder on it", async () => {
  assert(new PathSnapshot([]).isUnchanged());
  await Promise.resolve();
});

Deno.test("isSameFile() and isOtherFile() are sure, or say no", () => {
  const file = { dev: 1, ino: 2 };
  assert(isSameFile(file, { dev: 1, ino: 2 }) && !isOtherFile(file, { dev: 1, ino: 2 }));
  for (const other of [{ dev: 1, ino: 3 }, { dev: 2, ino: 2 }]) {
    assert(!isSameFile(file, other) && isOtherFile(file, other));
  }
  for (const unknown of [{ dev: 1, ino: null }, { dev: 1, ino: 0 }]) {
    assert(!isSameFile(unknown, unknown) && !isOtherFile(file, unknown) && !isOtherFile(unknown, file));
  }
});
