import { assert, assertEquals, assertGreaterOrEqual, assertStrictEquals } from "@std/assert";
import { COMMANDS } from "../../lib/commands/table.ts";
import { TestServer } from "../helpers/test_server.ts";
import { HOSTILE_PATHS } from "../security/hostile_paths.ts";
import { attempt, TraversalScene } from "../security/traversal_scene.ts";

Deno.test("HOSTILE_PATHS are 400 at least, each another one, and each a single line", () => {
  assertGreaterOrEqual(HOSTILE_PATHS.length, 400);
  assertStrictEquals(new Set(HOSTILE_PATHS).size, HOSTILE_PATHS.length);
  assert(HOSTILE_PATHS.every((path) => path !== "" && !path.includes("\n")));
});

for (const row of COMMANDS.filter((row) => row.pathname !== undefined && row.argument !== "none")) {
  Deno.test({
    name: `${row.verb} stays in the home, whatever hostile path it is given`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using scene = await TraversalScene.create();
      await scene.repair();
      await using server = await TestServer.start({ protection: "clear", home: `${scene.path}/home` });
      await using client = await server.login();
      await client.expect(200, "TYPE I");
      const before = await scene.outside();
      for (const path of HOSTILE_PATHS) {
        if (row.verb === "RNTO") await Deno.writeTextFile(`${scene.path}/home/in.txt`, "inside");
        if (row.verb === "CWD") await client.expect(250, "CWD /");
        const { codes, text } = await attempt(client, row, path);
        const what = `${row.verb} ${JSON.stringify(path)}: ${text}`;
        assert(codes.every((code) => code >= 150 && code < 600 && code !== 451), what);
        assert(!scene.isToldOf(text), what);
      }
      assertEquals(await scene.outside(), before);
    },
  });
}
