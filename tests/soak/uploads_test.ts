import { assert, assertEquals, assertGreater, assertStrictEquals } from "@std/assert";
import { killUploads } from "./uploads.ts";

Deno.test("upload.atomic shows the old file or the new one, and leaves nothing for long, across SIGKILL", async () => {
  const result = await killUploads({ mode: "atomic", kills: 6, seed: 1 });
  assertEquals(result.wrong, []);
  assertGreater(result.interrupted, 0);
  assertGreater(result.downloads, 0);
  assertStrictEquals(result.leftAfterCleaning, 0);
});

Deno.test("An upload in place that was answered by 226 is whole after SIGKILL", async () => {
  const result = await killUploads({ mode: "in place", kills: 4, seed: 2 });
  assertEquals(result.wrong, []);
  assert(result.interrupted > 0 && result.acknowledged > 0, JSON.stringify(result));
});
