import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { type ProgramOutput, runProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { denoArguments } from "./spawned_server.ts";

// deno-lint-ignore no-control-regex -- what is looked for
const COLOR = /\x1b\[\d+m/;

/** Runs `ftpsd`, with a terminal as its stderr or without one; what it writes to stderr is found in `stdout`. */
async function runTo(
  where: "terminal" | "pipe",
  args: readonly string[],
  env: Record<string, string>,
): Promise<ProgramOutput> {
  await using folder = await TemporaryFolder.create();
  const script = `${folder.path}/run.sh`;
  const words = [Deno.execPath(), ...denoArguments({ flags: [], args })];
  // Whoever runs the tests may have set NO_COLOR.
  const unset = "NO_COLOR" in env ? "" : "unset NO_COLOR\n";
  await Deno.writeTextFile(script, `${unset}exec ${words.map((word) => `'${word}'`).join(" ")} 2>&1\n`);
  return where === "pipe"
    ? await runProgram("sh", [script], { env })
    : await runProgram("script", ["-qec", `sh ${script}`, "/dev/null"], { env });
}

const CASES = [
  { where: "terminal", env: {}, isColored: true },
  { where: "terminal", env: { NO_COLOR: "1" }, isColored: false },
  { where: "pipe", env: {}, isColored: false },
] as const;

for (const { where, env, isColored } of CASES) {
  const how = `on a ${where}${"NO_COLOR" in env ? " with NO_COLOR" : ""}`;
  Deno.test({
    ...programTest({
      program: "script",
      name: `run() writes errors ${isColored ? "in color" : "without color"} ${how}`,
      fn: async () => {
        const { code, stdout } = await runTo(where, ["--wirte"], env);
        assertEquals(code, 2);
        (isColored ? assertMatch : assertNotMatch)(stdout, COLOR);
        assertMatch(stdout, /error:.* unknown option --wirte; did you mean --write\?\r?\nhint: ftpsd help serve\r?\n$/);
      },
    }),
  });
}
