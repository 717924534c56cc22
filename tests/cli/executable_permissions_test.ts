import { assertEquals, assertStringIncludes } from "@std/assert";
import { permissionMissing } from "../../lib/check/permissions.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const MODULE = new URL("../../lib/check/permissions.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** What is left in a process of its own with all of an executable's permissions, and what is found too much before. */
async function leftAfter(
  options: { readonly write: readonly string[]; readonly isExecutable: boolean },
): Promise<unknown> {
  await using folder = await TemporaryFolder.create();
  const script = `${folder.path}/script.ts`;
  await Deno.writeTextFile(
    script,
    `import { findExcessPermissions, giveUpExcess } from "${MODULE}";
    const { write, ...options } = ${JSON.stringify(options)};
    const needs = { net: [], read: [], write };
    const excess = (await findExcessPermissions(needs, { findsBreadth: false, ...options })).map(({ risk }) => risk);
    await giveUpExcess(needs, options);
    const names = ["net", "read", "write"].map(async (name) => (await Deno.permissions.query({ name })).state);
    console.log(JSON.stringify({ excess, states: await Promise.all(names) }));`,
  );
  const flags = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--config", CONFIG];
  return JSON.parse(await requireProgram(Deno.execPath(), ["run", "--no-check", ...flags, script]));
}

Deno.test("giveUpExcess() takes writing from an executable where nobody may write", async () => {
  const left = await leftAfter({ write: [], isExecutable: true });
  assertEquals(left, { excess: [], states: ["granted", "granted", "prompt"] });
});

Deno.test("giveUpExcess() leaves writing to an executable where somebody may write", async () => {
  const left = await leftAfter({ write: ["/srv/ftp"], isExecutable: true });
  assertEquals(left, { excess: [], states: ["granted", "granted", "granted"] });
});

Deno.test("giveUpExcess() takes nothing from what is run by Deno, whose flags are found too many", async () => {
  const left = await leftAfter({ write: [], isExecutable: false });
  assertEquals(left, { excess: ["excess-permissions"], states: ["granted", "granted", "granted"] });
});

Deno.test("permissionMissing() says how to get what is missing, by Deno or as an executable", () => {
  const flags = ["--allow-read=/a", "--allow-write=/a"];
  assertEquals(permissionMissing(flags).hint, "deno run --allow-read=/a --allow-write=/a …");
  assertStringIncludes(permissionMissing(flags, undefined, { isExecutable: true }).hint, "ftpsd permissions --compile");
});
