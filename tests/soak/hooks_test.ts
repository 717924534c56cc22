import { assertEquals } from "@std/assert";
import { playToldUploads } from "./told_uploads.ts";

// A short form: `deno run -P=test tests/soak/hooks.ts` uploads 10,000 files, kills five times, and is away for a minute.

Deno.test("Each file is told to its hook, in order, across two kills of the server and an absence of the receiver", async () => {
  const { acknowledged, missing, outOfOrder, excess, wrong } = await playToldUploads({
    uploads: 240,
    kills: 2,
    awayMs: 1000,
  });
  assertEquals({ acknowledged, missing, outOfOrder, excess, wrong }, {
    acknowledged: 240,
    missing: [],
    outOfOrder: [],
    excess: [],
    wrong: [],
  });
});
