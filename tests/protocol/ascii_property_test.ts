import { assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { AsciiDecoder, AsciiEncoder } from "../../lib/protocol/ascii.ts";
import { assertProperty } from "../helpers/property.ts";
import { bytesOfParts, chunked, joined, latin1Bytes, latin1Text } from "../helpers/property_values.ts";

interface Converter {
  convert(bytes: Uint8Array): Uint8Array;
  flush(): Uint8Array;
}

const chunks = () => chunked(bytesOfParts(["\r", "\n", "\r\n", "\r\r\n", "\n\r", "x", "line\n", "\0", "\xff"]));

function convert(converter: Converter, pieces: readonly Uint8Array[]): Uint8Array {
  return joined([...pieces.map((piece) => converter.convert(piece).slice()), converter.flush()]);
}

Deno.test("AsciiEncoder.convert() returns CR LF for each LF without CR before it, for every cut of every file", () => {
  assertProperty(fc.property(chunks(), (pieces) => {
    const expected = latin1Text(joined(pieces)).replace(/(?<!\r)\n/g, "\r\n");
    assertEquals(latin1Text(convert(new AsciiEncoder(), pieces)), expected);
  }));
});

Deno.test("AsciiDecoder.convert() returns LF for each CR LF and all else as it is, for every cut of every upload", () => {
  assertProperty(fc.property(chunks(), (pieces) => {
    const expected = latin1Text(joined(pieces)).replaceAll("\r\n", "\n");
    assertEquals(latin1Text(convert(new AsciiDecoder(), pieces)), expected);
  }));
});

Deno.test("AsciiDecoder.convert() undoes AsciiEncoder.convert() where the file has no CR LF", () => {
  assertProperty(fc.property(chunks(), chunks(), (file, cuts) => {
    const bytes = latin1Bytes(latin1Text(joined(file)).replace(/\r+\n/g, "\n"));
    const wire = convert(new AsciiEncoder(), [bytes]);
    const sizes = cuts.map(({ length }) => length);
    assertEquals(convert(new AsciiDecoder(), cutAt(wire, sizes)), bytes);
  }));
});

Deno.test("AsciiEncoder.convert() changes nothing of what it has made itself", () => {
  assertProperty(fc.property(chunks(), (pieces) => {
    const wire = convert(new AsciiEncoder(), pieces);
    assertEquals(convert(new AsciiEncoder(), [wire]), wire);
  }));
});

Deno.test("AsciiEncoder.convert() and AsciiDecoder.convert() leave their chunks as they are, and stay within bounds", () => {
  assertProperty(fc.property(chunks(), (pieces) => {
    const encoder = new AsciiEncoder();
    const decoder = new AsciiDecoder();
    for (const piece of pieces) {
      const before = piece.slice();
      assertLessOrEqual(encoder.convert(piece).length, 2 * piece.length);
      assertLessOrEqual(decoder.convert(piece).length, piece.length + 1);
      assertEquals(piece, before);
    }
  }));
});

/** Pieces of the given lengths and one of the rest. */
function cutAt(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let from = 0;
  const pieces = lengths.map((length) => bytes.slice(from, from += length));
  return [...pieces, bytes.slice(from)];
}
