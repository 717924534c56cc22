import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { messageOf, UsageError } from "../../lib/check/exit_error.ts";
import { OPTION_GROUPS, parseArguments } from "../../lib/cli/option_table.ts";
import { acceptedByName, readGivenOptions } from "../../lib/cli/load_configuration.ts";

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
    assertEquals([error.status, error.hint], [2, "ftpsd help serve"]);
  });
}

const SWITCHES = OPTIONS.filter(({ value }) => value === undefined);

Deno.test("parseArguments() refuses each switch with a value that is neither true nor false", () => {
  for (const { name, letter } of SWITCHES) {
    for (const value of ["", "no", "off", "0", "1", "False", "TRUE", " true", "true ", "yes"]) {
      const message = `--${name} is a switch: it takes no value, or true or false`;
      const error = assertThrows(() => parseArguments([`--${name}=${value}`]), UsageError, message);
      assertEquals(error.status, 2);
    }
    if (letter === undefined) continue;
    for (const value of ["=", "=no", "=true", "=false", "5", "-5"]) {
      assertThrows(
        () => parseArguments([`-${letter}${value}`]),
        UsageError,
        `-${letter} is a switch: it takes no value`,
      );
    }
  }
});

Deno.test("parseArguments() puts a switch on by =true, and off by =false; the last one holds", () => {
  for (const { name } of SWITCHES) {
    const rows: readonly (readonly [args: readonly string[], isOn: boolean])[] = [
      [["=true"], true],
      [["=false"], false],
      [["", "=false"], false],
      [["=false", ""], true],
    ];
    for (const [forms, isOn] of rows) {
      const { switches } = parseArguments(forms.map((form) => `--${name}${form}`));
      assertEquals([...switches], isOn ? [name] : [], forms.join(" "));
    }
  }
});

Deno.test("parseArguments() takes no option behind --no-, with a value or without", () => {
  for (const { name } of OPTIONS) {
    for (const form of ["", "=true", "=false", "=x", "="]) {
      assertThrows(() => parseArguments([`--no-${name}${form}`]), UsageError, `unknown option --no-${name}`);
    }
  }
});

Deno.test("parseArguments() refuses what is given twice, unless it may be repeated", () => {
  for (const { name, letter, repeatable } of OPTIONS.filter(({ value }) => value !== undefined)) {
    const spellings = [`--${name}`, letter === undefined ? `--${name}` : `-${letter}`];
    for (const values of [["1", "2"], ["1", "1"]]) {
      const args = spellings.flatMap((spelling, index) => [spelling, values[index] ?? ""]);
      if (repeatable) assertEquals(parseArguments(args).lists.get(name), values);
      else assertThrows(() => parseArguments(args), UsageError, `--${name} is given 2 times`);
    }
  }
});

Deno.test("parseArguments() takes what follows -- for no option", () => {
  assertEquals(parseArguments(["--", "--write", "--write=no"]).operands, ["--write", "--write=no"]);
});

Deno.test("parseArguments() keeps a folder that looks like a number", () => {
  assertEquals(parseArguments(["007"]).operands, ["007"]);
});

Deno.test("parseArguments() lets messageOf() tell what was meant by a long option", async () => {
  const meant: readonly (readonly [option: string, message: string])[] = [
    ["--wirte", "unknown option --wirte; did you mean --write?"],
    ["--Tls=off", "unknown option --Tls; did you mean --tls?"],
    ["--no-write", "unknown option --no-write"],
    ["--something-else", "unknown option --something-else"],
    ["-x", "unknown option -x"],
  ];
  for (const [option, message] of meant) {
    assertEquals(await messageOf(assertThrows(() => parseArguments([option]), UsageError)), message);
  }
});

Deno.test("parseArguments() says what to type to see its table", () => {
  const error = assertThrows(() => parseArguments(["--writ"], [], "ftpsd cert --help"), UsageError);
  assertEquals(error.hint, "ftpsd cert --help");
});

for (const { name, choices } of OPTIONS.filter(({ choices }) => choices !== undefined)) {
  Deno.test(`readGivenOptions() takes all choices of --${name} that the table has, and no other`, async () => {
    const readValue = (value: string) => {
      const args = parseArguments([`--${name}`, value]);
      return [readGivenOptions(args), acceptedByName(args)];
    };
    for (const choice of choices ?? []) readValue(choice);
    const mistyped = `${choices?.[0]}x`;
    const read = () => readValue(mistyped);
    const message = await messageOf(assertThrows(read, UsageError));
    assertMatch(message, new RegExp(`"${mistyped}".*\\(--${name}\\); did you mean ${choices?.[0]}\\?$`));
  });
}

Deno.test("parseArguments() takes values that begin with a dash, but for letters of the table", () => {
  const cases: readonly (readonly [args: readonly string[], value: string])[] = [
    [["--config", "-x.yaml"], "-x.yaml"],
    [["-c", "-x.yaml"], "-x.yaml"],
    [["--config=-x.yaml"], "-x.yaml"],
  ];
  for (const [args, value] of cases) assertEquals(parseArguments(args).values.get("config"), value, args.join(" "));
  for (const args of [["-c", "-w"], ["-c", "-wV"], ["-c", "--write"], ["-c", "--"], ["-c"]]) {
    assertThrows(() => parseArguments(args), UsageError, "--config needs a value");
  }
  assertThrows(() => parseArguments(["-c", "--wirte"]), UsageError);
  assertEquals(parseArguments(["--", "-c", "-x"]).operands, ["-c", "-x"]);
});
