import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FairSlots } from "../../../lib/filesystem/object/fair_slots.ts";

Deno.test("FairSlots gives places in the order of asking, and not to those that gave up", async () => {
  const slots = new FairSlots(1);
  const { signal } = new AbortController();
  const order: string[] = [];
  const first = await slots.take(signal);
  const controller = new AbortController();
  const impatient = slots.take(controller.signal);
  const others = ["b", "c"].map(async (name) => {
    using _slot = await slots.take(signal);
    order.push(name);
    await Promise.resolve();
  });
  controller.abort(new Error("enough"));
  await assertRejects(() => impatient, Error, "enough");
  order.push("a");
  first[Symbol.dispose]();
  first[Symbol.dispose](); // and gives no second place
  await Promise.all(others);
  assertEquals(order, ["a", "b", "c"]);
  using _again = await slots.take(signal);
  const more = new AbortController();
  const second = slots.take(more.signal);
  await new Promise((resolve) => setImmediate(resolve));
  more.abort(new Error("no second place"));
  await assertRejects(() => second, Error, "no second place");
  await assertRejects(() => slots.take(AbortSignal.abort(new Error("late"))), Error, "late");
  assertThrows(() => new FairSlots(0), RangeError);
});
