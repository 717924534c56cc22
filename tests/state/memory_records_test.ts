import { assertEquals } from "@std/assert";
import { MemoryRecords } from "../../lib/state/memory_records.ts";
import { createClock, testRecords } from "./records_conformance.ts";

testRecords("MemoryRecords", () => {
  const clock = createClock();
  const records = new MemoryRecords({ now: clock.now });
  return Promise.resolve({ records, clock, [Symbol.asyncDispose]: () => Promise.resolve() });
});

Deno.test("MemoryRecords forgets what was set longest ago beyond its bound", () => {
  const records = new MemoryRecords({ maxRecords: 2 });
  for (const key of ["a", "b", "a", "c"]) records.set("s", key, key);
  assertEquals(records.list("s").map(({ key }) => key), ["a", "c"]);
});
