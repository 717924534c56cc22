import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { cutUploads } from "./object_store/cut_uploads.ts";
import { playFaults } from "./object_store/store_faults.ts";

// A short form: `deno run -P=test tests/soak/object_store.ts` cuts 200 uploads and plays 1,000 faults.

Deno.test("60 uploads to an object store, cut at random places and gone on with, come byte-exactly", async () => {
  const result = await cutUploads({ uploads: 60, seed: 15 });
  assertEquals(result.wrong, []);
  assertEquals(result.orphans, 0);
  assertGreater(result.cuts, 60);
  assertLess(result.bytesSentAgain, result.bytes);
});

Deno.test("300 faults of an object store bring no false 226, lose no old object, and leave nothing", async () => {
  const result = await playFaults({ faults: 300, seed: 15 });
  assertEquals(result.falseSuccesses, []);
  assertEquals(result.lostObjects, []);
  assertEquals(result.orphans, []);
  assertGreater(result.faults, 299);
});
