import { assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { formatComposeFile } from "../../lib/cli/service_files.ts";
import { read } from "../settings/configuration_text.ts";

/** What Compose makes of a text: `$$` is a `$`, and one alone begins a variable. */
function interpolated(text: string): string {
  return text.replace(/\$(.?)/g, (_, next: string) => {
    if (next !== "$") throw new Error(`A variable in ${text}`);
    return "$";
  });
}

Deno.test("formatComposeFile() leaves no variable to Compose", () => {
  const configuration = read("anonymous: { home: '/srv/$HOME' }\n");
  const needs = { net: [], read: ["/srv/$HOME"], write: ["/srv/$$"] };
  const command = ["run", "--allow-read=/srv/$HOME,/srv/$$"];
  const file = parse(formatComposeFile(configuration, { needs, command }), { schema: "core" }) as {
    readonly services: { readonly ftpsd: { readonly command: string[]; readonly volumes: string[] } };
  };
  const { ftpsd } = file.services;
  assertEquals(ftpsd.command.map(interpolated), command);
  assertEquals(ftpsd.volumes.map(interpolated), [
    "/srv/$HOME:/srv/$HOME:ro",
    "/srv/$$:/srv/$$",
    "deno-cache:/deno-dir",
  ]);
});
