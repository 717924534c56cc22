import { assert, assertEquals, assertGreater } from "@std/assert";
import { commandLineOf, EXAMPLES, textOf } from "./example_program.ts";

const NAMES = (await Array.fromAsync(Deno.readDir(EXAMPLES)))
  .filter(({ name }) => name.endsWith(".ts")).map(({ name }) => name.slice(0, -".ts".length)).sort();

Deno.test("Every example has a test", async () => {
  const files = await Array.fromAsync(Deno.readDir(new URL(".", import.meta.url)));
  const tested = files.map(({ name }) => name.replace(/_test\.ts$/, ""));
  assertEquals(NAMES.filter((name) => !tested.includes(name)), []);
  assertGreater(NAMES.length, 10);
});

Deno.test("examples/README.md has every example, and no other", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", EXAMPLES));
  const named = [...readme.matchAll(/^\| \[(\w+)\.ts\]\((\w+)\.ts\)/gm)].map(([, text, target]) => [text, target]);
  assertEquals(named.toSorted(), NAMES.map((name) => [name, name]));
});

for (const name of NAMES) {
  Deno.test(`${name}.ts is one file of a copyable size that imports the published package`, async () => {
    const text = await textOf(name);
    const imported = [...text.matchAll(/ from "(.+)";$/gm)].map(([, specifier]) => specifier);
    const foreign = imported.filter((specifier) =>
      !["@ftpsd/ftpsd", "@std/yaml", "node:crypto", "node:sqlite"].includes(`${specifier}`)
    );
    assertEquals(foreign, []);
    const lines = text.split("\n").length;
    assert(lines >= 30 && lines <= 120, `${lines} lines`);
    assertEquals((await commandLineOf(name)).filter((word) => /^(-A|--allow-(all|\w+))$/.test(word)), []);
  });
}
