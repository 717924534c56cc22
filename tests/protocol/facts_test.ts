import { assertEquals } from "@std/assert";
import {
  formatFeatureFacts,
  modeFact,
  parseFactChanges,
  parseFactSelection,
  permFact,
} from "../../lib/protocol/facts.ts";

const PERMISSIONS: readonly (readonly [letters: string, directory: string, file: string, other: string])[] = [
  ["elradfmwMT", "eldfmMTcp", "radfwMT", "dfM"],
  ["elr", "el", "r", ""],
  ["elw", "elc", "w", ""],
  ["ela", "elc", "a", ""],
  ["elf", "elfc", "f", "f"],
  ["eld", "eldp", "d", "d"],
  ["elm", "elm", "", ""],
  ["", "", "", ""],
];

for (const [letters, directory, file, other] of PERMISSIONS) {
  Deno.test(`permFact() derives from "${letters}"`, () => {
    assertEquals(permFact(letters, "directory"), directory);
    assertEquals(permFact(letters, "file"), file);
    assertEquals(permFact(letters, "other"), other);
  });
}

Deno.test("permFact() lets a link be entered, listed, renamed and deleted, and nothing be purged through it", () => {
  assertEquals(permFact("elradfmwMT", "link"), "eldf");
  assertEquals(permFact("elr", "link"), "el");
});

Deno.test("modeFact() writes octal with a leading zero", () => {
  assertEquals([0o644, 0o755, 0o1777, 0o4755, 0o7, 0].map(modeFact), [
    "0644",
    "0755",
    "01777",
    "04755",
    "0007",
    "0000",
  ]);
});

Deno.test("parseFactSelection() keeps the client's order, in any case, each fact once", () => {
  assertEquals(parseFactSelection("Size;TYPE;unix.Mode;size;"), ["size", "type", "unix.mode"]);
});

Deno.test("parseFactSelection() ignores the star of a chosen fact, as FEAT shows it", () => {
  assertEquals(parseFactSelection("type*;size*;modify;"), ["type", "size", "modify"]);
  assertEquals(parseFactSelection("type**;*;*size;"), []);
});

Deno.test("parseFactSelection() ignores unknown facts", () => {
  assertEquals(parseFactSelection("type;lang;x;;constructor;modify"), ["type", "modify"]);
  assertEquals(parseFactSelection("create;"), []);
  assertEquals(parseFactSelection(";"), []);
});

Deno.test("parseFactSelection() takes an empty argument for no facts", () => {
  assertEquals(parseFactSelection(""), []);
});

Deno.test("parseFactSelection() refuses an argument without semicolon", () => {
  assertEquals(parseFactSelection("type"), undefined);
  assertEquals(parseFactSelection(" "), undefined);
});

Deno.test("formatFeatureFacts() marks the selected facts, in fixed order", () => {
  assertEquals(
    formatFeatureFacts(["modify", "type", "perm", "size", "unique"]),
    "type*;perm*;size*;modify*;unique*;unix.mode;unix.uid;unix.gid;",
  );
  assertEquals(formatFeatureFacts([]), "type;perm;size;modify;unique;unix.mode;unix.uid;unix.gid;");
});

Deno.test("parseFactChanges() reads times and permission bits, names in any case", () => {
  const modified = new Date("2020-01-02T03:04:05Z");
  assertEquals(parseFactChanges("Modify=20200102030405;UNIX.mode=0640;"), { modified, mode: 0o640 });
  assertEquals(parseFactChanges("unix.mode=777;"), { mode: 0o777 });
  assertEquals(parseFactChanges("size=1;modify=20200102030405;"), { unknown: "size", modified });
});

Deno.test("parseFactChanges() refuses other forms and values", () => {
  const refused = ["", ";", "modify", "modify=20200102030405", "modify=;", "unix.mode=888;", "unix.mode=4755;", "=1;"];
  for (const text of [...refused, "modify=20201302030405;", "modify=1=2;"]) {
    assertEquals(parseFactChanges(text), undefined, text);
  }
});
