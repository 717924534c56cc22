import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { COMMAND_ROWS, optionsOf, type Shell, SHELLS } from "../../lib/cli/command_table.ts";
import { completionsCommand } from "../../lib/cli/completions.ts";
import { UsageError } from "../../lib/check/exit_error.ts";
import { RISK_IDS } from "../../lib/settings/risks.ts";
import { programTest } from "../helpers/client_program.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { runMain } from "./spawned_server.ts";

/** How a shell is asked; each prints what it would offer, and perhaps more. */
const PROGRAMS: Readonly<Record<Shell, readonly string[]>> = {
  bash: ["bash"],
  zsh: ["zsh", "-f"],
  fish: ["fish", "--no-config"],
};

/** The folder has `dir/`, `file.yaml` and `certs/`; words are offered when they are there, and the rest is not. */
const CASES: readonly { readonly line: string; readonly offers: readonly string[]; readonly not: readonly string[] }[] =
  [
    {
      line: "ftpsd ",
      offers: [...COMMAND_ROWS.map(({ name }) => name), "help", "dir/", "certs/"],
      not: ["file.yaml", "bash"],
    },
    { line: "ftpsd --tls", offers: ["--tls", "--tls-session-reuse"], not: ["--timeout", "--explain"] },
    { line: "ftpsd --tls ", offers: ["required", "control", "optional", "off"], not: ["check", "file.yaml", "--port"] },
    { line: "ftpsd --tls=o", offers: ["optional", "off"], not: ["required"] },
    { line: "ftpsd dir --log-format ", offers: ["pretty", "json"], not: ["check", "dir/"] },
    { line: "ftpsd --accept-risk ", offers: RISK_IDS, not: ["serve"] },
    { line: "ftpsd serve -c ", offers: ["file.yaml", "dir/"], not: ["check"] },
    { line: "ftpsd --directory ", offers: ["dir/", "certs/"], not: ["file.yaml", "check"] },
    { line: "ftpsd --port ", offers: [], not: ["file.yaml", "dir/", "check", "--tls"] },
    { line: "ftpsd check --ex", offers: ["--explain"], not: ["--port"] },
    { line: "ftpsd check --explain c", offers: ["clear-text-control", "clear-text-data"], not: ["anonymous-write"] },
    { line: "ftpsd check --tls ", offers: ["required", "off"], not: ["serve"] },
    { line: "ftpsd permissions --co", offers: ["--compose", "--compile", "--config"], not: ["--print"] },
    { line: "ftpsd cert --out ", offers: ["dir/"], not: ["file.yaml"] },
    { line: "ftpsd completions ", offers: SHELLS, not: ["dir/", "check"] },
    { line: "ftpsd help c", offers: ["check", "cert", "completions"], not: ["serve", "certs/"] },
  ];

/** Lines that ask for all options of each command. */
const OPTION_LINES = COMMAND_ROWS.map((row) => ({
  line: `ftpsd ${row.name} --`,
  offers: optionsOf(row).map(({ name }) => `--${name}`),
  not: ["dir/"],
}));

for (const shell of SHELLS) {
  // bash needs a terminal of its own, which script(1) gives it.
  const test = programTest({
    program: shell === "bash" ? "script" : shell,
    name: `completions of ${shell} know what may follow`,
    fn: async (context) => {
      await using folder = await createFolder();
      const cases = [...CASES, ...OPTION_LINES];
      const offered = await askShell(shell, cases.map(({ line }) => line), folder.path);
      for (const [index, { line, offers, not }] of cases.entries()) {
        await context.step(`"${line}"`, () => {
          const words = offered[index] ?? new Set();
          assertEquals([offers.filter((word) => !words.has(word)), not.filter((word) => words.has(word))], [[], []]);
        });
      }
    },
  });
  Deno.test({ ...test, ignore: test.ignore === true || Deno.build.os !== "linux" });
}

async function createFolder(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  for (const name of ["dir", "certs"]) await Deno.mkdir(`${folder.path}/${name}`);
  await Deno.writeTextFile(`${folder.path}/file.yaml`, "");
  return folder;
}

/** Loads the script into the shell, and asks it what may follow each line. */
async function askShell(shell: Shell, lines: readonly string[], folder: string): Promise<ReadonlySet<string>[]> {
  await using scripts = await TemporaryFolder.create();
  const script = `${scripts.path}/_ftpsd`;
  await Deno.writeTextFile(script, completionsCommand([shell]));
  const driver = new URL(`shells/complete.${shell}`, import.meta.url).pathname;
  const [program = shell, ...args] = PROGRAMS[shell];
  const command = 'cd "$1" && shift && exec "$@"';
  const output = await requireProgram("sh", ["-c", command, "sh", folder, program, ...args, driver, script, ...lines]);
  const [, ...answers] = output.split(/^=== \d+\r?$/m);
  assertEquals(answers.length, lines.length, output);
  return answers.map((answer) => new Set(answer.match(/[\w./-]+/g)));
}

for (const [args, message] of [["", "completions of which shell"], ["tcsh", "no completions for tcsh"]] as const) {
  Deno.test(`ftpsd completions ${args} names the shells that there are`, () => {
    const words = args === "" ? [] : [args];
    const error = assertThrows(() => completionsCommand(words), UsageError, message);
    for (const shell of SHELLS) assertStringIncludes(error.hint, shell);
  });
}

Deno.test("ftpsd completions prints the script, without any permission", async () => {
  const { code, stdout, stderr } = await runMain({ flags: [], args: ["completions", "bash"] });
  assertEquals([code, stdout, stderr], [0, `${completionsCommand(["bash"])}\n`, ""]);
});
