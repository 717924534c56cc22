import { assertEquals, assertStringIncludes } from "@std/assert";
import { COMMAND_ROWS, optionsOf } from "../../lib/cli/command_table.ts";
import { programTest } from "../helpers/client_program.ts";
import { requireProgram, runProgram } from "../helpers/run_program.ts";

const PAGE = new URL("../../docs/ftpsd.1", import.meta.url).pathname;

Deno.test(programTest({
  program: "groff",
  name: "groff renders the manual page without a warning",
  fn: async () => {
    const { code, stderr } = await runProgram("groff", ["-Tutf8", "-ww", "-man", PAGE]);
    assertEquals([code, stderr], [0, ""]);
  },
}));

Deno.test(programTest({
  program: "man",
  name: "man shows every command and option of the manual page, as they are typed",
  fn: async () => {
    // Without what makes letters bold: a letter, a backspace, and the letter again.
    const env = { MANWIDTH: "80", LC_ALL: "C.UTF-8", MAN_KEEP_FORMATTING: "" };
    // deno-lint-ignore no-control-regex -- backspaces are what is looked for
    const text = (await requireProgram("man", ["--local-file", PAGE], { env })).replaceAll(/.\x08/g, "");
    for (const row of COMMAND_ROWS) {
      assertStringIncludes(text, `ftpsd ${row.usage}\n`);
      for (const { name, value } of optionsOf(row).filter(({ name }) => name !== "help")) {
        assertStringIncludes(text, `--${name}${value === undefined ? "\n" : ` ${value}\n`}`);
      }
    }
    for (const { line } of COMMAND_ROWS.flatMap(({ examples }) => examples)) assertStringIncludes(text, `${line}\n`);
  },
}));
