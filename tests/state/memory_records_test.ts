import { assertEquals } from "@std/assert";
import { MemoryRecords } from "../../lib/state/memory_records.ts";
import { testRecords } from "./records_conformance.ts";

testRecords("MemoryRecords", () => {
  const clock = { now: 1_000_000 };
  return { records: new MemoryRecords({ now: () => clock.now }), clock, [Symbol.dispose]: () => {} };
});

Deno.test("MemoryRecords forgets what was set longest ago beyond its bound", () => {
  const records = new MemoryRecords({ maxRecords: 2 });
  for (const key of ["a", "b", "a", "c"]) records.set("s", key, key);
  assertEquals(records.list("s").map(({ key }) => key), ["a", "c"]);
});
