import { assertEquals, assertGreater } from "@std/assert";
import { HeldNames } from "../../lib/filesystem/write_claims.ts";

const NAMES = Array.from({ length: 10 }, (_, index) => `name${index}`);

Deno.test("HeldNames.take() returns all names in batches, read once where they are taken at once", async () => {
  let reads = 0;
  using names = new HeldNames(() => {
    reads++;
    return Promise.resolve(NAMES);
  });
  assertEquals(await names.take(4), NAMES.slice(0, 4));
  assertEquals(await names.take(4), NAMES.slice(4, 8));
  assertEquals(await names.take(4), NAMES.slice(8));
  assertEquals(await names.take(4), []);
  assertEquals(reads, 1);
});

Deno.test("HeldNames lets go of names that nobody takes, and goes on behind the last one", async () => {
  let current = NAMES;
  let reads = 0;
  using names = new HeldNames(() => {
    reads++;
    return Promise.resolve(current);
  });
  assertEquals(await names.take(4), NAMES.slice(0, 4));
  // Its last one has gone, and another has come before it.
  current = ["name", ...NAMES.filter((name) => name !== "name3")];
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assertEquals(await names.take(4), NAMES.slice(4, 8));
  assertEquals(reads, 2);
  current = [];
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assertEquals(await names.take(4), []);
  assertGreater(reads, 2);
});
