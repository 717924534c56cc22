/**
 * docs/interop.md and the tests that it names.
 */

import { assert, assertEquals } from "@std/assert";
import { requireProgram } from "./helpers/run_program.ts";

const ROOT = new URL("../", import.meta.url);
const PAGE = new URL("docs/interop.md", ROOT);
const NAMES_PROGRAM = new URL("tests/helpers/test_names.ts", ROOT).pathname;
const NOT_TESTED = "Not tested: ";

/** A test that the page names: its file, from `tests/`, and the beginning of its name. */
interface Reference {
  readonly file: string;
  readonly name: string;
}

/** A row of the page. */
interface Trap {
  readonly id: string;
  /** The last column as it is. */
  readonly proof: string;
  readonly tests: readonly Reference[];
}

async function readTraps(): Promise<readonly Trap[]> {
  const lines = (await Deno.readTextFile(PAGE)).split("\n");
  return lines.flatMap((line) => {
    const [, id, ...cells] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (id === undefined || !/^[A-Z]\d+[a-z]?$/.test(id)) return [];
    const [clients = "", server = "", proof = ""] = cells;
    assert(cells.length === 4 && clients !== "" && server !== "" && proof !== "", `Row ${id} has an empty cell`);
    return { id, proof, tests: proof.startsWith(NOT_TESTED) ? [] : proof.split("<br>").map(readReference) };
  });
}

function readReference(text: string): Reference {
  const [, file, path, name] = /^\[([\w/]+_test\.ts)\]\(\.\.\/tests\/([\w/]+_test\.ts)\): (.+)$/.exec(text.trim()) ??
    [];
  if (file === undefined || name === undefined) throw new Error(`No reference to a test: "${text}"`);
  assertEquals(path, file, "The link leads elsewhere");
  return { file, name: name.replaceAll("\\|", "|") };
}

/** The names of the tests in files, by file. */
async function readTestNames(files: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const urls = files.map((file) => new URL(`tests/${file}`, ROOT).href);
  const output = await requireProgram(Deno.execPath(), ["run", "-A", "--no-check", NAMES_PROGRAM, ...urls]);
  const names: Record<string, string[]> = JSON.parse(output);
  return new Map(files.map((file, index) => [file, names[urls[index] ?? ""] ?? []]));
}

Deno.test("docs/interop.md has one row for each trap, by numbers without a gap", async () => {
  const ids = (await readTraps()).map(({ id }) => id);
  assertEquals(ids, [...new Set(ids)]);
  for (const letter of ["T", "D", "C"]) {
    const numbers = ids.filter((id) => new RegExp(`^${letter}\\d+$`).test(id)).map((id) => Number(id.slice(1)));
    assertEquals(numbers, numbers.map((_, index) => index + 1), letter);
    assert(numbers.length > 15, `Only ${numbers.length} rows of ${letter} were found`);
  }
});

Deno.test("docs/interop.md names a test that exists for each trap, or says why there is none", async () => {
  const traps = await readTraps();
  const files = [...new Set(traps.flatMap(({ tests }) => tests.map(({ file }) => file)))];
  const names = await readTestNames(files);
  const missing = traps.flatMap(({ id, proof, tests }) => {
    const reason = proof.startsWith(NOT_TESTED) ? proof.slice(NOT_TESTED.length) : "";
    if (tests.length === 0 && reason === "") return [`${id}: neither a test nor a reason`];
    return tests.filter(({ file, name }) => !names.get(file)?.some((known) => known.startsWith(name)))
      .map(({ file, name }) => `${id}: ${file} has no test "${name}"`);
  });
  assertEquals(missing, []);
});

Deno.test("docs/interop.md has a row for each test that is named after a trap", async () => {
  const traps = await readTraps();
  const files = ["tls", "data", "commands"].map((part) => `e2e/traps_${part}_test.ts`);
  const names = await readTestNames(files);
  for (const file of files) {
    const ids = [...new Set(names.get(file)?.map((name) => name.split(":")[0]))];
    assert(ids.length > 0, `${file} has no tests`);
    for (const id of ids) {
      const isNamed = traps.some((trap) => trap.id === id && trap.tests.some((test) => test.file === file));
      assert(isNamed, `The row of ${id} does not name ${file}`);
    }
  }
});
