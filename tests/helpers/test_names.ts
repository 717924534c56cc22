/**
 * A program that tells the names of tests without running any.
 *
 * usage: deno run -A tests/helpers/test_names.ts URL…
 *
 * Prints an object as JSON: the names of each module's tests.
 *
 * @module
 */

// deno-lint-ignore no-console -- this is what the program is for
if (import.meta.main) console.log(JSON.stringify(await namesOf(Deno.args)));

/** Imports modules with a `Deno.test()` that takes down names. */
async function namesOf(modules: readonly string[]): Promise<Record<string, string[]>> {
  const names: Record<string, string[]> = {};
  for (const module of modules) {
    const found: string[] = names[module] = [];
    const takeDown = (first: string | Deno.TestDefinition | { readonly name?: string }) => {
      found.push(typeof first === "string" ? first : first.name ?? "");
    };
    Object.defineProperty(Deno, "test", { value: takeDown, configurable: true });
    await import(module);
  }
  return names;
}
