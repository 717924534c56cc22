import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type TableKey, TableRecords, wordsOf } from "../../lib/state/table_records.ts";
import { assertProperty } from "../helpers/property.ts";

const CAPACITY = 6;

function createRecords(capacity: number = CAPACITY): TableRecords {
  return new TableRecords(new Int32Array(wordsOf(capacity)), capacity);
}

/** Keys of which many meet in one chain, and differ in one number only. */
const KEYS: fc.Arbitrary<TableKey> = fc.tuple(
  ...[fc.constantFrom(0, 8, -8, 1), fc.constantFrom(0, 1), fc.constantFrom(0, -1), fc.constantFrom(0, 2 ** 31 - 1)],
) as unknown as fc.Arbitrary<TableKey>;

type Step = { readonly kind: "add" | "remove" | "look"; readonly key: TableKey; readonly field: number };
const STEPS = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom("add", "add", "remove", "look"),
    key: KEYS,
    field: fc.nat({ max: 7 }),
  }),
  { maxLength: 60, size: "max" },
);

Deno.test("TableRecords has what a map has, and refuses what is over its capacity", () => {
  assertProperty(fc.property(STEPS, (steps) => {
    const records = createRecords();
    const model = new Map<string, number[]>();
    for (const { kind, key, field } of steps) {
      const name = key.join();
      const known = model.get(name);
      if (kind === "add") {
        const record = records.findOrInsert(key);
        assertEquals(record === 0, known === undefined && model.size === CAPACITY);
        if (record === 0) continue;
        const values = known ?? Array.from({ length: 8 }, () => 0);
        const next = (values[field] ?? 0) + 1;
        assertEquals(records.add(record, field, 1), next);
        model.set(name, values.with(field, next));
      } else if (kind === "remove" && known !== undefined) {
        records.remove(records.find(key));
        model.delete(name);
      }
      const found = records.find(key);
      const expected = model.get(name);
      assertEquals(found !== 0, expected !== undefined);
      assertEquals(expected?.map((_, index) => records.get(found, index)), expected);
      assertEquals([records.count, records.room], [model.size, CAPACITY - model.size]);
    }
  }));
});

Deno.test("TableRecords.removeIfZero() leaves a record with a field that is not 0", () => {
  const records = createRecords();
  const record = records.findOrInsert([1, 2, 3, 4]);
  records.set(record, 7, -1);
  records.removeIfZero(record);
  assertEquals(records.find([1, 2, 3, 4]), record);
  records.set(record, 7, 0);
  records.removeIfZero(record);
  assertEquals(records.find([1, 2, 3, 4]), 0);
});

Deno.test("TableRecords uses the places of records that are gone, and gives them without what was in them", () => {
  const records = createRecords();
  const places = new Set<number>();
  for (let times = 0; times < 1000; times++) {
    const key: TableKey = [times, times, times, times];
    const record = records.findOrInsert(key);
    assertEquals([records.get(record, 3), records.clock(record)[0]], [0, 0n]);
    records.set(record, 3, times);
    records.clock(record)[0] = -1n;
    places.add(record);
    records.remove(record);
  }
  assertEquals(places.size, 1);
});

Deno.test("TableRecords.clock() is a place that no field of any record has", () => {
  const records = createRecords();
  const all = Array.from({ length: CAPACITY }, (_, index) => records.findOrInsert([index, 0, 0, 0]));
  for (const record of all) records.clock(record)[0] = -1n;
  const fields = all.flatMap((record) => Array.from({ length: 8 }, (_, field) => records.get(record, field)));
  assertEquals(new Set(fields), new Set([0]));
  assertEquals(all.map((_, index) => records.find([index, 0, 0, 0])), all);
});
