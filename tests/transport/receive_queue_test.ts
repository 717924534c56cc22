import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { ReceiveQueue } from "../../lib/transport/receive_queue.ts";
import { kindOf } from "./connection_cases.ts";

const ONE = new Uint8Array([1]);
const TWO = new Uint8Array([2, 2]);

function makeQueue(limitBytes: number) {
  const calls: string[] = [];
  const source = { pause: () => calls.push("pause"), resume: () => calls.push("resume") };
  return { queue: new ReceiveQueue(source, limitBytes), calls };
}

Deno.test("ReceiveQueue.read() returns at once all that was pushed, in its order", async () => {
  const { queue } = makeQueue(100);
  queue.push(ONE);
  queue.push(TWO);
  assertEquals(await queue.read(), new Uint8Array([1, 2, 2]));
  const pending = queue.read();
  queue.push(TWO);
  queue.push(ONE);
  assertEquals(await pending, new Uint8Array([2, 2, 1]));
});

Deno.test("ReceiveQueue returns a chunk over the limit by itself", async () => {
  const { queue } = makeQueue(1);
  for (const chunk of [TWO, TWO, ONE]) queue.push(chunk);
  for (const chunk of [TWO, TWO, ONE]) assertEquals(await queue.read(), chunk);
});

Deno.test("ReceiveQueue returns a single chunk as it is, without a copy", async () => {
  const { queue } = makeQueue(100);
  const pending = queue.read();
  queue.push(ONE);
  assertStrictEquals(await pending, ONE);
});

Deno.test("ReceiveQueue pauses its source at the limit, and resumes it when all is read", async () => {
  const { queue, calls } = makeQueue(3);
  queue.push(TWO);
  assertEquals(calls, []);
  queue.push(ONE);
  queue.push(ONE);
  assertEquals(calls, ["pause"]);
  assertEquals(await queue.read(), new Uint8Array([2, 2, 1]));
  assertEquals(calls, ["pause"]);
  await queue.read();
  assertEquals(calls, ["pause", "resume"]);
  queue.push(TWO);
  assertEquals(calls, ["pause", "resume"]);
  queue.push(ONE);
  assertEquals(calls, ["pause", "resume", "pause"]);
});

Deno.test("ReceiveQueue.settle() waits for bytes that are on their way to a reader", async () => {
  const { queue } = makeQueue(100);
  const pending = queue.read();
  queue.push(ONE);
  queue.settle("fin");
  assertEquals(await pending, ONE);
  assertEquals(await queue.read(), null);
});

Deno.test("ReceiveQueue.settle() comes behind the bytes, and the first one stays", async () => {
  const { queue } = makeQueue(100);
  queue.push(ONE);
  queue.settle("fin");
  queue.settle(new ConnectionError("reset", "Later"));
  queue.push(TWO);
  assertEquals(await queue.read(), ONE);
  assertEquals(queue.ending, undefined);
  assertEquals(await queue.read(), null);
  assertEquals(queue.ending, "fin");
});

Deno.test("ReceiveQueue.settle() rejects a pending read() and later ones", async () => {
  const { queue } = makeQueue(100);
  const pending = kindOf(queue.read());
  queue.settle(new ConnectionError("reset", "Cut"));
  assertEquals(await pending, "reset");
  assertEquals(await kindOf(queue.read()), "reset");
  assertEquals(queue.ending, undefined);
});

Deno.test("ReceiveQueue.close() drops what is unread", async () => {
  const { queue } = makeQueue(100);
  queue.push(ONE);
  queue.settle("closeNotify");
  queue.close(new ConnectionError("closed", "Connection is closed"));
  assertEquals(await kindOf(queue.read()), "closed");
});

Deno.test("ReceiveQueue.read() refuses a second call at a time", async () => {
  const { queue } = makeQueue(100);
  const pending = queue.read();
  await assertRejects(() => queue.read(), TypeError, "pending");
  queue.push(ONE);
  assertEquals(await pending, ONE);
});
