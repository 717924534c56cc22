import { assertEquals, assertGreater } from "@std/assert";
import { acceptedRisks } from "../../lib/server/configured_options.ts";
import { structureOf } from "../../lib/settings/unknown_keys.ts";
import { CONFIGURATION, type Configuration } from "../../lib/settings/table.ts";
import { findSettingRisks } from "../../lib/settings/setting_risks.ts";
import { problemsOf, read, SOMEBODY } from "../settings/configuration_text.ts";
import { type CodeBlock, codeBlocks, codeSpans, type Page, prose, readPage, readPages } from "./pages.ts";

/** Pages with configurations of other programs' users, too. */
const PAGES = readPages().filter(({ path }) => /^(?:docs\/|examples\/)?[^/]+\.md$/.test(path));

function yamlBlocks(page: Page): CodeBlock[] {
  return codeBlocks(page).filter(({ language }) => language === "yaml");
}

/** A block is a whole file, or a part of one for somebody who has users in it already. */
function completed({ text }: CodeBlock): string {
  return /^(?:users|anonymous):/m.test(text) ? text : `${text}${SOMEBODY}`;
}

for (const page of PAGES.filter((page) => yamlBlocks(page).length > 0)) {
  Deno.test(`The configurations of ${page.path} are sound, and accept their risks`, () => {
    for (const block of yamlBlocks(page)) {
      const where = `${page.path}:${block.line}`;
      assertEquals(problemsOf(completed(block)), [], where);
      const configuration = read(completed(block));
      assertEquals(unacceptedRisks(configuration), [], where);
    }
  });
}

function unacceptedRisks(configuration: Configuration): string[] {
  const accepted = acceptedRisks(configuration.acceptRisks, new Date());
  return findSettingRisks(configuration).map(({ risk }) => risk).filter((risk) => !accepted.includes(risk));
}

Deno.test("The hashes of the pages are those of docs/examples, whose passwords are tested", () => {
  const known = new Set(
    [...Deno.readDirSync(new URL("../../docs/examples", import.meta.url))]
      .flatMap(({ name }) => read(readPage(`docs/examples/${name}`).text).users.map(({ password }) => password)),
  );
  const shown = PAGES.flatMap((page) =>
    yamlBlocks(page).flatMap((block) =>
      read(completed(block)).users.map(({ password }) => password).filter((password) => !password.includes("…"))
    )
  );
  assertGreater(shown.length, 5);
  assertEquals(shown.filter((password) => !known.has(password)), []);
});

/** Keys of a mapping at the top of the file, as `tls.policy` or `users[].limits.bandwidth`. */
const KEY = /^(\w+(?:\[\d*\])?)((?:\.\w+(?:\[\d*\])?)+)$/;

function isKey(path: string): boolean {
  let schema: ReturnType<typeof structureOf> | undefined = structureOf(CONFIGURATION);
  for (const part of path.replace(/\[\d*\]/g, ".[]").split(".")) {
    const next = part === "[]" ? schema?.item : schema?.entries?.[part];
    if (next === undefined) return isFreeKey(path);
    schema = structureOf(next);
  }
  return true;
}

/** Addresses are keys of a mapping that has no fixed ones. */
function isFreeKey(path: string): boolean {
  return /^passive\.addresses\./.test(path);
}

Deno.test("The keys of the configuration that pages name exist", () => {
  const sections = Object.keys(structureOf(CONFIGURATION).entries ?? {});
  // The reference names keys as seen from the section that they are in.
  const pages = readPages("docs/").filter(({ path }) => path !== "docs/configuration.md");
  const named = pages.flatMap((page) =>
    codeSpans(prose(page)).flatMap((code) => {
      const [, section = ""] = KEY.exec(code.replace(/: .*$/, "")) ?? [];
      const isAbout = sections.includes(section.replace(/\[\d*\]$/, "")) && !isProgramOption(code);
      return isAbout ? [{ page, key: code.replace(/: .*$/, "") }] : [];
    })
  );
  assertGreater(named.length, 150);
  assertEquals(named.filter(({ key }) => !isKey(key)).map(({ page, key }) => `${page.path}: ${key}`), []);
});

/** What only programs can set, which is the same beside the keys of the file. */
function isProgramOption(code: string): boolean {
  return ["commands.permissions", "commands.refuse", "commands.site"].includes(code);
}
