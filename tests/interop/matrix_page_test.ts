import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { makeMatrixPage, rowsOf, withoutVersions } from "./matrix_page.ts";
import type { Column } from "./real_client.ts";
import type { ClientResult, Result } from "./results.ts";

const CLIENT: ClientResult = {
  client: "curl",
  origin: "Debian: curl",
  version: "7.88",
  tls: "OpenSSL",
  remark: "",
  columns: { get: "ok", "active mode": { defect: "starts no TLS" } },
};

function tested(client: string, columns: readonly Column[]): Result {
  return { client, test: "does it", passed: true, columns };
}

/** Cells of the rows of a client, by title. */
function cellsOf(page: string, client: string): Record<string, string> {
  const split = (row: string) => row.split("|").slice(1, -1).map((cell) => cell.trim());
  const tables = page.split("\n\n").filter((block) => block.startsWith("| client"));
  return Object.assign(
    {},
    ...tables.map((table) => {
      const [head = "", , ...rows] = table.split("\n");
      const row = rows.find((found) => found.startsWith(`| ${client}`)) ?? "";
      return Object.fromEntries(split(head).map((title, index) => [title, split(row)[index]]));
    }),
  );
}

Deno.test("makeMatrixPage() reports what was done, what is not offered, and what is wrong", () => {
  const page = makeMatrixPage([CLIENT, tested("curl", ["get", "active mode"])]);
  const cells = cellsOf(page, "curl");
  assertEquals([cells.version, cells["TLS by"], cells.get, cells.put, cells["active mode"]], [
    "7.88",
    "OpenSSL",
    "✓",
    "–",
    "✗[^1]",
  ]);
  assertStringIncludes(page, "[^1]: **curl**, active mode: starts no TLS.");
});

Deno.test("makeMatrixPage() notes a thing about a client once, and sorts the clients", () => {
  const defect = { defect: "does not" };
  const both: ClientResult = { ...CLIENT, client: "axel", remark: "is odd", columns: { get: defect, put: defect } };
  const page = makeMatrixPage([CLIENT, both, tested("curl", ["get", "active mode"]), tested("axel", ["get", "put"])]);
  const { client, get, put } = cellsOf(page, "axel");
  assertEquals([client, get, put], ["axel", "✗[^3]", "✗[^3]"]);
  assertEquals(page.match(/^\[\^\d\]: .*/gm), [
    "[^1]: **axel** is odd.",
    "[^2]: **curl**, active mode: starts no TLS.",
    "[^3]: **axel**, get, put: does not.",
  ]);
  assert(page.indexOf("| axel") < page.indexOf("| curl"));
});

Deno.test("rowsOf() does not depend on versions, nor on other clients and their notes", () => {
  const axel: ClientResult = { ...CLIENT, client: "axel", remark: "is odd", columns: {} };
  const results = [CLIENT, tested("curl", ["get", "active mode"])];
  const rows = rowsOf(makeMatrixPage(results), "curl");
  assertEquals(rows.length, 2);
  assertStringIncludes(rows[0] ?? "", "| ✗ (**curl**, active mode: starts no TLS.) |");
  assertEquals(
    rowsOf(makeMatrixPage([axel, ...results, { ...CLIENT, client: "curl-like", columns: {} }]), "curl"),
    rows,
  );
  assertEquals(rowsOf(makeMatrixPage([{ ...CLIENT, version: "8.1" }, ...results.slice(1)]), "curl"), rows);
});

Deno.test("makeMatrixPage() makes nothing of failed tests, nor of columns without a test", () => {
  const failed = [CLIENT, { ...tested("curl", ["get"]), passed: false }, tested("curl", ["active mode"])];
  assertThrows(() => makeMatrixPage(failed), Error, "tests have failed: curl does it");
  assertThrows(() => makeMatrixPage([CLIENT, tested("curl", ["get"])]), Error, "nothing has tested: curl: active mode");
});

Deno.test("withoutVersions() lets pages differ in versions alone", () => {
  const page = (version: string, cell = "✓") =>
    `| client | version   | get |\n| ------ | ${
      "-".repeat(version.length)
    } | --- |\n| curl   | ${version} | ${cell}   |\n`;
  assertEquals(withoutVersions(page("7.88")), withoutVersions(page("20210827")));
  assert(withoutVersions(page("7.88")) !== withoutVersions(page("7.88", "–")));
});
