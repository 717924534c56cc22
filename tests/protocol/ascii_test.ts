import { assertEquals, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { AsciiDecoder, AsciiEncoder } from "../../lib/protocol/ascii.ts";

interface Converter {
  convert(bytes: Uint8Array): Uint8Array;
  flush(): Uint8Array;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function convert(converter: Converter, chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder("latin1");
  const converted = chunks.map((chunk) => decoder.decode(converter.convert(chunk)));
  return converted.join("") + decoder.decode(converter.flush());
}

function assertEveryCut(makeConverter: () => Converter, text: string, expected: string): void {
  const bytes = bytesOf(text);
  assertEquals(convert(makeConverter(), [...bytes].map((byte) => Uint8Array.of(byte))), expected, "byte by byte");
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const chunks = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
      assertEquals(convert(makeConverter(), chunks), expected, `cut at ${first} and ${second}`);
    }
  }
}

/** All texts of a length made of CR, LF and a letter. */
function textsOf(length: number): string[] {
  if (length === 0) return [""];
  return textsOf(length - 1).flatMap((text) => ["\r", "\n", "x"].map((character) => text + character));
}

const TEXTS = [0, 1, 2, 3, 4, 5].flatMap(textsOf).concat(
  "first\nsecond\r\nthird\rfourth\n\nfifth\r\r\nsixth\n\rend",
  "no line end at all",
);

Deno.test("AsciiEncoder.convert() makes CR LF of each LF without CR before it, for every cut", () => {
  for (const text of TEXTS) {
    assertEveryCut(() => new AsciiEncoder(), text, text.replace(/(?<!\r)\n/g, "\r\n"));
  }
});

Deno.test("AsciiDecoder.convert() makes LF of each CR LF and leaves the rest alone, for every cut", () => {
  for (const text of TEXTS) {
    assertEveryCut(() => new AsciiDecoder(), text, text.replaceAll("\r\n", "\n"));
  }
});

Deno.test("AsciiEncoder.convert() returns the chunk itself when nothing changes", () => {
  const encoder = new AsciiEncoder();
  for (const text of ["", "plain", "a\r", "\nb", "c\r\nd\r\n", "\r\r\n"]) {
    const chunk = bytesOf(text);
    assertStrictEquals(encoder.convert(chunk), chunk);
  }
});

Deno.test("AsciiDecoder.convert() does not copy when nothing but a CR at the end changes", () => {
  const decoder = new AsciiDecoder();
  for (const text of ["", "plain\n", "a\rb", "c\r", "\nd", "\n\r", "\n"]) {
    const chunk = bytesOf(text);
    assertStrictEquals(decoder.convert(chunk).buffer, chunk.buffer);
  }
});

Deno.test("AsciiEncoder and AsciiDecoder leave the chunk given as it was", () => {
  for (const converter of [new AsciiEncoder(), new AsciiDecoder()]) {
    const chunk = bytesOf("a\nb\r\nc\r");
    converter.convert(chunk);
    assertEquals(chunk, bytesOf("a\nb\r\nc\r"));
  }
});

Deno.test("AsciiDecoder.flush() returns the CR at the very end, once", () => {
  const decoder = new AsciiDecoder();
  assertEquals(decoder.convert(bytesOf("a\r")), bytesOf("a"));
  assertEquals(decoder.flush(), bytesOf("\r"));
  assertEquals(decoder.flush(), new Uint8Array(0));
});

Deno.test("AsciiEncoder.convert() uses at most twice the memory of the chunk", () => {
  const chunk = new Uint8Array(1000).fill(0x0a);
  const converted = new AsciiEncoder().convert(chunk);
  assertEquals(converted.length, 2000);
  assertLessOrEqual(converted.buffer.byteLength, 2000);
});

Deno.test("AsciiDecoder.convert() undoes AsciiEncoder.convert() for every text without CR", () => {
  for (const text of TEXTS.filter((text) => !text.includes("\r"))) {
    const wire = new AsciiEncoder().convert(bytesOf(text));
    assertEquals(convert(new AsciiDecoder(), [wire]), text);
  }
});
