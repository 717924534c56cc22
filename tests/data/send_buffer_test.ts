import { assertEquals } from "@std/assert";
import { SendBuffer } from "../../lib/data/pacing.ts";

const MIB = 1024 * 1024;

/** A buffer that has taken so many bytes at once, and has a piece that is pending. */
function filled(bytes: number, pendingBytes: number): SendBuffer {
  const buffer = new SendBuffer();
  buffer.begin(bytes);
  buffer.end();
  buffer.begin(pendingBytes);
  return buffer;
}

Deno.test("SendBuffer.patienceMs() is the time that was asked for where little is hidden", () => {
  assertEquals(new SendBuffer().patienceMs(200), 200);
  assertEquals(filled(128 * 1024, 16 * 1024).patienceMs(60_000), 60_000);
});

Deno.test("SendBuffer.patienceMs() is what 8 KiB/s need to free a third of the buffer and to take the piece", () => {
  // 1 MiB and 64 KiB
  assertEquals(Math.round(filled(3 * MIB, 64 * 1024).patienceMs(60_000)), 136_000);
});

Deno.test("SendBuffer.patienceMs() is four times the time at most, however much was taken", () => {
  assertEquals(filled(100 * MIB, 512 * 1024).patienceMs(200), 800);
  assertEquals(filled(100 * MIB, 512 * 1024).patienceMs(50_000), 200_000);
  assertEquals(Math.round(filled(100 * MIB, 0).patienceMs(1e9)), 1e9);
});
