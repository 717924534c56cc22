import { assertEquals } from "@std/assert";
import { USER } from "../helpers/test_server.ts";
import { clientTest, testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { FilePair, Step, Target } from "./real_client.ts";
import { authorityOf, commandFor, type Commands, linesOf, runClient } from "./run_client.ts";
import { readTree, Scene, writeTree } from "./scene.ts";

const LFTP = realClient("lftp", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    return linesOf(await lftp(target, steps.map((step) => commandFor(COMMANDS, step, quoted))));
  },

  async abort(target: Target, { local, remote }: FilePair, started: Promise<unknown>): Promise<readonly string[]> {
    const first = [...openingOf(target), `get ${quoted(remote)} -o ${quoted(local)} &`].join("\n");
    return linesOf(
      await runClient(target, "lftp", ["--norc"], {
        input: `${first}\n`,
        interruption: { when: started, then: "kill all\ncls -1\nexit\n" },
      }),
    );
  },
});

function lftp(target: Target, commands: readonly string[]): Promise<string> {
  return runClient(target, "lftp", ["--norc", "-c", [...openingOf(target), ...commands].join("\n")]);
}

function openingOf(target: Target): string[] {
  const { protection, caFile, active } = target;
  const settings = [
    "cmd:fail-exit yes",
    "net:max-retries 1",
    "net:timeout 20",
    "file:charset utf-8",
    "ftp:ssl-force yes",
    "ftp:ssl-protect-data yes",
    ...caFile === undefined ? [] : [`ssl:ca-file ${quoted(caFile)}`],
    ...active ? ["ftp:passive-mode no"] : [],
  ];
  const url = `${protection === "implicit" ? "ftps" : "ftp"}://${authorityOf(target)}`;
  return [...settings.map((setting) => `set ${setting}`), `open -u ${USER.name},${USER.password} ${quoted(url)}`];
}

const COMMANDS: Commands = {
  list: (there) => `cls -1 --sort=name ${there}`,
  get: (there, here) => `get ${there} -o ${here}`,
  put: (there, here) => `put ${here} -o ${there}`,
  resumeGet: (there, here) => `get -c ${there} -o ${here}`,
  resumePut: (there, here) => `put -c ${here} -o ${there}`,
  rename: (there, here) => `mv ${there} ${here}`,
  mkdir: (there) => `mkdir ${there}`,
  rmdir: (there) => `rmdir ${there}`,
  delete: (there) => `rm ${there}`,
  getMatching: (_there, here, { remote }) => `mget -O ${here} ${remote}`,
  mirrorGet: (there, here) => `mirror ${there} ${here}`,
  mirrorPut: (there, here) => `mirror --reverse ${here} ${there}`,
  parallel: (there, here) => `mirror --parallel=4 ${there} ${here}`,
};

/** Quotes a word for lftp's command language. */
function quoted(word: string): string {
  return `"${word.replace(/["\\]/g, "\\$&")}"`;
}

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
