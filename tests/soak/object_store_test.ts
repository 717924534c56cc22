import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { cutUploads } from "./object_store/cut_uploads.ts";
import { playFaults } from "./object_store/store_faults.ts";

Deno.test("200 uploads to an object store, cut at random places and gone on with, come byte-exactly", async () => {
  const result = await cutUploads({ uploads: 200, seed: 15 });
  assertEquals(result.wrong, []);
  assertEquals(result.orphans, 0);
  assertGreater(result.cuts, 200);
  assertLess(result.bytesSentAgain, result.bytes);
});

Deno.test("1,000 faults of an object store bring no false 226, lose no old object, and leave nothing", async () => {
  const result = await playFaults({ faults: 1000, seed: 15 });
  assertEquals(result.falseSuccesses, []);
  assertEquals(result.lostObjects, []);
  assertEquals(result.orphans, []);
  assertGreater(result.faults, 999);
});
