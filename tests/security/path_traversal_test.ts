import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { CommandSpec } from "../../lib/commands/command.ts";
import { COMMANDS } from "../../lib/commands/table.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer } from "../helpers/test_server.ts";
import { attempt, TraversalScene } from "./traversal_scene.ts";

/** Paths that lead out, or would if dots were left to the system. */
const OUTSIDE_BY_LINK = [
  "absolute",
  "relative",
  "folder",
  "folder/",
  "/folder/secret",
  "folder/empty",
  "folder/new",
  "folder-relative/secret",
  "folder-relative/full/x",
  "around/outside/secret",
  "around/outside/new",
  "system/etc/passwd",
  "chain",
  "chain/new",
  "inner/link/secret",
  "./inner/../inner/link/new",
  "dangling",
];
const LINKS = ["absolute", "relative", "folder", "folder/", "chain", "dangling"];
/** Where the link itself is removed or replaced, or is but the beginning of a new name. */
const HARMLESS: Readonly<Record<string, readonly string[]>> = { DELE: LINKS, RMD: LINKS, RNTO: LINKS, STOU: LINKS };
const OUTSIDE_BY_DOTS = [
  "../outside/secret",
  "/../outside/secret",
  "/../../../../../../../../etc/passwd",
  "inner/../../outside/secret",
  "../outside/new",
  "..",
  "/..",
  "../",
  "..\\outside\\secret",
  "....//outside/secret",
  "%2e%2e/outside/secret",
  "~/secret",
  "//outside/secret",
];

for (const row of COMMANDS.filter((row) => row.pathname !== undefined && row.argument !== "none")) {
  Deno.test({
    name: `${row.verb} never leaves the home, by dots or by links`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using scene = await TraversalScene.create();
      await using server = await TestServer.start({ protection: "clear", home: `${scene.path}/home` });
      await using client = await server.login();
      await client.expect(200, "TYPE I");
      const before = await scene.outside();
      for (const path of [...OUTSIDE_BY_LINK, ...OUTSIDE_BY_DOTS]) {
        await scene.repair();
        await client.expect(250, "CWD /");
        const { codes, text } = await attempt(client, row, path);
        const what = `${row.verb} ${path}: ${text}`;
        const isRefused = OUTSIDE_BY_LINK.includes(path) && !HARMLESS[row.verb]?.includes(path);
        if (isRefused) assert(codes.length === 1 && (codes[0] ?? 0) >= 500, what);
        assert(!scene.isToldOf(text), what);
        assertEquals(await scene.outside(), before, what);
      }
      await assertUsefulInside(client, row, scene);
    },
  });
}

/** The same command works inside, so that its refusals above are not those of a broken test. */
async function assertUsefulInside(client: RawClient, row: CommandSpec, scene: TraversalScene): Promise<void> {
  await scene.repair();
  await client.expect(250, "CWD /");
  const path = { CWD: "inner", MLSD: "inner", RMD: "hollow", RNTO: "new", MKD: "new" }[row.verb] ?? "in.txt";
  const { codes, text } = await attempt(client, row, path);
  assert((codes.at(-1) ?? 0) < 400, `${row.verb} ${path}: ${text}`);
}

Deno.test("CDUP and CWD .. stay at the root", async () => {
  await using scene = await TraversalScene.create();
  await scene.repair();
  await using server = await TestServer.start({ protection: "clear", home: `${scene.path}/home` });
  await using client = await server.login();
  for (const line of ["CDUP", "CWD ..", "CWD ../../..", "XCUP"]) {
    assertEquals((await client.command(line)).text, '250 "/" is the current directory.');
  }
  assertNotEquals((await client.list("NLST")).indexOf("in.txt"), -1);
});

Deno.test({
  name: "A current directory that is swapped for a link out of the home leads nowhere",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using scene = await TraversalScene.create();
    await scene.repair();
    await using server = await TestServer.start({ protection: "clear", home: `${scene.path}/home` });
    await using client = await server.login();
    await client.expect(250, "CWD inner");
    await Deno.rename(`${scene.path}/home/inner`, `${scene.path}/home/away`);
    await Deno.symlink("../outside", `${scene.path}/home/inner`);
    const before = await scene.outside();
    await client.expect(257, "PWD");
    for (const line of ["MLST secret", "SIZE secret", "STAT .", "MKD new", "DELE secret", "CWD full"]) {
      assertEquals((await client.command(line)).code, 550, line);
    }
    assertEquals(await scene.outside(), before);
  },
});
