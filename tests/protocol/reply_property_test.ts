import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  formatReply,
  multilineReply,
  type Reply,
  reply,
  REPLY_CODES,
  type ReplyCode,
} from "../../lib/protocol/reply.ts";
import { assertProperty } from "../helpers/property.ts";
import { anyText, fileName } from "../helpers/property_values.ts";

/** A reply as a client reads it. */
interface ParsedReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** Reads replies by RFC 959 §4.2: a reply of several lines ends with the line that begins with its code and a space. */
function parseReplies(text: string): ParsedReply[] {
  const replies: ParsedReply[] = [];
  const lines = text.split("\r\n");
  assertEquals(lines.pop(), "", "The last line does not end");
  while (lines.length > 0) {
    const first = lines.shift() ?? "";
    const [, code = "", separator, rest = ""] = /^([1-6]\d\d)([ -])(.*)$/s.exec(first) ?? [];
    assert(separator !== undefined, `No reply begins with "${first}"`);
    const received = [rest];
    while (separator === "-") {
      const next = lines.shift();
      assert(next !== undefined, "The reply has no end");
      if (next.startsWith(`${code} `)) {
        received.push(next.slice(4));
        break;
      }
      received.push(next);
    }
    replies.push({ code: Number(code), lines: received });
  }
  return replies;
}

const codes = () => fc.constantFrom(...Object.keys(REPLY_CODES).map((code) => Number(code) as ReplyCode));

/** Texts that look like the end of a reply, or like another one. */
const nastyLines = () =>
  fc.oneof(
    fileName(),
    anyText({ maxLength: 20 }),
    fc.tuple(codes(), fc.constantFrom(" ", "-", ""), fc.string({ maxLength: 5 })).map((parts) => parts.join("")),
    fc.tuple(codes(), codes()).map(([one, other]) => `x\r\n${one} forged\r\n${other}-forged\n${one} `),
  );

const replies = (): fc.Arbitrary<Reply> =>
  fc.tuple(codes(), fc.array(nastyLines(), { minLength: 1, maxLength: 6 }))
    .map(([code, lines]) => multilineReply(code, lines as [string, ...string[]]));

Deno.test("formatReply() is read as exactly one reply, of the same code and as many lines, whatever they say", () => {
  assertProperty(fc.property(replies(), (it) => {
    const parsed = parseReplies(formatReply(it));
    assertEquals(parsed.map(({ code, lines }) => [code, lines.length]), [[it.code, it.lines.length]]);
  }));
});

Deno.test("formatReply() keeps replies apart that follow each other", () => {
  assertProperty(fc.property(fc.array(replies(), { maxLength: 5 }), (several) => {
    const parsed = parseReplies(several.map(formatReply).join(""));
    assertEquals(parsed.map(({ code }) => code), several.map(({ code }) => code));
  }));
});

Deno.test("formatReply() has no line between that begins with a digit, for clients that look for no more", () => {
  assertProperty(fc.property(replies(), (it) => {
    const between = formatReply(it).split("\r\n").slice(1, -2);
    assertEquals(between.filter((line) => /^\d/.test(line)), []);
  }));
});

Deno.test("formatReply() has no CR, LF or NUL but the CR LF of its lines", () => {
  assertProperty(fc.property(replies(), (it) => {
    const lines = formatReply(it).split("\r\n");
    assertEquals(lines.length, it.lines.length + 1);
    assertEquals(lines.filter((line) => /[\r\n\0]/.test(line)), []);
  }));
});

Deno.test("formatReply() is read back to the letter where lines have none of these and begin with no digit", () => {
  const printable = anyText().map((line) => `.${line.replace(/[\r\n\0]/g, "")}`);
  const texts = fc.array(printable, { minLength: 1, maxLength: 6 });
  assertProperty(fc.property(codes(), texts, (code, lines) => {
    assertEquals(parseReplies(formatReply(reply(code, lines.join("\n")))), [{ code, lines }]);
  }));
});
