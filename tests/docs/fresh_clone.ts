/**
 * A copy of the project, as somebody has it who has just cloned it, and the lines of pages that are run in it.
 *
 * @module
 */

import { assert } from "@std/assert";
import { requireProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { codeBlocks, readPage, ROOT } from "./pages.ts";
import type { ShellScript } from "./shell_script.ts";

const CURL_SECONDS = "--max-time 20 --silent --show-error";

/** What a fresh clone has of what the pages use. */
const CLONED = ["README.md", "certs", "deno.json", "deno.lock", "lib", "main.ts", "mod.ts", "std"];

/** The password of the users that pages show. */
export const PASSWORD = "correct horse battery staple";

/** Types the password in the place of somebody. */
export const TYPED = { "deno run main.ts hash-password": `echo '${PASSWORD}' | deno run main.ts hash-password` };

/** Makes the copy. */
export async function freshClone(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.create();
  await requireProgram("cp", ["-r", ...CLONED.map((name) => new URL(name, ROOT).pathname), folder.path]);
  await requireProgram("find", [`${folder.path}/certs`, "-name", "server.*", "-delete"]);
  return folder;
}

/** Blocks of a section of a page, by language, in their order. */
export function blocksOf(page: string, section: string, language: string): string[] {
  return codeBlocks(readPage(page)).filter((block) => block.section === section && block.language === language)
    .map(({ text }) => text);
}

/** Puts something in the place of what a block has; fails where it has it not. */
export function adapted(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce((changed, [from, to]) => {
    assert(changed.includes(from), `"${from}" is not in:\n${changed}`);
    return changed.replaceAll(from, to);
  }, text);
}

/** A line of curl with what it asks for, and the port that the server has got in place of 2121. */
export function curlWith(line: string, port?: string): string {
  return adapted(line, { ...port !== undefined && { ":2121/": `:${port}/` }, "curl ": `curl ${CURL_SECONDS} ` })
    .replace(/-u (\w+) /, `-u '$1:${PASSWORD}' `);
}

/** The port that a server says it has got. */
export async function portOf(script: ShellScript): Promise<string> {
  const [, port = ""] = await script.output(/>>> starting .*:(\d+) <<<[^]*\bpid \d+/);
  return port;
}
