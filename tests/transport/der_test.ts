import { assertEquals } from "@std/assert";
import {
  DER_TRUE,
  derBitString,
  derContextTag,
  derObjectIdentifier,
  derText,
  derTime,
  derUnsigned,
  derValue,
} from "../../lib/transport/der.ts";

/** Encodings as standards and other encoders have them. */
const ENCODINGS: readonly (readonly [what: string, bytes: Uint8Array, hex: string])[] = [
  ["an empty sequence", derValue("sequence"), "3000"],
  ["a sequence of two", derValue("sequence", DER_TRUE, DER_TRUE), "30060101ff0101ff"],
  ["a constructed value by its place", derValue(derContextTag(3, { isConstructed: true }), DER_TRUE), "a3030101ff"],
  ["a plain value by its place", derValue(derContextTag(7), Uint8Array.of(127, 0, 0, 1)), "87047f000001"],
  ["zero", derUnsigned(Uint8Array.of(0, 0)), "020100"],
  ["127", derUnsigned(Uint8Array.of(0x7f)), "02017f"],
  ["128, which is not negative", derUnsigned(Uint8Array.of(0x80)), "02020080"],
  ["a number with leading zeros", derUnsigned(Uint8Array.of(0, 0, 1, 0)), "02020100"],
  [
    "the identifier of RSA Data Security (X.690 and RFC 8017)",
    derObjectIdentifier("1.2.840.113549"),
    "06062a864886f70d",
  ],
  ["the identifier of commonName", derObjectIdentifier("2.5.4.3"), "0603550403"],
  ["a text", derText("ä"), "0c02c3a4"],
  ["bits with unused ones", derBitString(Uint8Array.of(0x80), 7), "03020780"],
  ["a time before 2050", derTime(new Date("2049-12-31T23:59:59.999Z")), "170d3439313233313233353935395a"],
  ["a time from 2050 on", derTime(new Date("2050-01-01T00:00:00Z")), "180f32303530303130313030303030305a"],
];

for (const [what, bytes, hex] of ENCODINGS) {
  Deno.test(`DER of ${what}`, () => assertEquals(bytes.toHex(), hex));
}

Deno.test("derValue() tells lengths in as few bytes as there can be", () => {
  const headers = [[127, "047f"], [128, "048180"], [255, "0481ff"], [256, "04820100"], [65536, "0483010000"]] as const;
  for (const [length, hex] of headers) {
    const bytes = derValue("octetString", new Uint8Array(length));
    assertEquals(bytes.subarray(0, bytes.length - length).toHex(), hex);
  }
});
