import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { doubleIac, undoubleIac } from "../../lib/protocol/command_line.ts";
import { assertProperty } from "../helpers/property.ts";
import { bytesOfParts, latin1Bytes, latin1Text } from "../helpers/property_values.ts";

const bytes = () => bytesOfParts(["\xff", "\xff\xff", "\xff\xf4", "a", "\r\n"]);

Deno.test("undoubleIac() takes back what doubleIac() does", () => {
  assertProperty(fc.property(bytes(), (bytes) => {
    assertEquals(undoubleIac(doubleIac(bytes)), bytes);
  }));
});

Deno.test("doubleIac() leaves no 0xFF that is not doubled, and everything else as it is", () => {
  assertProperty(fc.property(bytes(), (bytes) => {
    assertEquals(latin1Text(doubleIac(bytes)), latin1Text(bytes).replaceAll("\xff", "\xff\xff"));
  }));
});

Deno.test("undoubleIac() keeps a single 0xFF, and of three one and one", () => {
  for (
    const [given, meant] of [["a\xffb", "a\xffb"], ["\xff\xff\xff", "\xff\xff"], ["\xff", "\xff"], [
      "\xff\xffx",
      "\xffx",
    ]]
  ) {
    assertEquals(latin1Text(undoubleIac(latin1Bytes(given ?? ""))), meant);
  }
});

Deno.test("doubleIac() and undoubleIac() copy nothing where there is no 0xFF", () => {
  const plain = latin1Bytes("MKD \xfe\xe4");
  assertStrictEquals(doubleIac(plain), plain);
  assertStrictEquals(undoubleIac(plain), plain);
});
