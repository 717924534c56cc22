import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/yaml";
import project from "../../deno.json" with { type: "json" };
import { formatComposeFile, RUNTIME_VARIABLES } from "../../lib/cli/service_files.ts";
import { makeSystemdUnit, readPackagedConfiguration } from "../helpers/packaged_service.ts";
import { runProgram } from "../helpers/run_program.ts";

Deno.test("each service that the project starts tells the runtime to look for input at every turn", async () => {
  const needs = { net: [], read: [], write: [] };
  const text = formatComposeFile(await readPackagedConfiguration(), { needs, command: [] });
  const compose = parse(text, { schema: "core" }) as {
    readonly services: { readonly ftpsd: { readonly environment: string[] } };
  };
  assertEquals(compose.services.ftpsd.environment, RUNTIME_VARIABLES);
  const variables = RUNTIME_VARIABLES.join(" ");
  assertStringIncludes(await makeSystemdUnit(), `\nEnvironment=${variables}\n`);
  assertStringIncludes(project.tasks.start.command, `${variables} deno run`);
  const image = await Deno.readTextFile(new URL("../../packaging/Containerfile", import.meta.url));
  assertStringIncludes(image, `\nENV DENO_NO_UPDATE_CHECK=1 ${variables}\n`);
});

for (const variable of RUNTIME_VARIABLES) {
  Deno.test(`the runtime reads ${variable}`, async () => {
    const [name = "", value = ""] = variable.split("=");
    const start = async (text: string) => await runProgram(Deno.execPath(), ["eval", ""], { env: { [name]: text } });
    assertEquals((await start(value)).code, 0);
    assertNotEquals((await start("no number")).code, 0); // it would not, if it were unknown
  });
}
