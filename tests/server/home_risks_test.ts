import { assertEquals, assertStringIncludes } from "@std/assert";
import { readHomeFacts } from "../../lib/filesystem/local/home_facts.ts";
import { findHomeRisks } from "../../lib/server/virtual_authorizer.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

function risksOf(home: string): string[] {
  const facts = readHomeFacts(home);
  return facts === undefined ? ["unreadable"] : findHomeRisks(facts).map(({ risk }) => risk);
}

Deno.test("findHomeRisks() finds a root of a system under another name", async () => {
  await using folder = await TemporaryFolder.create();
  for (const part of ["etc", "usr/bin", "var", "dev"]) await Deno.mkdir(`${folder.path}/${part}`, { recursive: true });
  await Deno.writeTextFile(`${folder.path}/etc/passwd`, "");
  assertEquals(risksOf(folder.path), []);
  await Deno.mkdir(`${folder.path}/proc`);
  assertEquals(risksOf(folder.path), ["root-directory-home"]);
  assertEquals(risksOf("/")[0], "root-directory-home");
});

Deno.test({
  name: "findHomeRisks() finds a folder above a home in which others may rename it",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const above = `${folder.path}/above`;
    const home = `${above}/between/home`;
    await Deno.mkdir(home, { recursive: true });
    for (const [mode, risks] of [[0o755, []], [0o777, ["home-writable-by-others"]], [0o1777, []]] as const) {
      await Deno.chmod(above, mode);
      assertEquals(risksOf(home), [...risks], mode.toString(8));
    }
    await Deno.chmod(above, 0o777);
    const [risk] = findHomeRisks(readHomeFacts(home) ?? raise());
    assertStringIncludes(risk?.message ?? "", `chmod o-w ${await Deno.realPath(above)}`);
  },
});

function raise(): never {
  throw new Error("Cannot look at the home");
}
