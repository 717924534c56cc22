import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { COMMAND_ROWS } from "../../lib/cli/command_table.ts";
import { commandHelp, shortHelp } from "../../lib/cli/help_text.ts";
import { type OptionRow, parseArguments, SERVE_OPTIONS } from "../../lib/cli/option_table.ts";

const TERMINAL = { columns: 80, rows: 24 } as const;

function assertFits(text: string): void {
  assertEquals(text.split("\n").filter((line) => line.length > TERMINAL.columns), []);
}

function assertNames(text: string, options: readonly OptionRow[]): void {
  const words = text.replace(/\s+/g, " ");
  for (const { name, letter, value, help } of options) {
    const spelling = `${letter === undefined ? "" : `-${letter}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
    assertStringIncludes(words, `${spelling} ${help}`);
  }
}

Deno.test("shortHelp() fits a terminal of 80 columns and 24 rows, with the prompt below", () => {
  const help = shortHelp();
  assertFits(help);
  assertGreater(TERMINAL.rows, help.split("\n").length);
});

Deno.test("shortHelp() has the common options, each command, examples, and the way to the rest", () => {
  const help = shortHelp();
  assertNames(help, SERVE_OPTIONS.filter(({ isCommon }) => isCommon));
  const [serve, ...others] = COMMAND_ROWS;
  for (const { name, summary, isRare } of others) {
    assertEquals(help.replace(/ +/g, " ").includes(` ${name} ${summary}`), isRare !== true, name);
  }
  for (const { line } of serve?.examples ?? []) assertStringIncludes(help, line);
  assertStringIncludes(help, "ftpsd help serve");
});

for (const row of COMMAND_ROWS) {
  const { name, usage, options, about, examples } = row;

  Deno.test(`commandHelp() of ${name} fits 80 columns and has everything of its row`, () => {
    const help = commandHelp(row);
    assertFits(help);
    assertNames(help, options.flatMap((group) => group.options));
    assertStringIncludes(help, `Usage: ftpsd ${usage}\n`);
    assertStringIncludes(help.replace(/\s+/g, " "), about);
    for (const { line, means } of examples) assertStringIncludes(help, `  ${line}\n      ${means}`);
  });

  Deno.test(`the examples of ${name} can be parsed`, () => {
    for (const { line } of examples) {
      const words = line.replace(/^source <\((.*)\)$/, "$1").split(/ [<>] /, 1).join("").split(" ");
      assertEquals(words[0], "ftpsd");
      const args = words[1] === name ? words.slice(2) : words.slice(1);
      const table = [...options.flatMap((group) => group.options), ...row.takesServeOptions ? SERVE_OPTIONS : []];
      const { operands } = parseArguments(args, table);
      const most = row.operand === undefined ? 0 : row.takesNames ? Infinity : 1;
      assert(operands.length <= most, line);
    }
  });
}
