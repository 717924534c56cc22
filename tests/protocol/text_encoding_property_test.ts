import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { loadEncoding } from "../../lib/protocol/text_encoding.ts";
import { assertProperty } from "../helpers/property.ts";
import { bytesOfParts, fileName } from "../helpers/property_values.ts";

const LABELS = [
  "utf-8",
  "latin1",
  "windows-1252",
  "cp850",
  "cp437",
  "koi8-r",
  "shift_jis",
  "euc-jp",
  "euc-kr",
  "big5",
  "gbk",
  "gb18030",
];

/** What ends lines and separates the names of a path, as characters and as bytes. */
const SEPARATORS = ["\r", "\n", "\0", "/"];

const names = () => fc.oneof(fileName(), fc.string({ unit: fc.constantFrom(..."aéя日本ｱ能\\|§ÿ~") }));

function separatorsIn(text: string | Uint8Array): string[] {
  return SEPARATORS.filter((it) => typeof text === "string" ? text.includes(it) : text.includes(it.charCodeAt(0)));
}

for (const label of LABELS) {
  Deno.test(`loadEncoding() reads back in ${label} whatever it says it can write`, async () => {
    const encoding = await loadEncoding(label);
    assertProperty(fc.property(names(), (text) => {
      if (encoding.canEncode(text)) assertEquals(encoding.decode(encoding.encode(text)), text);
    }));
  });

  Deno.test(`loadEncoding() makes no end of a line and no slash in ${label} out of other characters, nor back`, async () => {
    const encoding = await loadEncoding(label);
    const lines = bytesOfParts(["a", "\x81", "\x84\x40", "\x8e", "\x93\xfa", "\xa1", "\xe4", "\xff", "\x5c", "0"]);
    assertProperty(fc.property(names(), lines, (text, bytes) => {
      assertEquals(separatorsIn(encoding.encode(text)), separatorsIn(text));
      const decoded = encoding.decode(bytes);
      if (decoded !== undefined) assertEquals(separatorsIn(decoded), separatorsIn(bytes));
    }));
  });
}
