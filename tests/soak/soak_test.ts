import { assertEquals } from "@std/assert";
import { HAS_PROC } from "../helpers/process_state.ts";
import { assertHoldsNoMore } from "./holdings.ts";
import { soak } from "./soak.ts";

const SECONDS = 30;
const reason = HAS_PROC ? "" : " (ignored: only Linux shows what a process holds under /proc)";

Deno.test({
  name: `FtpServer holds no more after ${SECONDS} s of clients, kills and reloads than before${reason}`,
  ignore: !HAS_PROC,
  fn: async () => {
    const report = await soak({ seconds: SECONDS, seed: 1 });
    assertHoldsNoMore(report);
    assertEquals(Object.keys(report.visits).length, 8);
  },
});
