/**
 * What the tests of real clients have found, kept for the page docs/clients.md when `FTPSD_CLIENT_RESULTS` names a folder.
 *
 * @module
 */

import type { Column, RealClient } from "./real_client.ts";

/** A client of the matrix. */
export interface ClientResult {
  readonly client: string;
  readonly origin: string;
  readonly version: string;
  readonly tls: string;
  readonly remark: string;
  /** What it has, with the reason where it has it wrong. */
  readonly columns: { readonly [column in Column]?: "ok" | { readonly defect: string } };
}

/** A test that has ended. */
export interface TestResult {
  readonly client: string;
  readonly test: string;
  /** Whether the client has done what its adapter says of it, rightly or wrongly. */
  readonly passed: boolean;
  /** What the test is about. */
  readonly columns: readonly Column[];
}

/** One line of a file of results. */
export type Result = ClientResult | TestResult;

/** Folder that results go to, if any. */
export function resultsFolder(): string | undefined {
  return Deno.env.get("FTPSD_CLIENT_RESULTS") || undefined;
}

/** Keeps a result. */
export async function record(client: Pick<RealClient, "name">, result: Result): Promise<void> {
  const folder = resultsFolder();
  if (folder === undefined) return;
  await Deno.mkdir(folder, { recursive: true });
  const path = `${folder}/${client.name.replaceAll(/[^\w.-]/g, "_")}.jsonl`;
  await Deno.writeTextFile(path, `${JSON.stringify(result)}\n`, { append: true });
}

/** Reads all that was kept. */
export async function readResults(folder: string): Promise<Result[]> {
  const results: Result[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const lines = (await Deno.readTextFile(`${folder}/${name}`)).trimEnd().split("\n");
    results.push(...lines.map((line) => JSON.parse(line) as Result));
  }
  return results;
}
