import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { loadEncoding, UTF8 } from "../../lib/protocol/text_encoding.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

/** An encoding, a text, and its bytes there. */
const EXAMPLES: readonly (readonly [label: string, text: string, bytes: Uint8Array])[] = [
  ["utf-8", "ä€", bytes(0xc3, 0xa4, 0xe2, 0x82, 0xac)],
  ["latin1", "ä", bytes(0xe4)],
  ["windows-1252", "ä€", bytes(0xe4, 0x80)],
  ["cp850", "ä", bytes(0x84)],
  ["cp437", "é", bytes(0x82)],
  ["koi8-r", "я", bytes(0xd1)],
  ["shift_jis", "日", bytes(0x93, 0xfa)],
  ["gb18030", "日я", bytes(0xc8, 0xd5, 0xa7, 0xf1)],
];

for (const [label, text, expected] of EXAMPLES) {
  Deno.test(`loadEncoding() turns text into bytes of ${label} and back`, async () => {
    const encoding = await loadEncoding(label);
    assertEquals(encoding.encode(`/a ${text}`), Uint8Array.from([...new TextEncoder().encode("/a "), ...expected]));
    assertEquals(encoding.decode(expected), text);
    assert(encoding.canEncode(text));
    assertEquals(encoding.label, label);
  });
}

Deno.test("loadEncoding() returns UTF-8 in each spelling", async () => {
  for (const name of ["utf-8", "UTF8", "utf8"]) assertStrictEquals(await loadEncoding(name), UTF8);
});

Deno.test("loadEncoding() refuses what is unknown, or has no ASCII", async () => {
  await assertRejects(() => loadEncoding("klingon"), RangeError, 'Cannot use encoding "klingon": it is unknown');
  for (const name of ["utf-16le", "utf-7", "base64", "utf-32"]) {
    await assertRejects(() => loadEncoding(name), RangeError, "ASCII is not a part of it");
  }
});

Deno.test("TextEncoding says what it can neither write nor read", async () => {
  const cp437 = await loadEncoding("cp437");
  assertEquals([cp437.canEncode("я日"), cp437.canEncode("é?")], [false, true]);
  assertEquals(new TextDecoder().decode(cp437.encode("a日")), "a?");
  assertEquals((await loadEncoding("shift_jis")).decode(bytes(0x61, 0xff, 0xff)), undefined);
  assertEquals(UTF8.decode(bytes(0xe4)), undefined);
  assert(!UTF8.canEncode("a\ud800"));
});
