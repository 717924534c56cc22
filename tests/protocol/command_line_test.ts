import { assert, assertEquals } from "@std/assert";
import { looksLikeVerb, parseCommandLine } from "../../lib/protocol/command_line.ts";

const LINES: readonly (readonly [text: string, verb: string, argument: string])[] = [
  ["NOOP", "NOOP", ""],
  ["noop", "NOOP", ""],
  ["NOOP ", "NOOP", ""],
  ["User alice", "USER", "alice"],
  ["PASS  two  spaces ", "PASS", " two  spaces "],
  ["RETR a\tb\r", "RETR", "a\tb\r"],
  ["CWD\t/", "CWD\t/", ""],
  ["", "", ""],
  [" NOOP", "", "NOOP"],
  ["site chmod 644 x y ", "SITE CHMOD", "644 x y "],
  ["SITE", "SITE", ""],
  ["SITE ", "SITE", ""],
  ["SITE help", "SITE HELP", ""],
  ["SITE  help", "SITE ", "help"],
  ["SITEHELP x", "SITEHELP", "x"],
  ["sıze x", "SıZE", "x"],
  ["ß ü", "ß", "ü"],
];

for (const [text, verb, argument] of LINES) {
  Deno.test(`parseCommandLine() splits ${JSON.stringify(text)}`, () => {
    assertEquals(parseCommandLine(text), { verb, argument });
  });
}

Deno.test("looksLikeVerb() is true for words of letters, and false for what may hold a password", () => {
  for (const verb of ["", "RETR", "XYZ", "SITE CHMOD", "PASS"]) assert(looksLikeVerb(verb), verb);
  for (const verb of ["PASS\tSECRET", "PASS,SECRET", "\xffPASS", "PASSSECRET", "P4SSWORD", "CORRECTHORSEBATTERY"]) {
    assert(!looksLikeVerb(verb), verb);
  }
});
