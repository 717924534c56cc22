import { assertEquals, assertGreater } from "@std/assert";
import { runProgram } from "../helpers/run_program.ts";
import { codeBlocks, readPages } from "./pages.ts";

Deno.test("The programs of the pages pass the type check", async () => {
  const pages = readPages().filter(({ path }) => /^(?:docs\/)?[^/]+\.md$/.test(path))
    .filter((page) => codeBlocks(page).some(({ language }) => language === "ts"));
  assertGreater(pages.length, 2);
  const files = pages.map(({ url }) => url.pathname);
  const { code, stderr } = await runProgram(Deno.execPath(), ["check", "--quiet", "--doc-only", ...files]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});
