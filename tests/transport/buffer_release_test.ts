import { assertEquals, assertLess } from "@std/assert";
import { ReceiveQueue } from "../../lib/transport/receive_queue.ts";
import { releaseBuffer } from "../../lib/transport/buffer_release.ts";
import { requireProgram } from "../helpers/run_program.ts";

const PIECE_BYTES = 64 * 1024;

Deno.test("releaseBuffer() frees large arrays that are all of their buffer, and leaves others alone", () => {
  const whole = new Uint8Array(PIECE_BYTES);
  const small = new Uint8Array(100);
  const part = new Uint8Array(2 * PIECE_BYTES).subarray(0, PIECE_BYTES);
  const shared = new Uint8Array(new SharedArrayBuffer(PIECE_BYTES));
  for (const bytes of [whole, small, part, shared]) releaseBuffer(bytes);
  assertEquals([whole, small, part, shared].map(({ length }) => length), [0, 100, PIECE_BYTES, PIECE_BYTES]);
});

Deno.test("ReceiveQueue holds no chunk that was read, neither one by itself nor joined ones", async () => {
  const queue = new ReceiveQueue({ pause: () => {}, resume: () => {} }, 8 * PIECE_BYTES);
  const chunks = [1, 2, 3].map((byte) => new Uint8Array(PIECE_BYTES).fill(byte));
  const [first, second, third] = chunks as [Uint8Array, Uint8Array, Uint8Array];
  queue.push(first);
  assertEquals(await queue.read(), new Uint8Array(PIECE_BYTES).fill(1));
  queue.push(second);
  queue.push(third);
  const joined = await queue.read();
  assertEquals([joined?.length, joined?.at(0), joined?.at(-1)], [2 * PIECE_BYTES, 2, 3]);
  assertEquals(chunks.map(({ length }) => length), [0, 0, 0]);
});

Deno.test({
  name: "keepFreedMemory() lets the C library use memory again that was freed",
  ignore: Deno.build.os !== "linux", // what it speaks to is glibc
  async fn() {
    const program = new URL("page_faults.ts", import.meta.url).pathname;
    const faults = async (...args: string[]) =>
      Number(await requireProgram(Deno.execPath(), ["run", "--allow-all", "--no-check", program, ...args]));
    const [otherwise, kept] = [await faults(), await faults("keep")];
    assertLess(10 * kept, otherwise, `${kept} page faults with it, ${otherwise} without`);
  },
});
