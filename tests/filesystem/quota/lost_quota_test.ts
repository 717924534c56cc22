import { assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import type { WritableFile } from "../../../lib/filesystem/filesystem.ts";
import { QuotaLedger } from "../../../lib/filesystem/quota/quota_ledger.ts";
import { withQuota } from "../../../lib/filesystem/quota/quota_filesystem.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { MemoryRecords } from "../../../lib/state/memory_records.ts";
import type { QuotaAmount, QuotaCounts } from "../../../lib/state/quotas.ts";
import { assertRefused } from "../../helpers/quota_scene.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

/** Files under counts that can be lost, and fail. */
async function createScene() {
  const commits: QuotaAmount[] = [];
  const lost = new AbortController();
  const engine = { isHeld: true, isThere: true, hasRoom: true };
  const ask = <Answer>(answer: Answer) => engine.isThere ? answer : Promise.reject(new Error("out of reach"));
  const counts: QuotaCounts = {
    use: () => ask({ stored: { bytes: 0, files: 0 }, reserved: { bytes: 0, files: 0 } }),
    reserve: () =>
      ask({
        lost: lost.signal,
        isHeld: () => engine.isHeld,
        grow: () => ask(engine.hasRoom),
        commit: (amount) => void commits.push(amount),
        [Symbol.dispose]: () => {},
      }),
    beginCount: () => undefined,
  };
  const files = withQuota(new MemoryFileSystem(), {
    ...{ ledger: new QuotaLedger(counts), claims: new WriteClaims(), records: new MemoryRecords(), account: "alice" },
    scopes: [{ name: "user alice", limits: { bytes: 1000, files: 0 }, files: () => [] }],
  });
  const file = await files.openWrite?.("/a", "truncate", UNABORTED) as WritableFile;
  await file.write(new Uint8Array(10), UNABORTED);
  return { files, file, commits, lost, engine };
}

Deno.test("withQuota() lets nobody write or finish who has lost what was reserved, and counts what there is", async () => {
  for (const lose of ["by time", "by signal"]) {
    const { file, commits, lost, engine } = await createScene();
    if (lose === "by time") engine.isHeld = false;
    else lost.abort();
    await assertRefused(() => file.write(new Uint8Array(1), UNABORTED), "unavailable");
    await assertRefused(() => file.finish(UNABORTED), "unavailable");
    await file.close();
    assertEquals(commits, [{ bytes: 10, files: 1 }]);
  }
});

Deno.test("withQuota() refuses what nobody can count now as unavailable", async () => {
  const { files, file, commits, engine } = await createScene();
  engine.isThere = false;
  await assertRefused(() => file.write(new Uint8Array(1), UNABORTED), "unavailable");
  await file.close();
  assertEquals(commits, [{ bytes: 10, files: 1 }]);
  for (const work of [() => files.quotas?.(UNABORTED), () => files.availableBytes?.("/", UNABORTED)]) {
    await assertRefused(async () => await work(), "unavailable");
  }
  await assertRefused(async () => await files.openWrite?.("/b", "truncate", UNABORTED), "unavailable");
});
