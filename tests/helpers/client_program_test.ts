import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { isInstalled, programTest } from "./client_program.ts";

const TEST = { program: "no-such-program", name: "RETR serves it", fn: () => {} };
const MISSING = { isInstalled: () => false, ci: false };

Deno.test("programTest() lets the test run when the program is installed", () => {
  assertEquals(programTest(TEST, { isInstalled: () => true, ci: true }), { name: TEST.name, fn: TEST.fn });
});

Deno.test("programTest() ignores the test with the reason when the program is missing", () => {
  const definition = programTest(TEST, MISSING);
  assertEquals(definition, { ...definition, ignore: true, fn: TEST.fn });
  assertStringIncludes(definition.name, "no-such-program is not installed");
});

Deno.test("programTest() makes the test fail when the program is missing and CI is true", () => {
  const definition = programTest(TEST, { ...MISSING, ci: true });
  assertEquals(definition.ignore, undefined);
  assertThrows(() => definition.fn({} as Deno.TestContext), Error, '"no-such-program" is not installed');
});

Deno.test("isInstalled() looks on the PATH", () => {
  assertEquals([isInstalled("sh"), isInstalled("no-such-program")], [Deno.build.os !== "windows", false]);
});

Deno.test("isInstalled() takes the path of a file", () => {
  const here = new URL(import.meta.url).pathname;
  assertEquals([isInstalled(here), isInstalled(`${here}.missing`)], [true, false]);
});
