/**
 * Nobody learns by a link that leads out of the home what is outside, not even whether there is something.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../lib/commands/table.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";
import { attempt } from "../security/traversal_scene.ts";

/** Targets of links, of which some are there and some are not. */
const TARGETS = [
  "../outside/file",
  "../outside/full",
  "../outside/empty",
  "../outside/none",
  "../outside/none/none",
  "../outside/file/none",
  "../outside/loop",
  "../outside/fifo",
  `../outside/${"n".repeat(300)}`,
  "none",
];
/** What follows the link in the path. */
const SUFFIXES = ["", "/", "/x", "/x/y"];

async function makeOutside(path: string): Promise<void> {
  for (const name of ["home", "outside/full/x", "outside/empty"]) {
    await Deno.mkdir(`${path}/${name}`, { recursive: true });
  }
  for (const name of ["file", "full/x/y"]) await Deno.writeTextFile(`${path}/outside/${name}`, "outside");
  await Deno.symlink("loop", `${path}/outside/loop`);
  await new Deno.Command("mkfifo", { args: [`${path}/outside/fifo`] }).output();
}

async function repair(home: string): Promise<void> {
  await Deno.remove(home, { recursive: true });
  await Deno.mkdir(home);
  await Deno.writeTextFile(`${home}/in.txt`, "inside");
  for (const [index, target] of TARGETS.entries()) await Deno.symlink(target, `${home}/${nameOf(index)}`);
}

function nameOf(index: number): string {
  return `link-${index}`;
}

/** A text without what differs for another reason: the name of the link, times, and random parts of names. */
function normalised(text: string, name: string): string {
  return text.replaceAll(name, "LINK")
    .replaceAll(/\.[0-9a-z]{8}\b/g, ".RANDOM")
    .replaceAll(/modify=\d{14}|unique=\w+|\d{14}|[A-Z][a-z]{2} \d\d \d\d:\d\d/g, "");
}

const PATH_COMMANDS = COMMANDS.filter((row) => row.pathname !== undefined && row.argument !== "none");

for (const upload of [{ atomic: false }, { atomic: true }, { overwrite: false }]) {
  Deno.test({
    name: `No command tells what a link out of the home leads to, with upload ${JSON.stringify(upload)}`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      await using folder = await TemporaryFolder.create();
      await makeOutside(folder.path);
      const home = `${folder.path}/home`;
      await using server = await TestServer.start({ protection: "clear", home, server: { upload } });
      await using client = await server.login();
      await client.expect(200, "TYPE I");
      let asked = 0;
      for (const row of PATH_COMMANDS) {
        for (const suffix of SUFFIXES) {
          const answers = new Map<string, string[]>();
          await repair(home);
          for (const [index, target] of TARGETS.entries()) {
            await client.expect(250, "CWD /");
            const { codes, text } = await attempt(client, row, `${nameOf(index)}${suffix}`);
            const answer = `${codes} ${normalised(text, nameOf(index))}`;
            answers.set(answer, [...answers.get(answer) ?? [], target]);
            asked++;
            if (codes.some((code) => code < 400)) await repair(home);
          }
          assertEquals(answers.size, 1, `${row.verb} LINK${suffix}: ${Deno.inspect(answers)}`);
        }
      }
      assert(asked >= 20 * TARGETS.length * SUFFIXES.length, `${asked} questions`);
    },
  });
}

Deno.test({
  name: "Listings show no link out of the home, whatever it leads to",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    await makeOutside(folder.path);
    await repair(`${folder.path}/home`);
    await using server = await TestServer.start({ home: `${folder.path}/home` });
    await using client = await server.login();
    assertEquals(await client.list("NLST"), "in.txt\r\n");
    for (const verb of ["LIST", "MLSD"]) {
      const lines = (await client.list(verb)).split("\r\n").slice(0, -1);
      assertEquals(lines.map((line) => line.split(" ").at(-1)).filter((name) => name !== "."), ["in.txt"]);
    }
  },
});
