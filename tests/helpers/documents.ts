/**
 * Documents that are made of the code. Run as a program, this writes them.
 *
 * @module
 */

import { makeAccountHookSchema } from "./account_hook_schema.ts";
import { makeCommandsPage } from "./commands_page.ts";
import { makeConfigurationPage } from "./configuration_page.ts";
import { makeGrafanaDashboard } from "./grafana_dashboard.ts";
import { withMetricsTable } from "./monitoring_page.ts";
import { makeJsonSchema } from "./json_schema.ts";
import { makeOpenApiDocument } from "./openapi_document.ts";
import { makeOptionsModule } from "./options_module.ts";
import { makeManPage } from "./man_page.ts";
import { drawSpeed, withSpeedTable } from "./speed_page.ts";
import { makeStartPicture } from "./start_picture.ts";
import { makeClusterUnit, makeSystemdUnit } from "./packaged_service.ts";
import { makeRisksPage } from "./risks_page.ts";

/** A document and how it is made. */
export interface GeneratedDocument {
  /** Where it is kept. */
  readonly url: URL;
  /** Makes its text. */
  readonly make: () => Promise<string>;
}

/** All of them, by path from the root of the project. */
export const DOCUMENTS: ReadonlyMap<string, GeneratedDocument> = new Map(
  ([
    ["docs/account-hook.schema.json", () => JSON.stringify(makeAccountHookSchema())],
    ["docs/commands.md", makeCommandsPage],
    ["docs/configuration.md", makeConfigurationPage],
    ["docs/ftpsd.1", makeManPage],
    ["docs/ftpsd.schema.json", () => JSON.stringify(makeJsonSchema())],
    ["docs/monitoring.md", () => withMetricsTable(urlOf("docs/monitoring.md"))],
    ["docs/performance.md", () => withSpeedTable(urlOf("docs/performance.md"))],
    ["docs/pictures/speed.svg", drawSpeed],
    ["docs/pictures/start.svg", makeStartPicture],
    ["docs/risks.md", makeRisksPage],
    ["lib/admin/api/openapi.json", makeOpenApiDocument],
    ["lib/settings/options.ts", makeOptionsModule],
    ["packaging/cluster/ftpsd.service", makeClusterUnit],
    ["packaging/monitoring/dashboard.json", makeGrafanaDashboard],
    ["packaging/systemd/ftpsd.service", makeSystemdUnit],
  ] as const).map(([path, make]) => [path, {
    url: urlOf(path),
    make: () => makeFormatted(make, path.replace(/.*\./, "")),
  }]),
);

function urlOf(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}

async function makeFormatted(make: () => string | Promise<string>, extension: string): Promise<string> {
  const text = await make();
  return ["md", "json", "ts"].includes(extension) ? await formatDocument(text, extension) : text;
}

/** Formats a text as `deno fmt` formats files of this project. */
export async function formatDocument(text: string, extension: string): Promise<string> {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--config", config, "--ext", extension, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  await using child = command.spawn();
  const writer = child.stdin.getWriter();
  const [, { success, stdout, stderr }] = await Promise.all([
    writer.write(new TextEncoder().encode(text)).then(() => writer.close()),
    child.output(),
  ]);
  if (!success) throw new Error(`Cannot format: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  for (const { url, make } of DOCUMENTS.values()) await Deno.writeTextFile(url, await make());
}
