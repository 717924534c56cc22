import { assertEquals, assertStrictEquals } from "@std/assert";
import { syncDirectory } from "../../../lib/filesystem/local/local_file.ts";
import { LocalFileSystem } from "../../../lib/filesystem/local/local_filesystem.ts";
import { assertRefused } from "../../conformance/filesystem_conformance.ts";
import { isInstalled } from "../../helpers/client_program.ts";
import { requireProgram } from "../../helpers/run_program.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

Deno.test("LocalWritableFile does not finish when another process has made the file shorter", async () => {
  await using folder = await TemporaryFolder.create();
  const fileSystem = new LocalFileSystem(folder.path);
  for (const [mode, before] of [["truncate", "x"], ["append", "before"], [{ offset: 2 }, "before"]] as const) {
    await Deno.writeTextFile(`${folder.path}/file`, before);
    const file = await fileSystem.openWrite("/file", mode);
    await file.write(new Uint8Array(10), UNABORTED);
    const { size } = await Deno.stat(`${folder.path}/file`);
    await Deno.truncate(`${folder.path}/file`, size - 1);
    await assertRefused("busy", () => file.finish(UNABORTED));
    await Deno.truncate(`${folder.path}/file`, size);
    await file.finish(UNABORTED);
    file.close();
  }
});

Deno.test("LocalWritableFile finishes a file that goes on behind what was written", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/file`, "0123456789");
  const file = await new LocalFileSystem(folder.path).openWrite("/file", { offset: 2 });
  await file.write(new TextEncoder().encode("ab"), UNABORTED);
  await file.finish(UNABORTED);
  file.close();
  assertStrictEquals(await Deno.readTextFile(`${folder.path}/file`), "01ab456789");
});

Deno.test("syncDirectory() rejects for a folder that is not there", async () => {
  await using folder = await TemporaryFolder.create();
  await syncDirectory("/", folder.path);
  if (Deno.build.os !== "windows") {
    await assertRefused("notFound", () => syncDirectory("/missing", `${folder.path}/missing`));
  }
});

/** What is flushed and renamed, in its order; the file that is uploaded has a name of its own each time. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  truncate: ["fsync file", "fsync folder"],
  replace: ["fsync file", "rename", "fsync folder"],
};

const STRACE = isInstalled("strace");
const reason = STRACE ? "" : " (ignored: strace is not installed)";

for (const [mode, expected] of Object.entries(CALLS)) {
  Deno.test({
    name: `WritableFile.finish({ sync }) of ${mode} does ${expected.join(", ")}, as the system sees it${reason}`,
    ignore: !STRACE,
    fn: async () => assertEquals(await systemCalls(mode), expected),
  });
}

/** Writes a file in a process of its own, and tells which calls of the system matter for what a loss of power leaves. */
async function systemCalls(mode: string): Promise<string[]> {
  await using folder = await TemporaryFolder.create();
  const home = `${folder.path}/home`;
  await Deno.mkdir(home);
  const adapter = new URL("../../../lib/filesystem/local/local_filesystem.ts", import.meta.url).href;
  const program = `
    import { LocalFileSystem } from ${JSON.stringify(adapter)};
    const file = await new LocalFileSystem(${JSON.stringify(home)}).openWrite("/file", ${JSON.stringify(mode)});
    await file.write(new Uint8Array(10));
    await file.finish({ sync: true });
    file.close();`;
  await Deno.writeTextFile(`${folder.path}/program.ts`, program);
  const trace = `${folder.path}/trace`;
  const options = ["-f", "-y", "-qq", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-o", trace];
  const deno = [Deno.execPath(), "run", "--no-check", "--no-prompt", "--no-config", `--allow-read=${home}`];
  await requireProgram("strace", [...options, ...deno, `--allow-write=${home}`, `${folder.path}/program.ts`]);
  const lines = (await Deno.readTextFile(trace)).split("\n").filter((line) => line.includes(home));
  return lines.map((line) => {
    const call = /(\w+)\(/.exec(line)?.[1] ?? "";
    if (call.startsWith("rename")) return "rename";
    return `${call} ${line.includes(`<${home}>`) ? "folder" : "file"}`;
  });
}

Deno.test("LocalReadableFile reads all of a file that grows while it is read", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/file`;
  const fileSystem = new LocalFileSystem(folder.path);
  const buffer = new Uint8Array(100);
  await Deno.writeTextFile(path, "0123456789");
  const file = await fileSystem.openRead("/file");
  await Deno.writeTextFile(path, "+", { append: true });
  assertStrictEquals(await file.read(buffer, UNABORTED), 11);
  await Deno.writeTextFile(path, "++", { append: true });
  assertStrictEquals(await file.read(buffer, UNABORTED), 2);
  file.close();
});

Deno.test("LocalReadableFile asks no second time for the end that a read has found", async () => {
  await using folder = await TemporaryFolder.create();
  const path = `${folder.path}/file`;
  await Deno.writeTextFile(path, "0123456789");
  const fileSystem = new LocalFileSystem(folder.path);
  for (const [offset, count] of [[0, 10], [4, 6]] as const) {
    const file = await fileSystem.openRead("/file", { offset });
    assertStrictEquals(await file.read(new Uint8Array(11), UNABORTED), count);
    await Deno.writeTextFile(path, "+", { append: true });
    assertStrictEquals(await file.read(new Uint8Array(11), UNABORTED), null);
    file.close();
    await Deno.truncate(path, 10);
  }
});
