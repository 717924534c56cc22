// Run by CI after the tests of the clients, by its path: it needs what they have kept.
import { assertEquals } from "@std/assert";
import { formatMatrixPage, PAGE, withoutVersions } from "./matrix_page.ts";
import { readResults, resultsFolder } from "./results.ts";

Deno.test('docs/clients.md is what the clients have done; "deno task clients" writes it anew', async () => {
  const folder = resultsFolder();
  if (folder === undefined) throw new Error("FTPSD_CLIENT_RESULTS does not name the folder of the results");
  const [kept, made] = await Promise.all([Deno.readTextFile(PAGE), formatMatrixPage(await readResults(folder))]);
  assertEquals(withoutVersions(kept), withoutVersions(made));
});
