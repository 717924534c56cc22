import { assertEquals } from "@std/assert";
import { formatReply, isNegative, multilineReply, reply } from "../../lib/protocol/reply.ts";

Deno.test("reply() splits its text at LF", () => {
  assertEquals(reply(230, "Welcome.\nBe kind.\nLogged in."), {
    code: 230,
    lines: ["Welcome.", "Be kind.", "Logged in."],
  });
});

Deno.test("reply() has an effect only when one is given", () => {
  assertEquals(Object.keys(reply(200, "Done.")), ["code", "lines"]);
  assertEquals(reply(221, "Goodbye.", "close"), { code: 221, lines: ["Goodbye."], effect: "close" });
});

Deno.test("multilineReply() keeps the lines as they are", () => {
  assertEquals(multilineReply(211, ["a\nb", "c"], "startTls"), { code: 211, lines: ["a\nb", "c"], effect: "startTls" });
});

Deno.test("formatReply() writes one line as code, space, text, CR LF", () => {
  assertEquals(formatReply(reply(200, "Command okay.")), "200 Command okay.\r\n");
  assertEquals(formatReply(reply(220, "")), "220 \r\n");
});

Deno.test("formatReply() writes the code on the first and last of several lines only", () => {
  assertEquals(
    formatReply(multilineReply(211, ["Features supported:", " EPSV", " UTF8", "End FEAT."])),
    "211-Features supported:\r\n EPSV\r\n UTF8\r\n211 End FEAT.\r\n",
  );
  assertEquals(formatReply(reply(220, "first\nlast")), "220-first\r\n220 last\r\n");
});

Deno.test("formatReply() puts a space before a line between that begins with a digit", () => {
  assertEquals(
    formatReply(multilineReply(230, ["Hello", "230 forged", "1 file", "-2 ", "end"])),
    "230-Hello\r\n 230 forged\r\n 1 file\r\n-2 \r\n230 end\r\n",
  );
});

Deno.test("formatReply() turns CR, LF and NUL of every line into question marks, and nothing else", () => {
  assertEquals(formatReply(reply(550, 'No "a\r\x00\x1b\x7f\tb".')), '550 No "a??\x1b\x7f\tb".\r\n');
  assertEquals(
    formatReply(multilineReply(250, ["a\r\n250 b", "c\nd", "e\r"])),
    "250-a??250 b\r\nc?d\r\n250 e?\r\n",
  );
});

Deno.test("formatReply() leaves other characters alone", () => {
  assertEquals(formatReply(reply(257, '"/Ünï ☃ \u00a0" created.')), '257 "/Ünï ☃ \u00a0" created.\r\n');
});

Deno.test("isNegative() is true from 400 on", () => {
  assertEquals([150, 226, 350].map((code) => isNegative(reply(code as 150, ""))), [false, false, false]);
  assertEquals([421, 500, 553].map((code) => isNegative(reply(code as 421, ""))), [true, true, true]);
});
