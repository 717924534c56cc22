/**
 * What docs/clients.md has to tell of a client, as its adapter says.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { formatMatrixPage, PAGE, rowsOf } from "./matrix_page.ts";
import { type Column, CONNECTION_COLUMNS, offers, OPERATION_COLUMNS, type RealClient } from "./real_client.ts";
import type { ClientResult } from "./results.ts";

const OMITS_CLOSE_NOTIFY =
  "never ends uploads by TLS close_notify: it is told `426`, and needs `tls.requireCloseNotify: " +
  "false` (risk `no-close-notify`) to upload";

/** What the page tells of a client. */
export function resultOf(client: RealClient, version: string): ClientResult {
  const { name, origin, tls = "" } = client;
  const remarks = [
    ...client.remark === undefined ? [] : [client.remark],
    ...client.omitsCloseNotify ? [OMITS_CLOSE_NOTIFY] : [],
    ...client.tls && !offers(client, "refuses unknown certificates") ? ["verifies no certificate"] : [],
  ];
  const columns = [...CONNECTION_COLUMNS, ...OPERATION_COLUMNS].filter((column) => offers(client, column));
  const outcomes = columns.map((column) => {
    const defect = client.defects?.[column]?.reason;
    return [column, defect === undefined ? "ok" : { defect }];
  });
  return { client: name, origin, version, tls, remark: remarks.join("; "), columns: Object.fromEntries(outcomes) };
}

/** Compares the page with what it would be if all tests of the client passed. */
export async function assertOnPage(client: RealClient): Promise<void> {
  const result = resultOf(client, "0");
  const columns = Object.keys(result.columns) as Column[];
  const made = await formatMatrixPage([result, { client: client.name, test: "all", passed: true, columns }]);
  assertEquals(rowsOf(await Deno.readTextFile(PAGE), client.name), rowsOf(made, client.name));
}
