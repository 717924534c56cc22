import { assertEquals } from "@std/assert";
import { ConfigurationError, errorAt, formatFinding } from "../../lib/settings/finding.ts";
import { formatPath } from "../../lib/settings/key_path.ts";

Deno.test("formatFinding() writes one line, with what is known of the place", () => {
  const message = 'unknown letter "x"';
  const path = ["users", 1, "permissions"];
  assertEquals(
    formatFinding({ place: { file: "ftpsd.yaml", line: 14 }, path, message }),
    'ftpsd.yaml:14: users[1].permissions: unknown letter "x"',
  );
  assertEquals(
    formatFinding({ place: { file: "ftpsd.yaml" }, path, message }),
    'ftpsd.yaml: users[1].permissions: unknown letter "x"',
  );
  assertEquals(formatFinding({ place: { file: "a", line: 2 }, path: [], message: "not YAML" }), "a:2: not YAML");
});

Deno.test("formatPath() keeps keys that are more than a word apart, and on one line", () => {
  assertEquals(formatPath(["passive", "addresses", "10.0.0.5"]), 'passive.addresses["10.0.0.5"]');
  assertEquals(formatPath(["a\nb", "", "c-d_1"]), '["a\\nb"][""].c-d_1');
  assertEquals(formatPath(["x".repeat(61)]), `["${"x".repeat(57)}…"]`);
  assertEquals(formatPath([0, 1, "a"]), "[0][1].a");
});

Deno.test("ConfigurationError has a line for each finding", () => {
  const findings = [
    { ...errorAt([], "one"), place: { file: "f", line: 1 } },
    { ...errorAt(["a"], "two"), place: { file: "f" } },
  ];
  const error = new ConfigurationError(findings);
  assertEquals([error.name, error.message], ["ConfigurationError", "f:1: one\nf: a: two"]);
  assertEquals(error.findings, findings);
});
