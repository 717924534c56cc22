import { assert, assertEquals, assertRejects } from "@std/assert";
import { createTableMemory, SharedTable, SharedTableError } from "../../lib/state/shared_table.ts";
import { TableQuotaCounts } from "../../lib/state/table_quotas.ts";
import { count, quotaOf, reserve, testQuotas } from "./quotas_conformance.ts";

testQuotas("TableQuotaCounts", () => {
  const memory = createTableMemory(16);
  return Promise.resolve({
    counts: new TableQuotaCounts(new SharedTable(memory)),
    others: new TableQuotaCounts(new SharedTable(memory)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

Deno.test("TableQuotaCounts counts anew when it is asked to, once nothing is under way", async () => {
  const counts = new TableQuotaCounts(new SharedTable(createTableMemory(16)));
  const quota = quotaOf("user alice", 1000);
  counts.recount("user alice"); // nobody has counted it yet
  await count(counts, "user alice", 10, 1);
  const upload = await reserve(counts, [quota], 5);
  counts.recount("user alice");
  assertEquals(await counts.beginCount("user alice"), undefined);
  const other = await reserve(counts, [quota], 5);
  await upload.commit({ bytes: 5, files: 1 });
  other[Symbol.dispose]();
  assertEquals(await counts.reserve([quota], { bytes: 1, files: 0 }), { refusal: "uncounted", name: "user alice" });
  {
    using counting = await counts.beginCount("user alice");
    assert(counting !== undefined);
  }
  await count(counts, "user alice", 700, 7);
  assertEquals((await counts.use("user alice"))?.stored, { bytes: 700, files: 7 });
});

Deno.test("TableQuotaCounts says that its table is full", async () => {
  const counts = new TableQuotaCounts(new SharedTable(createTableMemory(1)));
  await count(counts, "user alice");
  await assertRejects(async () => await counts.use("user bob"), SharedTableError);
});
