import { assertEquals } from "@std/assert";
import { DOCTOR_OPTIONS } from "../../lib/cli/command_table.ts";
import { CHECKS } from "../../lib/doctor/checks.ts";
import { anchors, readPage } from "./pages.ts";

const PAGE = readPage("docs/doctor.md");

Deno.test("docs/doctor.md lists all checks, and what they look at", () => {
  const rows = [...PAGE.text.matchAll(/^\| `(\w[\w.-]+)` +\| (.+?) +\|/gm)].map(([, id, looksAt]) =>
    `${id}: ${looksAt}`
  );
  assertEquals(rows, CHECKS.map(({ id, looksAt }) => `${id}: ${looksAt}`));
  assertEquals(new Set(CHECKS.map(({ id }) => id)).size, CHECKS.length);
});

Deno.test("docs/doctor.md lists all options", () => {
  const named = [...PAGE.text.matchAll(/^\| `--([\w-]+)[^`]*`/gm)].map(([, name]) => name);
  assertEquals([...named, "config"].sort(), DOCTOR_OPTIONS.map(({ name }) => name).sort());
});

Deno.test("checks of ftpsd doctor refer to pages and headings that are there", () => {
  const broken = CHECKS.filter(({ page }) => {
    const [path = "", anchor] = page.split("#");
    return anchor !== undefined && !anchors(readPage(path)).has(anchor);
  });
  assertEquals(broken.map(({ page }) => page), []);
});
