import { assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { type DecodedLine, LineDecoder } from "../../lib/protocol/line_decoder.ts";
import { assertProperty } from "../helpers/property.ts";
import { bytesOfParts, chunked, joined, latin1Bytes, latin1Text } from "../helpers/property_values.ts";

const MAX_LINE_BYTES = 16;

/** Texts that are likely to be cut at a bad place. */
const PARTS = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  "NOOP\r\n",
  "ABOR\r\n",
  "abor\n",
  "ABOR",
  "x",
  " ",
  "0123456789abcdef",
  "\xc3\xa4",
  "\xe2\x98\x83",
  "\xc3",
  "\xef\xbb\xbf",
] as const;

const TELNET_PARTS = [
  ...PARTS,
  "\xff\xf4",
  "\xff\xf2",
  "\xff\xff",
  "\xf2",
  "\xff\xfb\x01",
  "\xff\xfd\n",
  "\xff",
] as const;

/** The exception that the decoder makes for urgent data: ABOR and CR, with neither LF nor the end behind it. */
const LONE_ABORT = /abor\r(?!\n|$)/i;

function decode(chunks: readonly Uint8Array[]): DecodedLine[] {
  const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

Deno.test("LineDecoder.push() returns the same lines for every cut of every stream without a lone ABOR", () => {
  const streams = chunked(bytesOfParts(TELNET_PARTS).filter((bytes) => !LONE_ABORT.test(latin1Text(bytes))));
  assertProperty(fc.property(streams, (chunks) => {
    assertEquals(decode(chunks), decode([joined(chunks)]));
  }));
});

Deno.test("LineDecoder.push() takes a chunk that ends with ABOR and CR as if the LF had come", () => {
  const streams = chunked(bytesOfParts(["ABOR\r", "aBoR\r", "X", "\n", "NOOP\r\n"]).map(asciiOnly));
  assertProperty(fc.property(streams, (chunks) => {
    let text = "";
    let isMissing = false;
    for (const chunk of chunks.map(latin1Text).filter((chunk) => chunk !== "")) {
      // The LF that comes late belongs to the line that was given before.
      text += isMissing && !chunk.startsWith("\n") ? `\n${chunk}` : chunk;
      isMissing = /(^|\n)abor\r$/i.test(text);
    }
    assertEquals(decode(chunks), decode([latin1Bytes(text)]));
  }));
});

Deno.test("LineDecoder.push() returns what a client means by a line, where there is no Telnet", () => {
  const streams = chunked(bytesOfParts(PARTS).map(withoutTelnet)).filter((chunks) =>
    !/abor\r(?!\n)/i.test(latin1Text(joined(chunks)))
  );
  assertProperty(fc.property(streams, (chunks) => {
    const lines = latin1Text(joined(chunks)).split("\n").slice(0, -1);
    assertEquals(decode(chunks), lines.map((line) => decodedLine(line.replace(/\r$/, ""))));
  }));
});

Deno.test("LineDecoder.push() returns the same lines without the Telnet commands before them", () => {
  const telnet = fc.array(
    fc.constantFrom("\xff\xf4", "\xff\xf2", "\xff", "\xf2", "\xff\xfb\x01", "\xff\xfd\n", "\xff\xfex"),
  );
  const line = fc.constantFrom("NOOP\r\n", "ABOR\r\n", "\n", "\r\n", "0123456789abcdef0\n", "\0\n", "\xc3\n");
  assertProperty(fc.property(fc.array(fc.tuple(telnet, line)), (lines) => {
    const disturbed = latin1Bytes(lines.map(([before, text]) => before.join("") + text).join(""));
    const plain = latin1Bytes(lines.map(([, text]) => text).join(""));
    assertEquals(decode([disturbed]), decode([plain]));
  }));
});

Deno.test("LineDecoder holds no more than the limit and a CR, whatever comes", () => {
  assertProperty(fc.property(chunked(bytesOfParts(TELNET_PARTS)), (chunks) => {
    const decoder = new LineDecoder({ maxLineBytes: MAX_LINE_BYTES });
    for (const chunk of chunks) {
      decoder.push(chunk);
      assertLessOrEqual(decoder.pendingBytes, MAX_LINE_BYTES + 1);
    }
  }));
});

/** What one line means, by the rules and not by the decoder's way. */
function decodedLine(line: string): DecodedLine {
  if (line.length > MAX_LINE_BYTES) return { kind: "tooLong" };
  if (line.includes("\0")) return { kind: "nul" };
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { kind: "line", text: decoder.decode(latin1Bytes(line)) };
  } catch {
    return { kind: "undecodable" };
  }
}

/** Bytes from 0xF0 on are Telnet commands where a line starts. */
function withoutTelnet(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte >= 0xf0 ? byte - 0x80 : byte);
}

function asciiOnly(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte & 0x7f);
}
