import { assertEquals } from "@std/assert";
import { clientTest, testClient } from "./client_suite.ts";
import { LFTP, lftp, quoted } from "./lftp.ts";
import { readTree, Scene, writeTree } from "./scene.ts";

testClient(LFTP);

const TREE_FILES = 2_000;
const TREE_FOLDERS = 40;

for (
  const { direction, version } of [{ direction: "to", version: "TLSv1.3" }, {
    direction: "from",
    version: "TLSv1.2",
  }] as const
) {
  clientTest(
    LFTP,
    `mirrors a tree of ${TREE_FILES} files ${direction} the server over 8 connections, ${version}`,
    async () => {
      await using scene = await Scene.start({ version });
      const files: Record<string, string> = {};
      for (let index = 0; index < TREE_FILES; index++) {
        const folder = index % TREE_FOLDERS;
        files[`outer ${folder % 5}/ïnner ${folder}/.file ${index}`] = `${index}\n`.repeat(index % 50);
      }
      const [source, copy] = direction === "to" ? [scene.local, scene.home] : [scene.home, scene.local];
      await writeTree(`${source}/tree`, files);
      const original = await readTree(`${source}/tree`);
      const mirror = `mirror --parallel=8 ${direction === "to" ? "--reverse" : ""}`;
      const [from, to] = direction === "to" ? [quoted(`${source}/tree`), "tree"] : ["tree", quoted(`${copy}/tree`)];
      await lftp(scene.target, [`${mirror} ${from} ${to}`]);
      assertEquals(await readTree(`${copy}/tree`), original);
    },
  );
}
