import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/cli/exit_error.ts";
import { helpText, OPTION_GROUPS, parseArguments } from "../../lib/cli/option_table.ts";

const OPTIONS = OPTION_GROUPS.flatMap(({ options }) => options);

for (const { name, letter, value } of OPTIONS) {
  const spellings = letter === undefined ? [`--${name}`] : [`--${name}`, `-${letter}`];
  for (const spelling of spellings) {
    if (value === undefined) {
      Deno.test(`parseArguments() takes the switch ${spelling}`, () => {
        const { switches, values, operands } = parseArguments([spelling, "DIR"]);
        assertEquals([[...switches], [...values], operands], [[name], [], ["DIR"]]);
      });
    } else {
      Deno.test(`parseArguments() takes the value of ${spelling}`, () => {
        for (const args of [[spelling, "7"], spelling.startsWith("--") ? [`${spelling}=7`] : [`${spelling}7`]]) {
          const { switches, values, operands } = parseArguments([...args, "DIR"]);
          assertEquals([[...switches], [...values], operands], [[], [[name, "7"]], ["DIR"]]);
        }
      });

      if (name === "banner") continue; // Nobody has to greet.
      Deno.test(`parseArguments() refuses ${spelling} without a value`, () => {
        assertThrows(() => parseArguments([spelling]), UsageError, `--${name} needs a value`);
      });
    }
  }
}

for (const option of ["--wirte", "--writ", "--no-write", "-x", "--x=1", "-1", "-wx"]) {
  Deno.test(`parseArguments() refuses the unknown option ${option}`, () => {
    const error = assertThrows(() => parseArguments([option]), UsageError, "unknown option -");
    assertEquals([error.status, error.hint], [2, "ftpsd --help"]);
  });
}

Deno.test("parseArguments() takes what follows -- for no option", () => {
  assertEquals(parseArguments(["--", "--write"]).operands, ["--write"]);
});

Deno.test("parseArguments() keeps a folder that looks like a number", () => {
  assertEquals(parseArguments(["007"]).operands, ["007"]);
});

Deno.test("helpText() names every option", () => {
  const help = helpText();
  const missing = OPTIONS.filter(({ name, letter }) =>
    !help.includes(` --${name} `) || letter !== undefined && !help.includes(`-${letter}, --${name}`)
  );
  assertEquals(missing, []);
});

Deno.test("helpText() fits 80 columns and keeps every word", () => {
  const lines = helpText().split("\n");
  assertEquals(lines.filter((line) => line.length > 80), []);
  const words = helpText().replace(/\s+/g, " ");
  for (const { help } of OPTIONS) assert(words.includes(help), help);
});
