import { assertEquals, assertLessOrEqual } from "@std/assert";
import { loadEncoding } from "../../lib/protocol/text_encoding.ts";
import { type DecodedLine, LineDecoder } from "../../lib/protocol/line_decoder.ts";

const MAX_LINE_BYTES = 16;

/** Bytes of a string whose characters are all below 256. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function decode(chunks: readonly Uint8Array[], maxLineBytes = MAX_LINE_BYTES): DecodedLine[] {
  const decoder = new LineDecoder({ maxLineBytes });
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

/** Decodes one chunk, given and returned in short: text of a line, or `kind` in brackets. */
function decodeText(text: string): string[] {
  return decode([latin1(text)]).map((line) => line.kind === "line" ? line.text : `<${line.kind}>`);
}

Deno.test("LineDecoder.push() ends lines at CR LF and at a bare LF", () => {
  assertEquals(decodeText("NOOP\r\nFEAT\n\r\n\nSYST\r\nrest"), ["NOOP", "FEAT", "", "", "SYST"]);
});

Deno.test("LineDecoder.push() removes one CR at the end, and keeps others and all spaces", () => {
  assertEquals(decodeText("a\r\r\n\rb\r\n c \r\n"), ["a\r", "\rb", " c "]);
});

Deno.test("LineDecoder.push() accepts a line at the limit, with either terminator", () => {
  const line = "x".repeat(MAX_LINE_BYTES);
  assertEquals(decodeText(`${line}\r\n${line}\n`), [line, line]);
});

Deno.test("LineDecoder.push() refuses a line over the limit once, and goes on with the next", () => {
  const line = "x".repeat(MAX_LINE_BYTES + 1);
  assertEquals(decodeText(`${line}\r\nNOOP\r\n${line}\nSYST\n`), ["<tooLong>", "NOOP", "<tooLong>", "SYST"]);
});

Deno.test("LineDecoder.push() reports a long line only when its LF arrives", () => {
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
  for (let count = 0; count < 100; count++) assertEquals(decoder.push(latin1("0123456789\r\0")), []);
  assertEquals(decoder.push(latin1("\nNOOP\n")), [{ kind: "tooLong" }, { kind: "line", text: "NOOP" }]);
});

Deno.test("LineDecoder holds no more than the limit and a CR, whatever is sent", () => {
  for (const size of [1, 3, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 1000]) {
    const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
    const chunk = new Uint8Array(size).fill(0x41);
    for (let count = 0; count < 50; count++) {
      decoder.push(chunk);
      assertLessOrEqual(decoder.pendingBytes, MAX_LINE_BYTES + 1);
    }
    assertEquals(decoder.pendingBytes, 0);
    assertEquals(decoder.push(latin1("\r\n")), [{ kind: "tooLong" }]);
  }
});

Deno.test("LineDecoder.push() gives up a line that does not end, and all behind it, however it is cut", () => {
  const most = MAX_LINE_BYTES + 1024 * 1024;
  for (const [name, byte] of [["text", 0x41], ["Telnet commands", 0xff]] as const) {
    for (const pieceBytes of [most, 64 * 1024, 999]) {
      const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
      const lines: DecodedLine[] = decoder.push(latin1("NOOP\r\n"));
      for (let sent = 0; sent < most; sent += pieceBytes) {
        lines.push(...decoder.push(new Uint8Array(Math.min(pieceBytes, most - sent)).fill(byte)));
      }
      assertEquals(lines, [{ kind: "line", text: "NOOP" }], name);
      assertEquals(decoder.push(Uint8Array.of(byte, 0x0a)), [{ kind: "endless" }], name);
      assertEquals([decoder.push(latin1("\r\nNOOP\r\n")), decoder.pendingBytes], [[], 0], name);
    }
  }
});

Deno.test("LineDecoder.push() takes lines for ever that end, though they are too long", () => {
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
  const long = new Uint8Array(1024 * 1024).fill(0x41);
  for (let count = 0; count < 4; count++) {
    assertEquals([...decoder.push(long), ...decoder.push(latin1("\r\n"))], [{ kind: "tooLong" }]);
  }
});

Deno.test("LineDecoder.pendingBytes counts what is held of an unfinished line", () => {
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
  assertEquals(decoder.pendingBytes, 0);
  decoder.push(latin1("NOOP\r\nUS"));
  assertEquals(decoder.pendingBytes, 2);
  decoder.push(latin1("ER\r"));
  assertEquals(decoder.pendingBytes, 5);
  decoder.push(latin1("\n"));
  assertEquals(decoder.pendingBytes, 0);
  decoder.push(latin1("\xff\xf4"));
  assertEquals(decoder.pendingBytes, 0);
});

Deno.test("LineDecoder.push() refuses a NUL anywhere in a line", () => {
  assertEquals(decodeText("\0NOOP\r\nNO\0OP\r\nNOOP\r\0\nNOOP\r\n"), ["<nul>", "<nul>", "<nul>", "NOOP"]);
});

Deno.test("LineDecoder.push() refuses bytes that are not UTF-8, and decodes the next line", () => {
  assertEquals(decodeText("CWD \xe4\r\nCWD \xc3\r\nCWD \xff\xf4\r\nCWD \xed\xa0\x80\nCWD \xc3\xa4\r\n"), [
    "<undecodable>",
    "<undecodable>",
    "<undecodable>",
    "<undecodable>",
    "CWD ä",
  ]);
});

Deno.test("LineDecoder.push() keeps a byte order mark", () => {
  assertEquals(decodeText("\xef\xbb\xbfNOOP\r\n"), ["\ufeffNOOP"]);
});

Deno.test("LineDecoder.push() decodes with the given encoding", async () => {
  const { decode } = await loadEncoding("windows-1252");
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES, decode });
  assertEquals(decoder.push(latin1("CWD \xe4\x80\r\n")), [{ kind: "line", text: "CWD ä€" }]);
});

Deno.test("LineDecoder.push() takes a doubled 0xFF in the text for one, however it is cut, and a single one for itself", async () => {
  const { decode } = await loadEncoding("windows-1251");
  const bytes = latin1("STOR \xec\xe0\xff\xff\r\nCWD \xff\xff\xff\r\n\xff\xf4\xff\xf2ABOR\r\nCWD \xec\xff\r\n");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES, decode });
    const lines = [...decoder.push(bytes.slice(0, cut)), ...decoder.push(bytes.slice(cut))];
    assertEquals(
      lines.map((line) => line.kind === "line" ? line.text : line.kind),
      ["STOR мая", "CWD яя", "ABOR", "CWD мя"],
    );
  }
});

Deno.test("LineDecoder.push() leaves the bytes it was given to the caller", () => {
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
  const chunk = latin1("NO");
  decoder.push(chunk);
  chunk.fill(0x58);
  assertEquals(decoder.push(latin1("OP\n")), [{ kind: "line", text: "NOOP" }]);
});

const TELNET_PREFIXES = {
  "IP and Synch": "\xff\xf4\xff\xf2",
  "IP and IAC whose DM got lost": "\xff\xf4\xff",
  "Synch behind a doubled IAC": "\xff\xff\xf4",
  "lone DM": "\xf2",
  "IP without IAC, and Synch": "\xf4\xff\xf2",
  "no operation": "\xff\xf1",
  "end of subnegotiation": "\xff\xf0",
  "go ahead and subnegotiation": "\xff\xf9\xff\xfa",
  "WILL, WON'T, DO and DON'T": "\xff\xfb\x01\xff\xfcA\xff\xfd\xff\xff\xfe\x00",
  "option that looks like LF": "\xff\xfd\n",
  "WILL without IAC": "\xfb",
};

for (const [what, prefix] of Object.entries(TELNET_PREFIXES)) {
  Deno.test(`LineDecoder.push() drops Telnet commands at the start of a line: ${what}`, () => {
    assertEquals(decodeText(`${prefix}ABOR\r\n${prefix}${prefix}NOOP\r\n`), ["ABOR", "NOOP"]);
  });
}

Deno.test("LineDecoder.push() does not count Telnet commands as part of the line", () => {
  const line = "x".repeat(MAX_LINE_BYTES);
  assertEquals(decodeText(`${"\xff\xf4".repeat(MAX_LINE_BYTES)}${line}\r\n`), [line]);
});

Deno.test("LineDecoder.push() ends an empty line behind Telnet commands", () => {
  assertEquals(decodeText("\xff\xf4\r\n\xff\n\xf2\nNOOP\n"), ["", "", "", "NOOP"]);
});

Deno.test("LineDecoder.push() returns ABOR at once when its LF is missing at the end of a chunk", () => {
  for (const text of ["ABOR\r", "abor\r", "aBoR\r", "\xff\xf4\xff\xf2ABOR\r", "NOOP\r\nABOR\r"]) {
    const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
    const last = decoder.push(latin1(text)).at(-1);
    assertEquals(last, { kind: "line", text: text.slice(-5, -1) });
    assertEquals(decoder.pendingBytes, 0);
    assertEquals(decoder.push(latin1("NOOP\r\n")), [{ kind: "line", text: "NOOP" }]);
  }
});

Deno.test("LineDecoder.push() returns ABOR at once also when it came in pieces", () => {
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
  assertEquals(["A", "BO", "R", "\r"].map((text) => decoder.push(latin1(text)).length), [0, 0, 0, 1]);
});

Deno.test("LineDecoder.push() swallows the late LF of such an ABOR, and only one", () => {
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
  decoder.push(latin1("ABOR\r"));
  assertEquals(decoder.push(new Uint8Array(0)), []);
  assertEquals(decoder.push(latin1("\n")), []);
  assertEquals(decoder.push(latin1("\nNOOP\n")), [{ kind: "line", text: "" }, { kind: "line", text: "NOOP" }]);
});

Deno.test("LineDecoder.push() swallows an LF only right behind such an ABOR", () => {
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
  decoder.push(latin1("ABOR\r"));
  assertEquals(decoder.push(latin1("X")), []);
  assertEquals(decoder.push(latin1("\n")), [{ kind: "line", text: "X" }]);
});

Deno.test("LineDecoder.push() waits for the LF of every other line", () => {
  for (const text of ["ABOR", "NOOP\r", " ABOR\r", "ABOR \r", "XABOR\r", "ABO\r", "ABOR\r\r"]) {
    const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
    assertEquals(decoder.push(latin1(text)), [], JSON.stringify(text));
    assertEquals(decoder.push(latin1("\n")).length, 1, JSON.stringify(text));
  }
});

const CORPUS = [
  "USER alice\r\nPASS a b\r\n\r\n\nNOOP\n",
  "a\r\r\nb\rc\n\r\n",
  "0123456789abcdef\r\n0123456789abcdef\n0123456789abcdefg\r\n0123456789abcdef\r\r\nNOOP\r\n",
  "0123456789abcdef0123456789abcdef\r0\0\xff\r\nNOOP\r\n",
  "\0\r\nA\0\r\nNOOP\r\0\n",
  "CWD \xc3\xa4\xe2\x98\x83\r\nCWD \xe4\r\n\xef\xbb\xbfNOOP\r\nX\xff\xf4Y\r\n",
  ...Object.values(TELNET_PREFIXES).map((prefix) => `NOOP\r\n${prefix}STAT\r\n${prefix}\n${prefix}A${prefix}\n`),
  "\xff\xf4\xff\xf2ABOR\r\nabor\r\n\xff\xf4\xffABOR\r\n\r\nABOR\r\n\nABOR\nABOR \r\n",
];

CORPUS.forEach((text, index) => {
  Deno.test(`LineDecoder.push() returns the same lines for every cut of text ${index}`, () => {
    const bytes = latin1(text);
    const whole = decode([bytes]);
    assertEquals(decode([...bytes].map((byte) => Uint8Array.of(byte))), whole, "byte by byte");
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const chunks = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
        assertEquals(decode(chunks), whole, `cut at ${first} and ${second}`);
      }
    }
  });
});
