import { assertEquals, assertThrows } from "@std/assert";
import { DER_TAG, derContent, DerError, derIdentifier, derParts, derTime, readDer } from "../../lib/protocol/der.ts";

/** A value of a tag, with a short length. */
function value(tag: number, ...content: number[]): Uint8Array {
  return new Uint8Array([tag, content.length, ...content]);
}

function text(tag: number, content: string): Uint8Array {
  return value(tag, ...new TextEncoder().encode(content));
}

Deno.test("readDer() reads a value with a length of one byte, and of several", () => {
  assertEquals(readDer(value(0x04, 1, 2)).content, new Uint8Array([1, 2]));
  const content = new Uint8Array(300).fill(7);
  const long = readDer(new Uint8Array([0x04, 0x82, 0x01, 0x2c, ...content]));
  assertEquals(long.content, content);
  assertEquals(long.bytes.length, 304);
});

const DAMAGED: readonly (readonly [string, readonly number[]])[] = [
  ["nothing", []],
  ["no length", [0x04]],
  ["a content that is cut off", [0x04, 2, 1]],
  ["a length that is cut off", [0x04, 0x82, 1]],
  ["something behind the value", [0x04, 1, 1, 0x04]],
  ["a second value", [0x04, 0, 0x04, 0]],
  ["an indefinite length", [0x30, 0x80, 0, 0]],
  ["a length that could be shorter", [0x04, 0x81, 1, 1]],
  ["a length with a leading zero", [0x04, 0x82, 0, 0x80, ...new Array(128).fill(0)]],
  ["a length of eight bytes", [0x04, 0x88, 1, 0, 0, 0, 0, 0, 0, 0]],
  ["a tag of several bytes", [0x1f, 0x81, 0]],
];
for (const [name, bytes] of DAMAGED) {
  Deno.test(`readDer() refuses ${name}`, () => {
    assertThrows(() => readDer(new Uint8Array(bytes)), DerError);
  });
}

Deno.test("derParts() and derContent() refuse values of another kind", () => {
  const found = readDer(value(DER_TAG.set, ...value(0x04, 1)));
  assertEquals(derParts(found, DER_TAG.set).length, 1);
  assertThrows(() => derParts(found), DerError);
  assertThrows(() => derParts(undefined), DerError);
  assertThrows(() => derContent(found, DER_TAG.octetString), DerError);
});

Deno.test("derIdentifier() reads identifiers of each root, and refuses what is cut off, empty or endless", () => {
  const read = (...bytes: number[]) => derIdentifier(readDer(value(DER_TAG.objectIdentifier, ...bytes)));
  assertEquals(read(0x55, 0x04, 0x03), "2.5.4.3");
  assertEquals(read(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d), "1.2.840.113549");
  assertEquals(read(0x09, 0x92, 0x26), "0.9.2342");
  assertEquals(read(0x88, 0x37), "2.999");
  for (const bytes of [[], [0x55, 0x84], new Array(20).fill(0xff)]) assertThrows(() => read(...bytes), DerError);
});

Deno.test("derTime() reads both kinds of time, and refuses those without seconds or in other zones", () => {
  const read = (tag: number, content: string) => derTime(readDer(text(tag, content))).toISOString();
  assertEquals(read(DER_TAG.utcTime, "261129120000Z"), "2026-11-29T12:00:00.000Z");
  assertEquals(read(DER_TAG.utcTime, "501129120000Z"), "1950-11-29T12:00:00.000Z");
  assertEquals(read(DER_TAG.generalizedTime, "20501129120000Z"), "2050-11-29T12:00:00.000Z");
  const wrong = ["2611291200Z", "261129120000+0100", "261329120000Z", "261129120000.5Z", ""];
  for (const content of wrong) assertThrows(() => read(DER_TAG.utcTime, content), DerError);
});
