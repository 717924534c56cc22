/**
 * What the system refuses for good is told as that: by 550, not by a code that makes clients try again.
 *
 * @module
 */

import { FileSystemError } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertDialogue, type Exchange } from "../helpers/dialogue.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { mountRefusal } from "../helpers/small_disk.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";

const DENIED = "550 Permission denied.";

const OF_MOUNTS: readonly Exchange[] = [
  ["RMD mount", DENIED],
  ["RNFR mount", /^350 /],
  ["RNTO elsewhere", DENIED],
  ["RNFR file", /^350 /],
  ["RNTO mount/file", DENIED],
  ["RNFR folder", /^350 /],
  ["RNTO mount/folder", DENIED],
  ["MLST file", /^250-/],
];

const refusal = await mountRefusal();

Deno.test({
  name: `RMD and RNTO reply 550 for a mount point, and RNTO to another mount${
    refusal === undefined ? "" : ` (ignored: ${refusal})`
  }`,
  ignore: refusal !== undefined,
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    for (const name of ["mount", "folder"]) await Deno.mkdir(`${folder.path}/${name}`);
    await Deno.writeTextFile(`${folder.path}/file`, "12345");
    await requireProgram("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", `${folder.path}/mount`]);
    await using stack = new AsyncDisposableStack();
    stack.defer(async () => void await requireProgram("umount", [`${folder.path}/mount`]));
    await using server = await TestServer.start({ home: folder.path });
    await using client = await server.login();
    await assertDialogue(client, OF_MOUNTS);
  },
});

/** A file system with a directory in which the host lets nobody look. */
class ClosedFileSystem extends MemoryFileSystem {
  override stat(path: string): ReturnType<MemoryFileSystem["stat"]> {
    if (!path.startsWith("/closed/")) return super.stat(path);
    return Promise.reject(new FileSystemError("permissionDenied", "Nobody may search it"));
  }
}

Deno.test("CWD replies 550 for a directory that cannot be searched", async () => {
  const home = new ClosedFileSystem();
  for (const path of ["/closed", "/open"]) await home.makeDirectory(path);
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await assertDialogue(client, [
    ["CWD closed", DENIED],
    ["PWD", '257 "/" is the current directory.'],
    ["CWD open", '250 "/open" is the current directory.'],
  ]);
});
