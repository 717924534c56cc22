import { assertEquals, assertStrictEquals } from "@std/assert";
import { bytesOf, wholeParts } from "../../../lib/filesystem/object/kept_uploads.ts";

const part = (number: number, size: number) => ({ number, size, etag: `"${number}"` });

Deno.test("wholeParts() returns the parts from the first on, without a gap, that another may follow", () => {
  assertEquals(wholeParts([], 5), []);
  assertEquals(wholeParts([part(2, 9), part(1, 5)], 5), [part(1, 5), part(2, 9)]);
  assertEquals(wholeParts([part(2, 9)], 5), []);
  assertEquals(wholeParts([part(1, 9), part(3, 9)], 5), [part(1, 9)]);
  assertEquals(wholeParts([part(1, 9), part(2, 4), part(3, 9)], 5), [part(1, 9)]);
  assertStrictEquals(bytesOf([part(1, 9), part(2, 4)]), 13);
});
