import { assertEquals, assertThrows } from "@std/assert";
import { changedCommands, type CommandChanges, type SiteCommand } from "../../lib/commands/command_changes.ts";
import { ALL_COMMANDS } from "../../lib/commands/command_table.ts";

const COUNT: SiteCommand = { name: "count", permission: "l", help: "count the files", run: () => "0" };

Deno.test("changedCommands() without changes has every row as it is", () => {
  assertEquals(changedCommands({}).rows, ALL_COMMANDS.rows);
});

Deno.test("changedCommands() leaves out a verb with its aliases", () => {
  const table = changedCommands({ disabled: ["xmkd", "SITE CHMOD"] });
  assertEquals(["MKD", "XMKD", "SITE CHMOD"].map((verb) => table.find(verb)), [undefined, undefined, undefined]);
  assertEquals(table.rows.length, ALL_COMMANDS.rows.length - 2);
});

Deno.test("changedCommands() changes the letter of a row and nothing else of it", () => {
  const table = changedCommands({ permissions: { MFMT: "M", RETR: "w" } });
  assertEquals<unknown>(table.find("MFMT"), { ...ALL_COMMANDS.find("MFMT"), permission: "M" });
  assertEquals(table.find("RETR")?.permission, "w");
});

Deno.test("changedCommands() adds SITE commands whose row is strict", () => {
  const table = changedCommands({ site: [COUNT, { ...COUNT, name: "Sum", argument: "required", isPathname: true }] });
  const { run: _run, ...count } = table.find("SITE COUNT") ?? {};
  assertEquals(count, {
    verb: "SITE COUNT",
    argument: "none",
    permission: "l",
    help: "SITE COUNT (count the files)",
    rfc: "a command of this server",
  });
  const sum = table.find("SITE SUM");
  assertEquals([sum?.argument, sum?.pathname, sum?.help], [
    "required",
    "whole",
    "SITE SUM <SP> path (count the files)",
  ]);
});

Deno.test("changedCommands() lets a SITE command take the place of a disabled one", () => {
  const table = changedCommands({ disabled: ["SITE UMASK"], site: [{ ...COUNT, name: "UMASK" }] });
  assertEquals(table.find("SITE UMASK")?.help, "SITE UMASK (count the files)");
});

const WRONG: readonly (readonly [what: string, changes: unknown, message: string])[] = [
  ["an unknown verb", { disabled: ["DEL"] }, 'Cannot disable "DEL": there is no such command'],
  ["a verb of Object", { disabled: ["constructor"] }, 'Cannot disable "constructor": there is no such command'],
  ["AUTH", { disabled: ["auth"] }, "Cannot disable AUTH: no client could do without"],
  ["a read letter for a write command", { permissions: { DELE: "e" } }, 'Cannot use the permission "e" for DELE'],
  ["two letters", { permissions: { RETR: "rl" } }, 'Cannot use the permission "rl" for RETR'],
  ["no letter", { permissions: { RETR: "" } }, 'Cannot use the permission "" for RETR'],
  ["a letter for NOOP", { permissions: { NOOP: "e" } }, "Cannot change the permission of NOOP: it needs none"],
  ["a name with a space", { site: [{ ...COUNT, name: "A B" }] }, 'Cannot add SITE "A B"'],
  ["a name with a digit", { site: [{ ...COUNT, name: "A1" }] }, 'Cannot add SITE "A1"'],
  ["an empty name", { site: [{ ...COUNT, name: "" }] }, 'Cannot add SITE ""'],
  ["a wrong letter", { site: [{ ...COUNT, permission: "x" }] }, 'Cannot add SITE count: its permission "x"'],
  ["an existing name", { site: [{ ...COUNT, name: "chmod" }] }, "Cannot add SITE CHMOD: there is one"],
  ["a name twice", { site: [COUNT, { ...COUNT, name: "COUNT" }] }, "Cannot add SITE COUNT twice"],
];

for (const [what, changes, message] of WRONG) {
  Deno.test(`changedCommands() refuses ${what}`, () => {
    assertThrows(() => changedCommands(changes as CommandChanges), RangeError, message);
  });
}
