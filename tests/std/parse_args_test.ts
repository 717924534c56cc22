// What is expected here holds for `jsr:@std/cli` as well as for its stand-in.

import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

// Spread, because the result's own prototype is no part of the contract.
function parse(args: readonly string[], options: Parameters<typeof parseArgs>[1] = {}): Record<string, unknown> {
  return { ...parseArgs(args, options) };
}

Deno.test("parseArgs() sorts options from other arguments", () => {
  assertEquals(parse(["--foo", "--bar=baz", "./quux.txt"]), { foo: true, bar: "baz", _: ["./quux.txt"] });
  assertEquals(parse(["-", ""]), { _: ["-", ""] });
});

Deno.test("parseArgs() makes numbers of what looks like one, unless the name is a string's", () => {
  assertEquals(parse(["--a", "1", "--b=0x10", "-n5", "7"]), { a: 1, b: 16, n: 5, _: [7] });
  assertEquals(parse(["--a", "01", "7"], { string: ["a", "_"] }), { a: "01", _: ["7"] });
});

Deno.test("parseArgs() sets boolean options to false when absent and lets them take no value but true and false", () => {
  const options = { boolean: ["verbose", "help"], alias: { verbose: "V" } };
  assertEquals(parse([], options), { verbose: false, V: false, help: false, _: [] });
  assertEquals(parse(["-V", "dir", "--help", "x"], options), { verbose: true, V: true, help: true, _: ["dir", "x"] });
  assertEquals(parse(["--verbose", "false", "--help=false"], options), {
    verbose: false,
    V: false,
    help: false,
    _: [],
  });
  assertEquals(parse(["--V=false", "--help"], options), { verbose: false, V: false, help: true, _: [] });
});

Deno.test("parseArgs() treats every long option as boolean with boolean: true", () => {
  assertEquals(parse(["--foo", "dir", "--bar=1"], { boolean: true }), { foo: true, bar: 1, _: ["dir"] });
});

Deno.test("parseArgs() returns string options in each way of writing them", () => {
  const options = { string: ["port", "_"], alias: { port: "p" } };
  for (const args of [["--port", "2121"], ["--port=2121"], ["-p", "2121"], ["-p2121"], ["-p=2121"]]) {
    assertEquals(parse(args, options), { port: "2121", p: "2121", _: [] }, args.join(" "));
  }
  assertEquals(parse(["--port"], options).port, "");
  assertEquals(parse(["--port", "--x"], { string: "port" }), { port: "", x: true, _: [] });
});

Deno.test("parseArgs() takes neither a dash nor an empty argument as the value of a long option", () => {
  const options = { string: ["file", "_"], alias: { file: "f" } };
  assertEquals(parse(["--file", "-"], options), { file: "", f: "", _: ["-"] });
  assertEquals(parse(["--file", ""], options), { file: "", f: "", _: [""] });
  assertEquals(parse(["--file=", "x"], options), { file: "", f: "", _: ["x"] });
  assertEquals(parse(["-f", "-"], options), { file: "-", f: "-", _: [] });
});

Deno.test("parseArgs() keeps the last value of a repeated option", () => {
  assertEquals(parse(["--a", "x", "--a", "y"], { string: "a" }), { a: "y", _: [] });
  assertEquals(parse(["-n", "1", "--num=2"], { alias: { num: "n" } }), { num: 2, n: 2, _: [] });
  assertEquals(parse(["--b", "--b=false"], { boolean: "b" }), { b: false, _: [] });
});

Deno.test("parseArgs() collects the values of collected options", () => {
  const options = { string: ["risk"], collect: ["risk"], alias: { risk: "r" } };
  assertEquals(parse([], options), { risk: [], r: [], _: [] });
  assertEquals(parse(["--risk", "a"], options), { risk: ["a"], r: ["a"], _: [] });
  assertEquals(parse(["--risk", "a", "-r", "b"], options), { risk: ["a", "b"], r: ["a", "b"], _: [] });
  assertEquals(parse([], { collect: ["x"] }), { _: [] });
});

Deno.test("parseArgs() sets absent options and their aliases to their default", () => {
  const options = {
    boolean: ["color"],
    string: ["port"],
    alias: { port: "p", color: "c" },
    default: { port: "2121", c: true },
  };
  assertEquals(parse([], options), { port: "2121", p: "2121", color: true, c: true, _: [] });
  assertEquals(parse(["-p", "0", "--color=false"], options), { port: "0", p: "0", color: false, c: false, _: [] });
  assertEquals(parse([], { string: "x", collect: "x", default: { x: ["a"] } }), { x: ["a"], _: [] });
});

Deno.test("parseArgs() negates negatable options only", () => {
  const options = { boolean: ["color"], negatable: ["color"], default: { color: true } };
  assertEquals(parse(["--no-color"], options), { color: false, _: [] });
  assertEquals(parse(["--color", "--no-color"], options), { color: false, _: [] });
  assertEquals(parse(["--no-color"], { boolean: ["color"] }), { color: false, "no-color": true, _: [] });
  assertEquals(parse(["--no-cache"], { boolean: ["no-cache"] }), { "no-cache": true, _: [] });
});

Deno.test("parseArgs() leaves everything behind the first other argument alone with stopEarly", () => {
  const options = { stopEarly: true, boolean: ["V"], string: ["p", "_"] };
  assertEquals(parse(["-V", "-p", "1", "serve", "--no-x", "-V", "--p", ""], options), {
    V: true,
    p: "1",
    _: ["serve", "--no-x", "-V", "--p", ""],
  });
});

Deno.test('parseArgs() parses nothing behind "--"', () => {
  assertEquals(parse(["a", "--", "--b", "1"]), { _: ["a", "--b", "1"] });
  assertEquals(parse(["a", "--", "--b", "1"], { "--": true }), { _: ["a"], "--": ["--b", "1"] });
  assertEquals(parse(["a"], { "--": true }), { _: ["a"], "--": [] });
});

Deno.test("parseArgs() asks unknown() about undeclared arguments, and drops those it refuses", () => {
  const asked: unknown[][] = [];
  const unknown = (arg: string, key?: string, value?: unknown) => {
    asked.push(key === undefined ? [arg] : [arg, key, value]);
    return arg === "dir";
  };
  const options = { boolean: ["V"], string: ["port", "_"], alias: { port: "p" }, unknown };
  const args = ["-V", "--prot", "2121", "dir", "-zVy", "--no-color", "--x=1", "other", "-p", "5", "--port=6"];
  assertEquals(parse(args, options), { V: true, port: "6", p: "6", _: ["dir"] });
  assertEquals(asked, [
    ["--prot", "prot", "2121"],
    ["dir"],
    ["-zVy", "z", true],
    ["-zVy", "y", true],
    ["--no-color", "no-color", true],
    ["--x=1", "x", "1"],
    ["other"],
  ]);
});
