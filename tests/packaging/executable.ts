/**
 * An executable of `ftpsd` to try, where one can be had.
 *
 * @module
 */

import { compileArguments, TARGETS } from "../../packaging/compile.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const ROOT = new URL("../../", import.meta.url);
/** Names an executable that is there already. */
const EXECUTABLE_VARIABLE = "FTPSD_EXECUTABLE";
/** Names the runtime that `deno compile` builds on. */
const RUNTIME_VARIABLE = "DENORT_BIN";

/** Whether there is an executable, or all that is needed to build one without a download. */
const isAtHand = [EXECUTABLE_VARIABLE, RUNTIME_VARIABLE].some((name) => (Deno.env.get(name) ?? "") !== "");

/**
 * Makes the definition of a test of the executable. Where there is none, and no runtime to build one on, it is ignored, and
 * its name says why; in CI, which makes one, it fails.
 */
export function executableTest(name: string, fn: (executable: string) => Promise<void>): Deno.TestDefinition {
  const reason = ` (ignored: neither ${EXECUTABLE_VARIABLE} nor ${RUNTIME_VARIABLE} names a file)`;
  const isIgnored = !isAtHand && Deno.env.get("CI") !== "true";
  return { name: isIgnored ? `${name}${reason}` : name, ignore: isIgnored, fn: () => withExecutable(fn) };
}

async function withExecutable(use: (executable: string) => Promise<void>): Promise<void> {
  const given = Deno.env.get(EXECUTABLE_VARIABLE) ?? "";
  if (given !== "") return await use(given);
  if (!isAtHand) throw new Error(`Cannot run this test: neither ${EXECUTABLE_VARIABLE} nor ${RUNTIME_VARIABLE} is set`);
  const target = TARGETS.find((target) => target === Deno.build.target);
  if (target === undefined) throw new Error(`There are no executables for ${Deno.build.target}`);
  await using folder = await TemporaryFolder.create();
  const executable = `${folder.path}/ftpsd`;
  const command = 'cd "$1" && shift && exec "$@"';
  const args = [Deno.execPath(), ...compileArguments(target, { output: executable })];
  await requireProgram("sh", ["-c", command, "sh", ROOT.pathname, ...args]);
  await use(executable);
}
