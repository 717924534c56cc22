import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import {
  copyRanges,
  MAX_OBJECT_BYTES,
  MAX_PART_BYTES,
  MAX_PARTS,
  maxObjectBytes,
  MIN_PART_BYTES,
  nextPartSize,
  type PartBounds,
} from "../../../lib/filesystem/object/part_plan.ts";
import { assertProperty } from "../../helpers/property.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Sizes of the parts of an upload, as they are made while it comes. */
function partsOf(bytes: number, bounds: PartBounds): number[] {
  const parts: number[] = [];
  for (let before = 0; before < bytes;) {
    const size = Math.min(nextPartSize({ number: parts.length + 1, before }, bounds), bytes - before);
    parts.push(size);
    before += size;
  }
  return parts;
}

Deno.test("nextPartSize() fits any object into 10,000 parts, whose size grows late", () => {
  const bounds = { partSize: 8 * MIB, maxPartSize: MAX_PART_BYTES };
  const largest: Record<string, number> = {};
  for (
    const [name, bytes] of Object.entries({ byte: 1, gib: GIB, "10": 10 * GIB, "100": 100 * GIB, "5120": 5120 * GIB })
  ) {
    const parts = partsOf(bytes, bounds);
    assertLessOrEqual(parts.length, MAX_PARTS);
    assertStrictEquals(parts.reduce((sum, size) => sum + size, 0), bytes);
    assert(parts.slice(0, -1).every((size) => size >= MIN_PART_BYTES && size <= MAX_PART_BYTES));
    largest[name] = Math.max(...parts) / MIB;
  }
  assertEquals(largest["gib"], 8);
  assertEquals(largest["10"], 16);
  assertLessOrEqual(largest["100"] ?? 0, 96);
  assertLessOrEqual(largest["5120"] ?? 0, 1280);
});

Deno.test("nextPartSize() fits the largest object into small parts for tests, too", () => {
  for (const partSize of [5 * MIB, 16 * MIB, 64 * MIB]) {
    const parts = partsOf(MAX_OBJECT_BYTES, { partSize, maxPartSize: MAX_PART_BYTES });
    assertLessOrEqual(parts.length, MAX_PARTS);
  }
});

Deno.test("maxObjectBytes() is what fits in parts that there is memory for", () => {
  for (const maxPartSize of [8 * MIB, 64 * MIB, 256 * MIB, GIB]) {
    const bounds = { partSize: 8 * MIB, maxPartSize };
    const max = maxObjectBytes({ number: 1, before: 0 }, bounds);
    assertLessOrEqual(partsOf(max, bounds).length, MAX_PARTS);
    assertLessOrEqual(Math.max(...partsOf(max, bounds)), maxPartSize);
  }
  assertStrictEquals(maxObjectBytes({ number: 1, before: 0 }, { partSize: 1, maxPartSize: 1 }), MAX_PARTS);
  assertGreaterOrEqual(
    maxObjectBytes({ number: 1, before: 0 }, { partSize: 8 * MIB, maxPartSize: 64 * MIB }),
    480 * GIB,
  );
});

Deno.test("copyRanges() covers a range by parts that are neither too small nor too many", () => {
  const bytes = fc.oneof(fc.integer({ min: 0, max: 100 * MIB }), fc.integer({ min: 0, max: MAX_OBJECT_BYTES }));
  assertProperty(fc.property(bytes, fc.integer({ min: 0, max: GIB }), (length, from) => {
    const ranges = copyRanges({ from, to: from + length }, MIN_PART_BYTES);
    const sizes = ranges.map((range) => range.to - range.from);
    assertStrictEquals(sizes.reduce((sum, size) => sum + size, 0), length);
    ranges.forEach((range, index) => assertStrictEquals(range.from, ranges[index - 1]?.to ?? from));
    assert(sizes.every((size) => size >= Math.min(MIN_PART_BYTES, length) && size <= MAX_PART_BYTES));
    assertLessOrEqual(ranges.length, 2001);
  }));
});
