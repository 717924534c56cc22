import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { looksLikeVerb, parseCommandLine } from "../../lib/protocol/command_line.ts";
import { assertProperty } from "../helpers/property.ts";
import { anyText } from "../helpers/property_values.ts";

const verbs = () => fc.stringMatching(/^[A-Za-z]{3,4}$/).filter((verb) => verb.toUpperCase() !== "SITE");

Deno.test("parseCommandLine() returns the argument to the letter, and the verb in capitals", () => {
  assertProperty(fc.property(verbs(), anyText(), (verb, argument) => {
    assertEquals(parseCommandLine(`${verb} ${argument}`), { verb: verb.toUpperCase(), argument });
  }));
});

Deno.test("parseCommandLine() returns the argument of a SITE command to the letter", () => {
  assertProperty(fc.property(verbs(), anyText(), (verb, argument) => {
    assertEquals(parseCommandLine(`site ${verb} ${argument}`), { verb: `SITE ${verb.toUpperCase()}`, argument });
  }));
});

Deno.test("parseCommandLine() loses nothing of a line, and changes nothing but the letters a to z", () => {
  assertProperty(fc.property(anyText(), (line) => {
    const { verb, argument } = parseCommandLine(line);
    const whole = argument === "" ? verb : `${verb} ${argument}`;
    assertEquals(lowered(whole), lowered(line).replace(/ $/, lowered(line) === lowered(`${verb} `) ? "" : " "));
  }));
});

Deno.test("looksLikeVerb() is false for everything that is more than two short words of capitals", () => {
  assertProperty(fc.property(anyText(), (text) => {
    if (looksLikeVerb(text)) assert(/^[A-Z]{0,10}( [A-Z]{1,10})?$/.test(text));
  }));
});

function lowered(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
