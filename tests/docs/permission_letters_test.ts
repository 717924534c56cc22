import { assertEquals } from "@std/assert";
import { ALL_PERMISSIONS } from "../../lib/accounts/permission.ts";
import { ALL_COMMANDS } from "../../lib/commands/command_table.ts";
import { codeSpans, readPage, tableRows } from "./pages.ts";

Deno.test("docs/accounts.md has the commands of each permission letter", () => {
  const rows = tableRows(readPage("docs/accounts.md"), "Permissions").filter(([first = ""]) => /^`\w`$/.test(first));
  const shown = rows.map(([letter = "", , commands = ""]) => [
    codeSpans(letter)[0],
    codeSpans(commands.split(", and ")[0] ?? "").sort(),
  ]);
  const actual = [...ALL_PERMISSIONS].map((letter) => [
    letter,
    ALL_COMMANDS.rows.filter(({ permission }) => permission === letter).map(({ verb }) => verb).sort(),
  ]);
  const byLetter = ([one = ""]: unknown[], [other = ""]: unknown[]) => String(one) < String(other) ? -1 : 1;
  assertEquals(shown.sort(byLetter), actual.sort(byLetter));
  const further = ALL_COMMANDS.rows.filter(({ furtherCommands }) => furtherCommands).map(({ verb }) => verb);
  assertEquals(
    rows.flatMap(([, , commands = ""]) => codeSpans(commands.split(", and ")[1] ?? "")).sort(),
    further.sort(),
  );
});
