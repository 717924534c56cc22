import { assertEquals } from "@std/assert";
import { modeBits } from "../lib/mode_bits.ts";

Deno.test("modeBits() believes no mode on Windows, where the runtime makes one up", () => {
  assertEquals(modeBits(0o100666, "windows"), undefined);
  assertEquals(modeBits(0o104755, "linux"), 0o4755);
  assertEquals(modeBits(0o100666, "darwin"), 0o666);
  assertEquals(modeBits(null, "linux"), undefined);
});
