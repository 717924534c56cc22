import { assertEquals, assertMatch } from "@std/assert";
import { newSessionPrefix } from "../../lib/session/session_id.ts";

Deno.test("newSessionPrefix() gives 48 random bits, so that nodes have no session of the same id", () => {
  const prefixes = Array.from({ length: 20_000 }, newSessionPrefix);
  assertEquals(new Set(prefixes).size, prefixes.length);
  for (const prefix of prefixes) assertMatch(prefix, /^[0-9a-f]{12}$/);
  for (let digit = 0; digit < 12; digit++) {
    assertEquals(new Set(prefixes.map((prefix) => prefix[digit])).size, 16, `digit ${digit}`);
  }
});
