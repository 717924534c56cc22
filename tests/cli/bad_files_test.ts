import { assertEquals, assertMatch } from "@std/assert";
import { BAD_FILES, type BadFile } from "../settings/bad_files.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { readFlags, runMain } from "./spawned_server.ts";

/** Programs at once. */
const BATCH = 4;

/** Starts the program with a file, and requires that it says one line about each problem and does nothing else. */
async function refuse([name, text, ...problems]: BadFile): Promise<void> {
  await using folder = await TemporaryFolder.create();
  const file = `${folder.path}/ftpsd.yaml`;
  await Deno.writeTextFile(file, text);
  const { code, stdout, stderr } = await runMain({ flags: readFlags(folder.path), args: ["--config", file] });
  const lines = stderr.trimEnd().split("\n");
  assertEquals([code, stdout, lines.length], [2, "", problems.length + 1], `A file that ${name}: ${stderr}`);
  for (const line of lines.slice(0, -1)) assertMatch(line, new RegExp(`^error: ${file}(?::\\d+)?: `));
  assertEquals(lines.at(-1), `hint: ftpsd check --config ${file}`);
}

/** Some of them: the others differ in nothing but the problems, which the tests of reading have. */
const FILES = BAD_FILES.filter((_, index) => index % 8 === 0);

Deno.test("run() ends with status 2 and starts no listener, for unusable files of every kind", async () => {
  for (let index = 0; index < FILES.length; index += BATCH) {
    await Promise.all(FILES.slice(index, index + BATCH).map(refuse));
  }
});
