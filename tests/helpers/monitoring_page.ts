/**
 * The table of metrics in docs/monitoring.md.
 *
 * @module
 */

import { allMetrics } from "./all_metrics.ts";

const BEGIN = "<!-- metrics: made by deno task docs -->";
const END = "<!-- end of metrics -->";

/** The page with the table as it is now. */
export async function withMetricsTable(url: URL): Promise<string> {
  const [before, rest] = (await Deno.readTextFile(url)).split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${url} has no place for the table`);
  const rows = allMetrics().map(({ name, kind, help, labels }) =>
    `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`
  );
  const table = ["| metric | kind | labels | what |", "| --- | --- | --- | --- |", ...rows].join("\n");
  return [before, BEGIN, "\n\n", table, "\n\n", END, after].join("");
}
